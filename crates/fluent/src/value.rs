//! Values of keys: text, or what YAML lists and maps and classic groups hold.

use std::fmt;

/// A value as Fluent Bit reads it, before `${NAME}` is expanded. Outer blanks of text are gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A scalar. Fluent Bit keeps numbers and booleans as text until a key's owner reads them.
    Text(String),
    /// A YAML list.
    List(Vec<Value>),
    /// A YAML map or a classic group, in the order written; keys may repeat.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text of a scalar, `None` for lists and maps.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }
}

/// Text as it is, lists in `[..]`, maps in `{..}`; for people, not for parsing.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(pairs) => {
                f.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Cuts what C's `isspace` calls blank from both ends, as Fluent Bit does with keys and values.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c'])
}

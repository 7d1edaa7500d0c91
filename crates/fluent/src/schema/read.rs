//! From the document to values, within bounds.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{MAX_PLUGINS, MAX_PROPERTIES, Part, Plugin, Property, Schema};

/// Longest name, type or version, in bytes.
const MAX_NAME_BYTES: usize = 128;

/// Longest description or default that is kept, in bytes; longer ones are cut.
const MAX_TEXT_BYTES: usize = 4096;

/// Why a document is no schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is not of the form that `fluent-bit -J` prints.
    #[error("it is not what `fluent-bit -J` prints: {0}")]
    Form(String),
    /// A name, type or version cannot be one.
    #[error("{0} has 1 to {MAX_NAME_BYTES} bytes and no control character")]
    Name(&'static str),
    /// It has no plugin.
    #[error("it names no plugin")]
    Empty,
}

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "fluent-bit")]
    build: Build,
    #[serde(default)]
    customs: Plugins,
    #[serde(default)]
    inputs: Plugins,
    #[serde(default)]
    processors: Plugins,
    #[serde(default)]
    filters: Plugins,
    #[serde(default)]
    outputs: Plugins,
}

type Plugins = Bounded<RawPlugin, MAX_PLUGINS>;
type Properties = Bounded<RawProperty, MAX_PROPERTIES>;

#[derive(Deserialize)]
struct Build {
    #[serde(default)]
    version: String,
}

#[derive(Deserialize)]
struct RawPlugin {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    properties: RawProperties,
}

#[derive(Default, Deserialize)]
struct RawProperties {
    #[serde(default)]
    options: Properties,
    #[serde(default)]
    global_options: Properties,
    #[serde(default)]
    networking: Properties,
    #[serde(default)]
    network_tls: Properties,
}

#[derive(Deserialize)]
struct RawProperty {
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    default: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

/// A list of at most so many.
struct Bounded<T, const MOST: usize>(Vec<T>);

impl<T, const MOST: usize> Default for Bounded<T, MOST> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for Bounded<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T, const MOST: usize>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for List<T, MOST> {
            type Value = Bounded<T, MOST>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = seq.next_element()? {
                    if list.len() == MOST {
                        return Err(A::Error::custom(format_args!("a list has more than {MOST} entries")));
                    }
                    list.push(item);
                }
                Ok(Bounded(list))
            }
        }
        deserializer.deserialize_seq(List(PhantomData))
    }
}

pub(super) fn read(document: &[u8]) -> Result<Schema, SchemaError> {
    let document: Document =
        serde_json::from_slice(document).map_err(|error| SchemaError::Form(error.to_string()))?;
    let version = document.build.version;
    if !version.is_empty() {
        check(&version, "the version")?;
    }
    let mut groups = BTreeMap::new();
    for (group, plugins) in [
        ("customs", document.customs),
        ("filters", document.filters),
        ("inputs", document.inputs),
        ("outputs", document.outputs),
        ("processors", document.processors),
    ] {
        let mut named = BTreeMap::new();
        for raw in plugins.0 {
            check(&raw.name, "a plugin's name")?;
            named.entry(raw.name.clone()).or_insert(plugin(raw)?);
        }
        if !named.is_empty() {
            groups.insert(group, named);
        }
    }
    if groups.is_empty() { Err(SchemaError::Empty) } else { Ok(Schema { version, groups }) }
}

fn plugin(raw: RawPlugin) -> Result<Plugin, SchemaError> {
    let RawProperties { options, global_options, networking, network_tls } = raw.properties;
    let parts = [
        (Part::Options, options),
        (Part::Global, global_options),
        (Part::Networking, networking),
        (Part::Tls, network_tls),
    ];
    let mut properties = Vec::new();
    for (part, list) in parts {
        for raw in list.0 {
            check(&raw.name, "a property's name")?;
            check(&raw.kind, "a property's type")?;
            properties.push(Property {
                name: raw.name,
                part,
                kind: raw.kind,
                default: raw.default.map(cut),
                description: raw.description.map(cut).unwrap_or_default(),
            });
        }
    }
    Ok(Plugin { description: raw.description.map(cut).unwrap_or_default(), properties })
}

fn check(text: &str, what: &'static str) -> Result<(), SchemaError> {
    let fits = !text.is_empty() && text.len() <= MAX_NAME_BYTES && !text.chars().any(char::is_control);
    if fits { Ok(()) } else { Err(SchemaError::Name(what)) }
}

fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT_BYTES));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURED: &[u8] = include_bytes!("../../../testkit/captures/fluent-bit/schema-5.1.1.json");

    #[test]
    fn given_the_document_of_a_real_build_when_read_then_plugins_have_their_properties() {
        let schema = Schema::read(CAPTURED).unwrap();
        let counts: Vec<_> = schema.groups.iter().map(|(group, all)| (*group, all.len())).collect();
        let expected = [("customs", 1), ("filters", 21), ("inputs", 42), ("outputs", 40), ("processors", 7)];
        assert_eq!((schema.version.as_str(), counts.as_slice()), ("5.1.1", &expected[..]));
        assert_eq!(schema.plugins(), 111);
        let tail = &schema.groups["inputs"]["tail"];
        let find = |name: &str| tail.properties.iter().find(|property| property.name == name).unwrap();
        assert_eq!(
            (find("path").kind.as_str(), find("path").part),
            ("multiple comma delimited strings", Part::Options)
        );
        assert_eq!(find("tag").part, Part::Global);
        assert_eq!(find("refresh_interval").default.as_deref(), Some("60"));
        let named: Vec<_> = schema.named("Forward").map(|(group, name, _)| (group, name)).collect();
        assert_eq!(named, [("inputs", "forward"), ("outputs", "forward")]);
    }

    #[test]
    fn given_documents_that_are_none_when_read_then_each_is_refused_with_the_reason() {
        let with = |inputs: &str| format!(r#"{{"fluent-bit":{{"version":"1"}},"inputs":{inputs}}}"#);
        let many = |count: usize, item: &str| format!("[{}]", vec![item; count].join(","));
        let property = r#"{"name":"p","type":"string"}"#;
        let plugin =
            |properties: &str| with(&format!(r#"[{{"name":"a","properties":{{"options":{properties}}}}}]"#));
        for (document, part) in [
            (String::new(), "EOF"),
            ("[]".to_owned(), "it is not what"),
            (r#"{"inputs":[]}"#.to_owned(), "fluent-bit"),
            (with("[]"), "no plugin"),
            (with("7"), "a list of at most"),
            (with(r#"[{"name":""}]"#), "a plugin's name"),
            (with(r#"[{"name":"a\u001bb"}]"#), "a plugin's name"),
            (with(&format!(r#"[{{"name":"{}"}}]"#, "x".repeat(129))), "a plugin's name"),
            (with(&many(MAX_PLUGINS + 1, r#"{"name":"a"}"#)), "more than 1000"),
            (plugin(&many(MAX_PROPERTIES + 1, property)), "more than 1000"),
            (plugin(r#"[{"name":"p"}]"#), "type"),
            (plugin(r#"[{"name":"p","type":""}]"#), "a property's type"),
            (plugin(&"[".repeat(100_000)), "it is not what"),
            (r#"{"fluent-bit":{"version":"1\n2"},"inputs":[{"name":"a"}]}"#.to_owned(), "the version"),
        ] {
            let error = Schema::read(document.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(part), "{document:.80}: {error}");
        }
    }

    #[test]
    fn given_long_texts_and_what_is_newer_when_read_then_they_are_cut_and_passed_over() {
        let long = "é".repeat(5000);
        let document = format!(
            r#"{{"fluent-bit":{{"schema_version":"2"}},"parsers":[1],"inputs":[{{"name":"a","type":"input","description":"{long}",
                 "properties":{{"more":[],"options":[{{"name":"p","type":"string","default":null,"new":{{}}}}]}}}},
                 {{"name":"a"}}]}}"#
        );
        let schema = Schema::read(document.as_bytes()).unwrap();
        let plugin = &schema.groups["inputs"]["a"];
        assert_eq!(
            (plugin.description.len(), plugin.properties.len()),
            (MAX_TEXT_BYTES, 1),
            "the first of a name"
        );
        assert_eq!(schema.version, "");
    }
}

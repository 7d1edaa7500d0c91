//! The plugins that Fluent Bit 5.1.1 knows, and their properties, from its own schema.

use std::sync::OnceLock;

use serde_json::Value;

/// The schema as `fluent-bit -J` prints it.
pub const SCHEMA: &str = include_str!("../../captures/fluent-bit/schema-5.1.1.json");

/// The kind of a plugin instance, in the order in which the real one checks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An input.
    Input,
    /// A filter.
    Filter,
    /// An output.
    Output,
}

impl Kind {
    /// `input`, `filter`, `output`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Filter => "filter",
            Self::Output => "output",
        }
    }

    /// The flag that asks the real one for the plugin's help.
    #[must_use]
    pub fn flag(self) -> &'static str {
        match self {
            Self::Input => "-i",
            Self::Filter => "-F",
            Self::Output => "-o",
        }
    }

    fn list(self) -> &'static str {
        match self {
            Self::Input => "inputs",
            Self::Filter => "filters",
            Self::Output => "outputs",
        }
    }
}

/// The properties of one plugin.
#[derive(Debug, Clone, Copy)]
pub struct Properties {
    kind: Kind,
    schema: &'static Value,
}

/// Properties that an instance takes although the schema does not list them (measured on 5.1.1).
const TAKEN_BY_INSTANCES: &[(Kind, &[&str])] = &[
    (Kind::Input, &["host", "port", "listen", "ipv6"]),
    (Kind::Filter, &[]),
    (Kind::Output, &["host", "port", "ipv6", "workers", "storage.total_limit_size"]),
];

/// Looks a plugin up by its name, in any case.
#[must_use]
pub fn find(kind: Kind, name: &str) -> Option<Properties> {
    let found = listed(kind.list(), name)?;
    Some(Properties { kind, schema: found.get("properties")? })
}

/// Whether a processor of that name exists: every filter is one too.
#[must_use]
pub fn is_processor(name: &str) -> bool {
    listed("processors", name).or_else(|| listed("filters", name)).is_some()
}

fn listed(list: &str, name: &str) -> Option<&'static Value> {
    static PARSED: OnceLock<Value> = OnceLock::new();
    let schema = PARSED.get_or_init(|| serde_json::from_str(SCHEMA).unwrap_or_default());
    let is_it =
        |plugin: &&Value| plugin["name"].as_str().is_some_and(|known| known.eq_ignore_ascii_case(name));
    schema.get(list)?.as_array()?.iter().find(is_it)
}

impl Properties {
    /// Whether the plugin takes this property.
    #[must_use]
    pub fn takes(&self, key: &str) -> bool {
        let key = key.to_ascii_lowercase();
        let by_instance =
            TAKEN_BY_INSTANCES.iter().any(|(kind, keys)| *kind == self.kind && keys.contains(&key.as_str()));
        // The networking keys are parsed by another table in the real one and are not judged here.
        by_instance || key.starts_with("net.") || key.starts_with("tls") || self.listed(&key)
    }

    fn listed(&self, key: &str) -> bool {
        let groups = self.schema.as_object().into_iter().flat_map(|groups| groups.values());
        let mut options = groups.filter_map(Value::as_array).flatten();
        options.any(|option| {
            let name = option["name"].as_str().unwrap_or_default().to_ascii_lowercase();
            let by_prefix = option["type"].as_str() == Some("prefixed string");
            name == key || (by_prefix && key.starts_with(&name))
        })
    }

    /// The list in the real one's complaint about an unknown property: `a, b, and c`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let names: Vec<&str> = self.schema["options"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|option| option["name"].as_str())
            .collect();
        match names.as_slice() {
            [] => String::new(),
            [only] => (*only).to_owned(),
            [first, second] => format!("{first} and {second}"),
            [most @ .., last] => format!("{}, and {last}", most.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_plugins_when_asked_then_the_schema_answers() {
        let dummy = find(Kind::Input, "Dummy").unwrap();
        assert!(dummy.takes("Rate") && dummy.takes("mem_buf_limit") && !dummy.takes("nosuchprop"));
        assert_eq!(
            find(Kind::Output, "null").unwrap().sentence(),
            "format, json_date_format, and json_date_key"
        );
        assert!(find(Kind::Filter, "nosuch").is_none());
    }
}

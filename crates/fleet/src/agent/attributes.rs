//! An agent's attributes as one map of texts.

use std::collections::BTreeMap;

use tidegate_opamp::AgentDescription;

/// Attributes by name. What the seed's own supervisor calls `os_type` and the like stands here under
/// OpenTelemetry's names as well (fluent-opamp.md, "Other behaviour to expect of its supervisor").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes(BTreeMap<String, String>);

/// Names that other supervisors use, with OpenTelemetry's.
const ALIASES: [(&str, &str); 4] = [
    ("os_type", "os.type"),
    ("os_version", "os.version"),
    ("hostname", "host.name"),
    ("mac_address", "host.mac"),
];

impl Attributes {
    /// The attributes of a description; an identifying one wins over another of its name.
    #[must_use]
    pub fn of(description: &AgentDescription) -> Self {
        let mut map = BTreeMap::new();
        for pair in description.non_identifying_attributes.iter().chain(&description.identifying_attributes) {
            let value = pair.value.as_ref().map(ToString::to_string).unwrap_or_default();
            map.insert(pair.key.clone(), value);
        }
        for (alias, name) in ALIASES {
            if let Some(value) = map.get(alias).cloned() {
                map.entry(name.to_owned()).or_insert(value);
            }
        }
        Self(map)
    }

    /// The value of one attribute.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// What people call the agent: the host's name, else the service's instance id.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        ["host.name", "service.instance.id"]
            .iter()
            .find_map(|key| self.get(key).filter(|name| !name.is_empty()))
    }

    /// All of them, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_opamp::KeyValue;

    #[test]
    fn given_names_of_other_supervisors_when_read_then_both_names_stand() {
        let description = AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
            non_identifying_attributes: vec![
                KeyValue::text("os_type", "linux"),
                KeyValue::text("hostname", "web-1"),
            ],
            ..AgentDescription::default()
        };
        let attributes = Attributes::of(&description);
        assert_eq!(attributes.get("os.type"), Some("linux"));
        assert_eq!(attributes.get("os_type"), Some("linux"));
        assert_eq!(attributes.get("host.name"), Some("web-1"));
    }
}

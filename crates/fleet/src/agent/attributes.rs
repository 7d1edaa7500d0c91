//! An agent's attributes as one map of texts.

use std::collections::BTreeMap;

use tidegate_opamp::AgentDescription;

/// Attributes by name. What the seed's own supervisor calls `os_type` and the like stands here under
/// OpenTelemetry's names as well (fluent-opamp.md, "Other behaviour to expect of its supervisor").
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    map: BTreeMap<String, String>,
    /// The name of one among several agents of a host.
    joined: Option<Box<str>>,
}

/// The attribute by which a supervisor of several agents tells them apart.
const AGENT_NAME: &str = "tidegate.agent.name";

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
        let named = map.get(AGENT_NAME).filter(|name| !name.is_empty());
        let host = map.get("host.name").filter(|name| !name.is_empty());
        let joined = host.zip(named).map(|(host, agent)| format!("{host}/{agent}").into());
        Self { map, joined }
    }

    /// The value of one attribute.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.map.get(key).map(String::as_str)
    }

    /// What people call the agent: the host's name, with its own where a host has several, else the service's instance
    /// id.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        if let Some(joined) = &self.joined {
            return Some(joined);
        }
        ["host.name", "service.instance.id"]
            .iter()
            .find_map(|key| self.get(key).filter(|name| !name.is_empty()))
    }

    /// All of them, in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.map.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidegate_opamp::KeyValue;

    #[test]
    fn given_one_of_several_agents_of_a_host_then_its_name_tells_it_from_the_others() {
        for (pairs, name) in [
            (&[("host.name", "web-1"), ("tidegate.agent.name", "edge")][..], Some("web-1/edge")),
            (&[("host.name", "web-1")], Some("web-1")),
            (&[("tidegate.agent.name", "edge"), ("service.instance.id", "7")], Some("7")),
            (&[], None),
        ] {
            let non_identifying_attributes = pairs.iter().map(|(k, v)| KeyValue::text(*k, *v)).collect();
            let description = AgentDescription { non_identifying_attributes, ..AgentDescription::default() };
            assert_eq!(Attributes::of(&description).name(), name);
        }
    }

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

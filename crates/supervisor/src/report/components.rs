//! What the agent's build can run, as it is told to the server (OpAMP C162–C165).

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};
use tidegate_opamp::{AvailableComponents, ComponentDetails, KeyValue};

use crate::kind::Inventory;

/// The report, whole, with a hash that is the same for the same list. A group says what it belongs to in the names of
/// OpenTelemetry's semantic conventions (OpAMP C164); for what a plugin does there is none, and it is `description`.
#[must_use]
pub fn available_components(service: &str, inventory: &Inventory) -> AvailableComponents {
    let build: Vec<_> = [("service.name", service), ("service.version", &inventory.version)]
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| KeyValue::text(key, value))
        .collect();
    let group = |plugins: &BTreeMap<String, String>| ComponentDetails {
        metadata: build.clone(),
        sub_component_map: plugins
            .iter()
            .map(|(name, description)| (name.clone(), plugin(description)))
            .collect(),
        ..ComponentDetails::default()
    };
    let components =
        inventory.groups.iter().map(|(name, plugins)| ((*name).to_owned(), group(plugins))).collect();
    AvailableComponents { hash: hash(&components).into(), components, ..AvailableComponents::default() }
}

fn plugin(description: &str) -> ComponentDetails {
    let described = (!description.is_empty()).then(|| KeyValue::text("description", description));
    ComponentDetails { metadata: described.into_iter().collect(), ..ComponentDetails::default() }
}

/// SHA-256 over the list in the order of its names, each text with its length, so that nothing can pass from one to
/// the next.
fn hash(components: &BTreeMap<String, ComponentDetails>) -> Vec<u8> {
    fn walk(components: &BTreeMap<String, ComponentDetails>, hash: &mut Sha256) {
        number(components.len(), hash);
        for (name, details) in components {
            text(name, hash);
            number(details.metadata.len(), hash);
            for pair in &details.metadata {
                text(&pair.key, hash);
                text(pair.value.as_ref().and_then(|value| value.as_str()).unwrap_or_default(), hash);
            }
            walk(&details.sub_component_map, hash);
        }
    }
    fn number(number: usize, hash: &mut Sha256) {
        hash.update((number as u64).to_be_bytes());
    }
    fn text(text: &str, hash: &mut Sha256) {
        number(text.len(), hash);
        hash.update(text);
    }
    let mut all = Sha256::new();
    walk(components, &mut all);
    all.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inventory(version: &str, inputs: &[(&str, &str)]) -> Inventory {
        let plugins = inputs.iter().map(|(name, said)| ((*name).to_owned(), (*said).to_owned())).collect();
        Inventory { version: version.to_owned(), groups: BTreeMap::from([("inputs", plugins)]), schema: 0..0 }
    }

    fn pairs(details: &ComponentDetails) -> Vec<String> {
        details.metadata.iter().map(|pair| format!("{}={}", pair.key, pair.value.as_ref().unwrap())).collect()
    }

    /// C162, C164: groups and plugins, with metadata in OpenTelemetry's names where there is one.
    #[test]
    fn given_an_inventory_when_reported_then_plugins_stand_in_their_groups_with_what_is_known_of_them() {
        let report = available_components("fluent-bit", &inventory("5.1.1", &[("tail", "Tails"), ("x", "")]));
        let inputs = &report.components["inputs"];
        assert_eq!(pairs(inputs), ["service.name=fluent-bit", "service.version=5.1.1"]);
        assert_eq!(pairs(&inputs.sub_component_map["tail"]), ["description=Tails"]);
        assert!(inputs.sub_component_map["x"].metadata.is_empty());
        assert_eq!(report.hash.len(), 32);
    }

    /// C163: the hash is the list's, in whatever order the binary printed it, and any difference shows.
    #[test]
    fn given_lists_when_hashed_then_equal_ones_alone_have_the_same_hash() {
        let hash = |inventory: &Inventory| available_components("fluent-bit", inventory).hash;
        let one = hash(&inventory("1", &[("a", "b"), ("c", "d")]));
        assert_eq!(one, hash(&inventory("1", &[("c", "d"), ("a", "b")])));
        let others = [
            inventory("2", &[("a", "b"), ("c", "d")]),
            inventory("1", &[("a", "b")]),
            inventory("1", &[("a", "bc"), ("c", "d")]),
            inventory("1", &[("ab", ""), ("c", "d")]),
        ];
        for other in others {
            assert_ne!(one, hash(&other), "{other:?}");
        }
    }
}

//! What the agent's build can run, as it is told to the server (OpAMP C162–C165).

use std::collections::BTreeMap;

use tidegate_custom::schema::{METADATA, SchemaHash, list_hash};
use tidegate_opamp::{AvailableComponents, ComponentDetails, KeyValue};

use crate::kind::Inventory;

/// The report, whole, with a hash that is the same for the same list. A group says what it belongs to in the names of
/// OpenTelemetry's semantic conventions (OpAMP C164); for what a plugin does there is none, and it is `description`. The
/// hash of the build's schema stands there too, by which a server knows whether it has that.
#[must_use]
pub fn available_components(service: &str, inventory: &Inventory, schema: SchemaHash) -> AvailableComponents {
    let schema = schema.to_string();
    let build: Vec<_> =
        [("service.name", service), ("service.version", &inventory.version), (METADATA, &schema)]
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
    AvailableComponents {
        hash: list_hash(&components).to_vec().into(),
        components,
        ..AvailableComponents::default()
    }
}

fn plugin(description: &str) -> ComponentDetails {
    let described = (!description.is_empty()).then(|| KeyValue::text("description", description));
    ComponentDetails { metadata: described.into_iter().collect(), ..ComponentDetails::default() }
}

#[cfg(test)]
mod tests {
    use tidegate_custom::schema::schema_of;

    use super::*;

    const SCHEMA: SchemaHash = SchemaHash([0xcd; 32]);

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
        let report =
            available_components("fluent-bit", &inventory("5.1.1", &[("tail", "Tails"), ("x", "")]), SCHEMA);
        let inputs = &report.components["inputs"];
        assert_eq!(
            pairs(inputs),
            ["service.name=fluent-bit", "service.version=5.1.1", &format!("tidegate.schema={SCHEMA}")]
        );
        assert_eq!(schema_of(&report.hash, &report.components), Some(SCHEMA));
        assert_eq!(pairs(&inputs.sub_component_map["tail"]), ["description=Tails"]);
        assert!(inputs.sub_component_map["x"].metadata.is_empty());
        assert_eq!(report.hash.len(), 32);
    }

    /// C163: the hash is the list's, in whatever order the binary printed it, and any difference shows.
    #[test]
    fn given_lists_when_hashed_then_equal_ones_alone_have_the_same_hash() {
        let hash = |inventory: &Inventory| available_components("fluent-bit", inventory, SCHEMA).hash;
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
        let same = inventory("1", &[("a", "b"), ("c", "d")]);
        assert_ne!(one, available_components("fluent-bit", &same, SchemaHash([1; 32])).hash);
    }
}

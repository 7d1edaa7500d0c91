//! What an agent's build can run.

use super::KeyValue;
use crate::wire::message;

message! {
    /// The components that the agent's build has.
    pub struct AvailableComponents {
        /// By name; empty until the server asks for the list.
        1 components: map(ComponentDetails),
        /// Identifies the list.
        2 hash: bytes,
    }
}

message! {
    /// One component, or a group of them.
    pub struct ComponentDetails {
        /// Facts about the component.
        1 metadata: repeated(KeyValue),
        /// The components below, by name.
        2 sub_component_map: map(ComponentDetails),
    }
}

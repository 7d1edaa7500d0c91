//! How an agent fares.

use super::KeyValue;
use crate::wire::message;

message! {
    /// The health of an agent or of one of its components, as a tree.
    pub struct ComponentHealth {
        /// True when the component works.
        1 healthy: bool,
        /// When the component started, nanoseconds since 1970; 0 when it does not run.
        2 start_time_unix_nano: fixed64,
        /// What went wrong last, for a person to read.
        3 last_error: string,
        /// The component's own word for its state.
        4 status: string,
        /// When the state was observed, nanoseconds since 1970.
        5 status_time_unix_nano: fixed64,
        /// The components below, by name.
        6 component_health_map: map(ComponentHealth),
        /// Further facts about the component.
        7 attributes: repeated(KeyValue),
    }
}

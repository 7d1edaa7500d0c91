//! Who an agent is.

use super::KeyValue;
use crate::wire::message;

message! {
    /// Attributes in the names of OpenTelemetry's resource conventions.
    pub struct AgentDescription {
        /// What identifies the agent: `service.name`, `service.version`, `service.instance.id`, ….
        1 identifying_attributes: repeated(KeyValue),
        /// What describes where it runs: `os.type`, `host.name`, …, and what users add.
        2 non_identifying_attributes: repeated(KeyValue),
    }
}

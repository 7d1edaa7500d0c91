//! What an agent says.

use super::{
    AgentDescription, AvailableComponents, ComponentHealth, ConnectionSettingsRequest,
    ConnectionSettingsStatus, CustomCapabilities, CustomMessage, EffectiveConfig, PackageStatuses,
    RemoteConfigStatus,
};
use crate::wire::message;

/// Bits of [`AgentToServer::flags`].
pub mod agent_to_server_flags {
    /// The agent's uid is temporary: it asks the server for one (OpAMP S056).
    pub const REQUEST_INSTANCE_UID: u64 = 0x1;
}

message! {
    /// A status report, a heartbeat or a farewell. A field left out has not changed since the last message
    /// in which it stood (OpAMP S068).
    pub struct AgentToServer {
        /// The agent's id: 16 bytes (a UUID) in every message.
        1 instance_uid: bytes,
        /// One more than in the message before; a gap makes the server ask for the full state.
        2 sequence_num: uint64,
        /// Who the agent is and where it runs.
        3 agent_description: option(AgentDescription),
        /// Bits of [`crate::AgentCapabilities`]; 0 in a heartbeat means "not repeated" (ruling A2).
        4 capabilities: uint64,
        /// How the agent and its components fare.
        5 health: option(ComponentHealth),
        /// The config that the agent runs.
        6 effective_config: option(EffectiveConfig),
        /// How far the last offered config has come.
        7 remote_config_status: option(RemoteConfigStatus),
        /// The packages that the agent has or is installing.
        8 package_statuses: option(PackageStatuses),
        /// Present in the last message before the agent leaves.
        9 agent_disconnect: option(AgentDisconnect),
        /// Bits of [`agent_to_server_flags`].
        10 flags: uint64,
        /// Asks the server for credentials.
        11 connection_settings_request: option(ConnectionSettingsRequest),
        /// The custom capabilities that the agent has; replaces the list sent before.
        12 custom_capabilities: option(CustomCapabilities),
        /// A message of a custom capability.
        13 custom_message: option(CustomMessage),
        /// What the agent's build can run: a hash, and the list when the server asks.
        14 available_components: option(AvailableComponents),
        /// How far the last offered connection settings have come.
        15 connection_settings_status: option(ConnectionSettingsStatus),
    }
}

message! {
    /// Says that this is the agent's last message on the connection.
    pub struct AgentDisconnect {}
}

//! What a server says.

use super::{
    AgentRemoteConfig, ConnectionSettingsOffers, CustomCapabilities, CustomMessage, PackagesAvailable,
};
use crate::wire::{message, open_enum};

/// Bits of [`ServerToAgent::flags`].
pub mod server_to_agent_flags {
    /// The server lost track: the agent's next message carries everything (OpAMP S070).
    pub const REPORT_FULL_STATE: u64 = 0x1;
    /// The server knows only the hash of the agent's components and wants the list.
    pub const REPORT_AVAILABLE_COMPONENTS: u64 = 0x2;
}

message! {
    /// An answer to an agent's message, or an offer or a command sent unasked.
    pub struct ServerToAgent {
        /// The uid of the agent that is meant.
        1 instance_uid: bytes,
        /// The agent's message was not processed; no other field but the uid is then set (ruling A4).
        2 error_response: option(ServerErrorResponse),
        /// The config that the agent should run.
        3 remote_config: option(AgentRemoteConfig),
        /// Where and how the agent should connect.
        4 connection_settings: option(ConnectionSettingsOffers),
        /// The packages that the agent should have.
        5 packages_available: option(PackagesAvailable),
        /// Bits of [`server_to_agent_flags`].
        6 flags: uint64,
        /// Bits of [`crate::ServerCapabilities`]; set in the first message to an agent, may be 0 later.
        7 capabilities: uint64,
        /// A new uid for the agent.
        8 agent_identification: option(AgentIdentification),
        /// A command; stands alone with uid and capabilities (OpAMP S158).
        9 command: option(ServerToAgentCommand),
        /// The custom capabilities that the server has; replaces the list sent before.
        10 custom_capabilities: option(CustomCapabilities),
        /// A message of a custom capability.
        11 custom_message: option(CustomMessage),
    }
}

message! {
    /// Why an agent's message was not processed.
    pub struct ServerErrorResponse {
        /// Whether the agent or the server is at fault.
        1 kind: open(ServerErrorResponseType),
        /// For a person to read.
        2 error_message: string,
        /// When to try again, where the server is merely unavailable.
        3 retry_info: option(RetryInfo),
    }
}

open_enum! {
    /// Whose fault an error is.
    pub enum ServerErrorResponseType {
        /// Not said.
        0 Unknown = "unknown",
        /// The message is malformed or not allowed: sending it again will not help.
        1 BadRequest = "bad-request",
        /// The server is overloaded: try later.
        2 Unavailable = "unavailable",
    }
}

message! {
    /// When to try again.
    pub struct RetryInfo {
        /// Nanoseconds to wait before the next attempt.
        1 retry_after_nanoseconds: uint64,
    }
}

message! {
    /// A command to the agent.
    pub struct ServerToAgentCommand {
        /// Which one.
        1 kind: open(CommandType),
    }
}

open_enum! {
    /// The commands that OpAMP defines.
    pub enum CommandType {
        /// Restart the agent.
        0 Restart = "restart",
    }
}

message! {
    /// Tells an agent its new id.
    pub struct AgentIdentification {
        /// 16 bytes, to be used in every message from now on.
        1 new_instance_uid: bytes,
    }
}

//! What can be set: flags over environment over file over defaults, resolved once.

mod duration;
mod file;
mod flags;
mod resolve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

pub use flags::Flags;
pub use resolve::{InvalidSettings, resolve};

/// Everything that a server needs to know.
#[derive(Clone, Debug, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where state is kept.
    pub data_dir: PathBuf,
    /// The agents' plane.
    pub agents: AgentsSettings,
    /// The operators' plane.
    pub operators: OperatorsSettings,
    /// Bounds.
    pub limits: LimitSettings,
}

/// The agents' plane.
#[derive(Clone, Debug, Serialize)]
pub struct AgentsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// The path of the OpAMP endpoint.
    pub path: String,
    /// The interval in which agents are expected to speak.
    #[serde(serialize_with = "duration::write")]
    pub heartbeat_interval: Duration,
    /// Whether agents that show no credential may come from other hosts (decision D7).
    pub allow_unauthenticated_network: bool,
}

/// The operators' plane.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorsSettings {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Whether the token may cross a network unencrypted (decision D7).
    pub allow_plaintext_network: bool,
}

/// Bounds.
#[derive(Clone, Debug, Serialize)]
pub struct LimitSettings {
    /// Largest message to and from an agent, in bytes, decompressed (OpAMP S021, S024).
    pub max_message_bytes: usize,
    /// Most connections of each plane.
    pub max_connections: usize,
    /// Most agents that are kept.
    pub max_agents: usize,
}

//! The settings file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// The file as written: everything may be left out, nothing may be unknown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) agents: Agents,
    pub(super) operators: Operators,
    pub(super) limits: Limits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agents {
    pub(super) listen: Option<SocketAddr>,
    pub(super) path: Option<String>,
    pub(super) heartbeat_interval: Option<String>,
    pub(super) allow_unauthenticated_network: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Operators {
    pub(super) listen: Option<SocketAddr>,
    pub(super) allow_plaintext_network: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) max_message_bytes: Option<usize>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_agents: Option<usize>,
}

//! The settings file.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

/// A field of the file, or what was typed in its place, that cannot be used.
#[derive(Debug)]
pub(super) struct WrongField {
    pub(super) field: &'static str,
    pub(super) message: String,
}

impl WrongField {
    pub(super) const fn new(field: &'static str, message: String) -> Self {
        Self { field, message }
    }
}

/// The file as written: everything may be left out, nothing may be unknown.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) data_dir: Option<PathBuf>,
    pub(super) agents: Agents,
    pub(super) operators: Operators,
    pub(super) limits: Limits,
    pub(super) metrics: Metrics,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Agents {
    pub(super) listen: Option<SocketAddr>,
    pub(super) path: Option<String>,
    pub(super) heartbeat_interval: Option<String>,
    pub(super) advertised_endpoint: Option<String>,
    pub(super) allow_unauthenticated_network: Option<bool>,
    pub(super) allow_plaintext_network: Option<bool>,
    pub(super) tls: Option<Tls>,
    pub(super) tokens_file: Option<PathBuf>,
    pub(super) reload_interval: Option<String>,
    pub(super) handshake_timeout: Option<String>,
    pub(super) message_timeout: Option<String>,
    pub(super) first_message_timeout: Option<String>,
    pub(super) ping_interval: Option<String>,
    pub(super) drain: Option<String>,
    pub(super) max_frame_bytes: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) min_version: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Operators {
    pub(super) listen: Option<SocketAddr>,
    pub(super) allow_plaintext_network: Option<bool>,
    pub(super) names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) max_message_bytes: Option<usize>,
    pub(super) max_connections: Option<usize>,
    pub(super) max_agents: Option<usize>,
    pub(super) max_handshakes: Option<usize>,
    pub(super) max_bytes_in_flight: Option<usize>,
    pub(super) messages_per_second: Option<u32>,
    pub(super) message_burst: Option<u32>,
    pub(super) retry_after: Option<String>,
    pub(super) reads_per_second: Option<u32>,
    pub(super) read_burst: Option<u32>,
    pub(super) writes_per_second: Option<u32>,
    pub(super) write_burst: Option<u32>,
    pub(super) watches_per_second: Option<u32>,
    pub(super) watch_burst: Option<u32>,
    pub(super) max_watches: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Metrics {
    pub(super) history_bytes: Option<u64>,
    pub(super) history_retention: Option<String>,
}

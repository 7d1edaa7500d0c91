//! Bounds: whatever agents send, the server stays within them.

use std::time::Duration;

use serde::Serialize;
use tidegate_opamp::DEFAULT_MAX_MESSAGE_BYTES;

use super::duration;
use super::file::{self, WrongField};

/// The least and the most that agents may be told to wait; OpAMP recommends at least 30 seconds (OpAMP S175).
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60 * 60));

/// Bounds.
#[derive(Clone, Debug, Serialize)]
pub struct LimitSettings {
    /// Largest message to and from an agent, in bytes, decompressed (OpAMP S021, S024).
    pub max_message_bytes: usize,
    /// Most connections of each plane.
    pub max_connections: usize,
    /// Most agents that are kept.
    pub max_agents: usize,
    /// Most TLS handshakes, upgrades and POSTs of agents that are in progress at once.
    pub max_handshakes: usize,
    /// Most bytes of messages that are in work at once, from and to all agents together.
    pub max_bytes_in_flight: usize,
    /// Messages a second that are taken from one agent for long.
    pub messages_per_second: u32,
    /// Messages that one agent may send at once, above that.
    pub message_burst: u32,
    /// The least that a refused agent is told to wait; up to as much again is added by chance (OpAMP S175, S176).
    #[serde(serialize_with = "duration::write")]
    pub retry_after: Duration,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            max_message_bytes: DEFAULT_MAX_MESSAGE_BYTES,
            max_connections: 200_000,
            max_agents: 500_000,
            max_handshakes: 512,
            max_bytes_in_flight: 256 * 1024 * 1024,
            messages_per_second: 20,
            message_burst: 100,
            retry_after: Duration::from_secs(30),
        }
    }
}

impl LimitSettings {
    /// What stands in the file, over the defaults.
    pub(super) fn resolve(file: &file::Limits) -> Result<Self, WrongField> {
        let default = Self::default();
        let limits = Self {
            max_message_bytes: file.max_message_bytes.unwrap_or(default.max_message_bytes),
            max_connections: file.max_connections.unwrap_or(default.max_connections),
            max_agents: file.max_agents.unwrap_or(default.max_agents),
            max_handshakes: file.max_handshakes.unwrap_or(default.max_handshakes),
            max_bytes_in_flight: file.max_bytes_in_flight.unwrap_or(default.max_bytes_in_flight),
            messages_per_second: file.messages_per_second.unwrap_or(default.messages_per_second),
            message_burst: file.message_burst.unwrap_or(default.message_burst),
            retry_after: duration::between(
                "limits.retry_after",
                file.retry_after.as_deref(),
                default.retry_after,
                RETRY_AFTER,
            )?,
        };
        for (field, value, least) in [
            ("limits.max_message_bytes", limits.max_message_bytes, 1024),
            ("limits.max_connections", limits.max_connections, 1),
            ("limits.max_agents", limits.max_agents, 1),
            ("limits.max_handshakes", limits.max_handshakes, 1),
            // One message and the answer to it must find room.
            (
                "limits.max_bytes_in_flight",
                limits.max_bytes_in_flight,
                limits.max_message_bytes.saturating_mul(2),
            ),
            ("limits.messages_per_second", limits.messages_per_second as usize, 1),
            ("limits.message_burst", limits.message_burst as usize, 1),
        ] {
            if value < least {
                return Err(WrongField::new(field, format!("{value} is less than {least}")));
            }
        }
        Ok(limits)
    }
}

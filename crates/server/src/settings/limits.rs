//! Bounds: whatever agents send, the server stays within them.

use std::time::Duration;

use serde::Serialize;
use tidegate_opamp::DEFAULT_MAX_MESSAGE_BYTES;

use super::duration;
use super::file::{self, WrongField};

/// The least and the most that agents may be told to wait; OpAMP recommends at least 30 seconds (OpAMP S175).
const RETRY_AFTER: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60 * 60));

/// Most calls a second, or at once, that a holder of a token may be allowed.
const MOST_CALLS: u32 = 1_000_000;

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
    /// Calls of the REST API that only look which one credential may make a second for long.
    pub reads_per_second: u32,
    /// The same at once, above that.
    pub read_burst: u32,
    /// Calls that change something, or would, which one credential may make a second for long.
    pub writes_per_second: u32,
    /// The same at once, above that.
    pub write_burst: u32,
    /// Streams of changes that one credential may open a second for long.
    pub watches_per_second: u32,
    /// The same at once, above that.
    pub watch_burst: u32,
    /// Streams of changes that one credential may have open.
    pub max_watches: usize,
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
            reads_per_second: 500,
            read_burst: 5000,
            writes_per_second: 200,
            write_burst: 2000,
            watches_per_second: 10,
            watch_burst: 200,
            max_watches: 256,
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
            reads_per_second: file.reads_per_second.unwrap_or(default.reads_per_second),
            read_burst: file.read_burst.unwrap_or(default.read_burst),
            writes_per_second: file.writes_per_second.unwrap_or(default.writes_per_second),
            write_burst: file.write_burst.unwrap_or(default.write_burst),
            watches_per_second: file.watches_per_second.unwrap_or(default.watches_per_second),
            watch_burst: file.watch_burst.unwrap_or(default.watch_burst),
            max_watches: file.max_watches.unwrap_or(default.max_watches),
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
            ("limits.max_watches", limits.max_watches, 1),
        ] {
            if value < least {
                return Err(WrongField::new(field, format!("{value} is less than {least}")));
            }
        }
        for (field, value) in [
            ("limits.reads_per_second", limits.reads_per_second),
            ("limits.read_burst", limits.read_burst),
            ("limits.writes_per_second", limits.writes_per_second),
            ("limits.write_burst", limits.write_burst),
            ("limits.watches_per_second", limits.watches_per_second),
            ("limits.watch_burst", limits.watch_burst),
        ] {
            if !(1..=MOST_CALLS).contains(&value) {
                return Err(WrongField::new(
                    field,
                    format!("{value} does not lie between 1 and {MOST_CALLS}"),
                ));
            }
        }
        Ok(limits)
    }
}

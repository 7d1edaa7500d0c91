//! The whole system, as stories: server, supervisors, agents and command line together. Each story is told on the
//! fake Fluent Bit and, where there is one, on a real binary.

#![expect(clippy::unwrap_used, reason = "a test: a failed step of its own fails it")]

#[path = "system/backups.rs"]
mod backups;
#[path = "system/check.rs"]
mod check;
#[path = "system/cli.rs"]
mod cli;
#[path = "system/commands.rs"]
mod commands;
#[path = "system/components.rs"]
mod components;
#[path = "system/configs.rs"]
mod configs;
#[path = "system/confirm.rs"]
mod confirm;
#[path = "system/crashes.rs"]
mod crashes;
#[path = "system/disk.rs"]
mod disk;
#[path = "system/drift.rs"]
mod drift;
#[path = "system/handlers.rs"]
mod handlers;
#[path = "system/hard_cases.rs"]
mod hard_cases;
#[path = "system/inspect.rs"]
mod inspect;
#[path = "system/kills.rs"]
mod kills;
#[path = "system/limits.rs"]
mod limits;
#[path = "system/mcp.rs"]
mod mcp;
#[path = "system/metrics.rs"]
mod metrics;
#[path = "system/moves.rs"]
mod moves;
#[path = "system/own.rs"]
mod own;
#[path = "../../supervisor/tests/protocol/peer.rs"]
#[allow(
    dead_code,
    clippy::expect_used,
    clippy::panic,
    reason = "the peer of the supervisor's own tests, of which these stories need a part"
)]
mod peer;
#[path = "system/polling.rs"]
mod polling;
#[path = "system/recorded.rs"]
mod recorded;
#[path = "system/recorder.rs"]
mod recorder;
#[path = "system/refusals.rs"]
mod refusals;
#[path = "system/repush.rs"]
mod repush;
#[path = "system/schemas.rs"]
mod schemas;
#[path = "system/secrets.rs"]
mod secrets;
#[path = "system/server.rs"]
mod server;
#[path = "system/several.rs"]
mod several;
#[path = "system/soak.rs"]
mod soak;
#[path = "system/starts.rs"]
mod starts;
#[path = "system/steps.rs"]
mod steps;
#[path = "system/swarm.rs"]
mod swarm;
#[path = "system/unit.rs"]
mod unit;

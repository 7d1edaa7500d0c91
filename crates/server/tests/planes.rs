//! The server's two planes as black boxes: each test starts a server of its own, speaks to it as agents and operators
//! do, and looks at nothing but what comes back.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test's helpers may fail loudly, and the lints only know functions marked as tests"
)]

#[path = "planes/admission.rs"]
mod admission;
#[path = "planes/agent_config.rs"]
mod agent_config;
#[path = "planes/answers.rs"]
mod answers;
#[path = "planes/attention.rs"]
mod attention;
#[path = "planes/bad_input.rs"]
mod bad_input;
#[path = "planes/budget.rs"]
mod budget;
#[path = "planes/bulk.rs"]
mod bulk;
#[path = "planes/commands.rs"]
mod commands;
#[path = "planes/completions.rs"]
mod completions;
#[path = "planes/components.rs"]
mod components;
#[path = "planes/conditions.rs"]
mod conditions;
#[path = "planes/console.rs"]
mod console;
#[path = "planes/deadlines.rs"]
mod deadlines;
#[path = "planes/declined.rs"]
mod declined;
#[path = "planes/defaults.rs"]
mod defaults;
#[path = "planes/drain.rs"]
mod drain;
#[path = "planes/dry_runs.rs"]
mod dry_runs;
#[path = "planes/durability.rs"]
mod durability;
#[path = "planes/health.rs"]
mod health;
#[path = "planes/hostile_reports.rs"]
mod hostile_reports;
#[path = "planes/http.rs"]
mod http;
#[path = "planes/idempotency.rs"]
mod idempotency;
#[path = "planes/identity.rs"]
mod identity;
#[path = "planes/inspect.rs"]
mod inspect;
#[path = "planes/lifecycle.rs"]
mod lifecycle;
#[path = "planes/limits.rs"]
mod limits;
#[path = "planes/lists.rs"]
mod lists;
#[path = "planes/mcp.rs"]
mod mcp;
#[path = "planes/mcp_acts.rs"]
mod mcp_acts;
#[path = "planes/memory.rs"]
mod memory;
#[path = "planes/metrics.rs"]
mod metrics;
#[path = "planes/model.rs"]
mod model;
#[path = "planes/names.rs"]
mod names;
#[path = "planes/noise.rs"]
mod noise;
#[path = "planes/openapi.rs"]
mod openapi;
#[path = "planes/own_state.rs"]
mod own_state;
#[path = "planes/pages.rs"]
mod pages;
#[path = "planes/plain_http.rs"]
mod plain_http;
#[path = "planes/plans.rs"]
mod plans;
#[path = "planes/pushes.rs"]
mod pushes;
#[path = "planes/remote_config.rs"]
mod remote_config;
#[path = "planes/report.rs"]
mod report;
#[path = "planes/repush.rs"]
mod repush;
#[path = "planes/rest.rs"]
mod rest;
#[path = "planes/schemas.rs"]
mod schemas;
#[path = "planes/sequence.rs"]
mod sequence;
#[path = "planes/settings.rs"]
mod settings;
#[path = "planes/settings_rest.rs"]
mod settings_rest;
#[path = "planes/socket.rs"]
mod socket;
#[path = "planes/status.rs"]
mod status;
#[path = "planes/throttle.rs"]
mod throttle;
#[path = "planes/tls.rs"]
mod tls;
#[path = "planes/tokens.rs"]
mod tokens;
#[path = "planes/watch.rs"]
mod watch;
#[path = "planes/websocket.rs"]
mod websocket;
#[path = "planes/world.rs"]
mod world;

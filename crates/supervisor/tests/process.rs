//! The process side on a real Fluent Bit: the one that `FLUENT_BIT_BIN` names, or the one on PATH. Without one each
//! test says `skipped: no fluent-bit`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test's helpers may fail loudly, and the lints only know functions marked as tests"
)]

#[path = "process/world.rs"]
mod world;

#[path = "process/again.rs"]
mod again;
#[path = "process/apply.rs"]
mod apply;
#[path = "process/components.rs"]
mod components;
#[path = "process/confirm.rs"]
mod confirm;
#[path = "process/digests.rs"]
mod digests;
#[path = "process/disk.rs"]
mod disk;
#[path = "process/early.rs"]
mod early;
#[path = "process/faults.rs"]
mod faults;
#[path = "process/host.rs"]
mod host;
#[path = "process/left.rs"]
mod left;
#[path = "process/limits.rs"]
mod limits;
#[path = "process/otlp.rs"]
mod otlp;
#[path = "process/own.rs"]
mod own;
#[path = "process/restarts.rs"]
mod restarts;
#[path = "process/start.rs"]
mod start;

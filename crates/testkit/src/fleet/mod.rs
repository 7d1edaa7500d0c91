//! A fleet on this machine for whole-system tests: a server, supervisors and agents, each with a folder of its own
//! and ports that nobody else uses.
//!
//! The server runs in the test's own process ([`Server`]) or as the shipped program ([`ServerProcess`]); supervisors
//! and the command line are always the shipped programs. What a test starts ends with it, and a test that fails
//! prints the logs and keeps its folder.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a harness: a step that fails ends the test with the reason, and a failed test prints its logs"
)]

mod cli;
mod configs;
mod looks;
mod patience;
mod ports;
mod process;
mod programs;
mod relay;
mod scene;
mod server;
mod server_process;
mod several;
mod supervisor;

pub use cli::{Output, tidegate};
pub use configs::{bad_regex, classic, unknown_property, yaml};
pub use looks::{ended, get, healthy, push_settled, the_agent};
pub use patience::{SOON, eventually};
pub use ports::free_port;
pub use process::{Process, alive};
pub use programs::{Agent, program};
pub use relay::Relay;
pub use scene::{Scene, Stage, on_each, skipped};
pub use server::{Server, settings};
pub use server_process::ServerProcess;
pub use several::Several;
pub use supervisor::{Supervisor, Wish};

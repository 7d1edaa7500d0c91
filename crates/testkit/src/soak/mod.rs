//! A soak: random good and bad configs to one agent, while agents, supervisors, servers and connections are killed, and
//! a verdict over all of it at the end. `scripts/soak.sh` runs it for long, a test for a few steps.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a harness: it tells what it does, and a step of its own that fails ends it"
)]

mod config;
mod disturb;
mod host;
mod memory;
mod start;
mod step;
mod story;
mod summary;

use std::time::Duration;

pub use config::{Made, Surroundings, Verdict, make};
pub use disturb::Disturbance;
pub use host::Weight;
pub use memory::Flatness;
pub use start::main;
pub use step::Step;
pub use story::soak;
pub use summary::Summary;

/// How long a soak lasts and what it may do.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What the run repeats.
    pub seed: u64,
    /// At least so many configs.
    pub configs: u32,
    /// At least so long.
    pub time: Duration,
    /// Whether outputs may hang, which takes the deadline of a reload each time.
    pub hangs: bool,
    /// How long a config must hold, in the words of the supervisor's settings.
    pub probation: &'static str,
    /// Whether each step is told.
    pub is_told: bool,
}

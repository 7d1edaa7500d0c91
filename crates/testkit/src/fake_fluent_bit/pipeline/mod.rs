//! What flows: inputs make records, filters judge them, outputs take chunks.
//!
//! Only a little really acts: `dummy` and `http` inputs, `grep`, and the outputs of `sink`. The
//! other plugins hold their place in the metrics.

mod chunk;
mod filter;
mod input;
mod output;
mod record;
mod sink;
mod state;
mod worker;

pub use filter::Rule;
pub use input::Source;
pub use output::Output;
pub use record::{Record, packed_len};
pub use sink::Sink;
pub use state::{Pipeline, Stats};
pub use worker::Worker;

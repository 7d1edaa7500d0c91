//! HTTP as Fluent Bit 5.x speaks it (fluent-bit.md, section 1).

mod door;
mod endpoints;
mod families;
mod gate;
mod metrics;
mod prometheus;
mod request;
mod serve;

pub use door::{DOOR_IDLE, Door};
pub use endpoints::{Act, Answer, answer};
pub use gate::Gate;
pub use request::{Next, Request, next_request, send};

use super::control::ControlFile;
use super::snapshot::Snapshot;

/// What the monitoring server needs to know and may do.
pub trait Backend: Send + Sync {
    /// The state to answer from.
    fn snapshot(&self) -> Snapshot;
    /// Sends SIGHUP to the process itself.
    fn reload(&self);
    /// How to misbehave.
    fn control(&self) -> &ControlFile;
}

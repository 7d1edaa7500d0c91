//! What the supervisor keeps on disk, in one folder that no other supervisor may use at the same time.
//!
//! ```text
//! STATE_DIR/lock          held while the supervisor runs
//!           connection-settings.json  offered ways to the server (`client::Keeper`)
//!           journal.json  offered, proven and refused configs; the last status
//!           components.json  what the agent's binary can run, once it was asked
//!           own-telemetry.json  where the agent's own telemetry goes
//!           child.json    which process runs, with which port
//!           redaction-key  for marks in the place of secrets of the host's own config
//!           agent.log     what the agent writes to stdout and stderr
//!           run/          the file that the agent is started with; its working directory
//!           configs/ID/   an offered config: files/ as offered, rendered/ includes with forced keys
//! ```

mod folder;
mod inventory;
mod journal;
mod lock;
mod own;
mod place;
mod redaction;

pub use folder::{ChildRecord, StateDir, StateError};
pub use inventory::{Asked, BinaryStamp, Known};
pub use journal::{Entry, Journal, Refused, StatusRecord, Unconfirmed};

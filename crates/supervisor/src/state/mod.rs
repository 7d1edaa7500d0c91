//! What the supervisor keeps on disk, in one folder that no other supervisor may use at the same time.
//!
//! ```text
//! STATE_DIR/lock          held while the supervisor runs
//!           connection-settings.json  offered ways to the server (`client::Keeper`)
//!           journal.json  offered, proven and refused configs; the last status
//!           components.json  what the agent's binary can run, once it was asked
//!           own-telemetry.json  where the agent's own telemetry goes
//!           own-telemetry-offer.bin  the last offer of that, until it is answered (`dispatch`)
//!           instance-uid  the agent's uid (`identity`)
//!           executed.jsonl  custom messages that were carried out (`dispatch`)
//!           child.json    which process runs, with which port
//!           redaction-key  for marks in the place of secrets of the host's own config
//!           agent.log     what the agent writes to stdout and stderr
//!           run/          the file that the agent is started with, and what it includes
//!           configs/ID/   an offered config: files/ as offered, rendered/ includes with forced keys
//! ```

mod error;
mod folder;
mod inventory;
mod journal;
mod lock;
mod ours;
mod own;
mod place;
mod redaction;

pub use error::StateError;
pub use folder::{ChildRecord, StateDir};
pub use inventory::{Asked, BinaryStamp, Known};
pub use journal::{Entry, Journal, Refused, StatusRecord, Unconfirmed};
pub use ours::Standing;

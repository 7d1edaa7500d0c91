//! A supervised process: started in its own process group with its output in a file, watched by pidfd, adopted by
//! the next supervisor when this one goes (decision D11).

mod adopt;
mod cgroup;
mod exit;
mod feed;
mod find;
mod group;
mod identity;
mod log;
mod process;
mod run;
mod socket;

pub use adopt::{Adoption, adopt};
pub use cgroup::Groups;
pub use exit::Exit;
pub use feed::{Fed, feed};
pub use find::find;
pub use identity::{Identity, Stat, stat};
pub use log::{Lines, LogTail};
pub use process::{Child, CommandLine, SpawnError, is_withheld};
pub use run::{Finished, RunError, run_to_end};
pub use socket::{PortOwner, free_port, is_free, port_owner};

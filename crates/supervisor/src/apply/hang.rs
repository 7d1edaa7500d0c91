//! A reload that never ends because an output of the former config cannot deliver (hard-cases.md, 5). Nothing is
//! collected meanwhile, and the process is deaf to SIGTERM: it is killed at the deadline.

use std::time::Instant;

use super::{
    failure::{After, Failure, Proof},
    prove,
};
use crate::machine::{Loaded, Machine};

/// What runs after a reload that hangs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnHang {
    /// The new config, in a new process: it has passed the agent's own check, the former one is what hangs, and the new
    /// one may well be its cure. It has to pass all the proofs, as ever.
    #[default]
    New,
    /// The former config; the offer has failed.
    Old,
}

impl OnHang {
    /// Each with its word in settings.
    pub const WORDS: [(Self, &'static str); 2] = [(Self::New, "new"), (Self::Old, "old")];
}

/// Kills the process that hangs since `begun` and starts one on the new config.
pub(super) async fn cut(machine: &mut Machine, next: &Loaded, begun: Instant) -> Result<(), Failure> {
    let waited = begun.elapsed().as_secs();
    machine.kill().await.map_err(|fault| Failure {
        proof: Proof::Reload,
        what: fault.to_string(),
        after: After::Hung,
    })?;
    let started = prove::start_anew(machine, next).await;
    let stood = begun.elapsed().as_secs();
    let told = format!(
        "the reload hung for {waited} s on an output that could not deliver, and its process was killed: what it held in \
         memory is lost; collection stood still for {stood} s"
    );
    tracing::warn!("{told}");
    match started {
        Ok(()) => {
            machine.set_remark(told);
            Ok(())
        }
        Err(failure) => Err(Failure { what: format!("{told}; then {}", failure.what), ..failure }),
    }
}

//! The way back to the last good config: the file first, then the process (hard-cases.md, 2, 4 and 5).

use super::{
    failure::{After, Failure},
    hang::OnHang,
    prove,
};
use crate::{
    machine::{Loaded, Machine},
    state::StateError,
};

/// Restores the config that counts, in the run folder and in the process. A start that fails is left to the
/// supervision, which tries again for ever.
///
/// # Errors
/// When the files could not be put back. A process that runs is left alone then, for it could not be started again.
pub(super) async fn roll_back(machine: &mut Machine, after: After) -> Result<(), StateError> {
    let good = machine.loaded.clone();
    let installed = if after == After::Untouched { Ok(()) } else { machine.install(&good.rendered) };
    if let Err(error) = &installed {
        tracing::error!(%error, "the last good config could not be put back");
    }
    match after {
        After::Untouched | After::Halted => {}
        After::Gone => {
            machine.running = None;
            restart(machine, &good).await;
        }
        After::Hung => {
            // It is deaf to SIGTERM in this state, and collects nothing: there is nothing to lose.
            kill_and_restart(machine, &good).await;
        }
        After::Running if installed.is_err() => {}
        After::Running => {
            if let Err(failure) = reload_back(machine, &good).await {
                tracing::warn!(reason = failure.what, "the way back needs a new process");
                kill_and_restart(machine, &good).await;
            }
        }
    }
    machine.report_config();
    machine.publish_health();
    installed
}

async fn reload_back(machine: &mut Machine, good: &Loaded) -> Result<(), Failure> {
    prove::bring_up(machine, good, OnHang::New).await
}

/// One that cannot be killed is kept as it is: the supervision starts another when it is gone.
pub(super) async fn kill_and_restart(machine: &mut Machine, good: &Loaded) {
    if machine.kill().await.is_ok() {
        restart(machine, good).await;
    }
}

pub(super) async fn restart(machine: &mut Machine, good: &Loaded) {
    if let Err(fault) = machine.start_on(good).await {
        tracing::error!(%fault, "the agent could not be started on its last good config");
        machine.could_not_start(&fault);
    }
}

//! The way back to the last good config: the file first, then the process (hard-cases.md, 2, 4 and 5).

use super::{
    failure::{After, Failure},
    prove,
};
use crate::machine::{Loaded, Machine};

/// Restores the config that counts, in the run folder and in the process. A start that fails is left to the
/// supervision, which tries again for ever.
pub(super) async fn roll_back(machine: &mut Machine, after: After) {
    let good = machine.loaded.clone();
    if after != After::Untouched
        && let Err(error) = machine.install(&good.rendered)
    {
        tracing::error!(%error, "the last good config could not be put back");
    }
    match after {
        After::Untouched | After::Halted => {}
        After::Gone => restart(machine, &good),
        After::Hung => {
            // It is deaf to SIGTERM in this state.
            machine.kill().await;
            restart(machine, &good);
        }
        After::Running => {
            if let Err(failure) = reload_back(machine, &good).await {
                tracing::warn!(reason = failure.what, "the way back needs a new process");
                machine.kill().await;
                restart(machine, &good);
            }
        }
    }
    machine.report_config();
    machine.publish_health();
}

async fn reload_back(machine: &mut Machine, good: &Loaded) -> Result<(), Failure> {
    prove::bring_up(machine, good).await
}

fn restart(machine: &mut Machine, good: &Loaded) {
    machine.running = None;
    if let Err(fault) = machine.start_on(good) {
        tracing::error!(%fault, "the agent could not be started on its last good config");
        machine.could_not_start(&fault);
    }
}

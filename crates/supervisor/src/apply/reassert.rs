//! A run folder that somebody else has written to: what runs is told as it is, and the config that counts is put back
//! (hard-cases.md, "More").

use super::{hang::OnHang, prove, rollback};
use crate::{kind::ComponentState, machine::Machine};

/// How the config is told of after it was put back.
const PUT_BACK: &str = "the file that the agent loads was changed by somebody on this host; it was put back";

/// Puts the config that counts back in place, and into the process if that has loaded what was there.
pub async fn reassert(machine: &mut Machine) {
    let has_loaded = machine.running.as_ref().is_some_and(|running| running.reloaded_unasked);
    tracing::warn!(has_loaded, "{PUT_BACK}");
    if has_loaded {
        // Until the way back is gone, this is what runs.
        machine.config_state =
            ComponentState::failing("edited", "the agent runs what somebody put there by hand");
        machine.report_edited();
        machine.publish_health();
    }
    let good = machine.loaded.clone();
    match machine.install(&good.rendered) {
        Err(error) => {
            tracing::error!(%error, "it could not be put back");
            machine.config_state = ComponentState::failing("edited", error.to_string());
            return machine.publish_health();
        }
        Ok(()) if !has_loaded => {}
        Ok(()) => {
            if let Err(failure) = prove::bring_up(machine, &good, OnHang::New).await {
                tracing::warn!(reason = failure.what, "the way back needs a new process");
                rollback::kill_and_restart(machine, &good).await;
            }
        }
    }
    machine.config_state = ComponentState::working("running", PUT_BACK);
    machine.report_config();
    machine.publish_health();
}

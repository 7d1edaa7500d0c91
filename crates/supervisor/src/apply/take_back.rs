//! The way back from a config that is proven and after which the server was not heard.

use super::{hang::OnHang, prove, rollback};
use crate::{
    machine::{Loaded, Machine},
    state::{Entry, Journal, StateError},
};

/// Makes what ran before an unconfirmed config the one that counts and runs; gives the config that was taken back,
/// `None` where there was none. Written down first, so that a supervisor that ends in the midst of it is followed by
/// one that starts what ran before.
///
/// # Errors
/// When that could not be written down; nothing has changed then.
pub async fn take_back(
    machine: &mut Machine,
    journal: &mut Journal,
    former: Loaded,
    on_hang: OnHang,
) -> Result<Option<Entry>, StateError> {
    let mut back = journal.clone();
    let Some(config) = back.take_back() else { return Ok(None) };
    machine.state.save_journal(&back)?;
    *journal = back;
    if let Err(failure) = prove::bring_up(machine, &former, on_hang).await {
        tracing::warn!(reason = failure.what, "the way back needs a new process");
        rollback::kill_and_restart(machine, &former).await;
    }
    machine.release(&former.rendered);
    machine.adopt_config(former);
    Ok(Some(config))
}

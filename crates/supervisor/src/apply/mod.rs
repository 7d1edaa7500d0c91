//! The safe apply (decision D6): stage → check → swap → prove → keep or roll back. An offer is reported as applied
//! only when each proof has held; whatever goes wrong, the last good config is back in place before it is reported.

mod dry_run;
mod failure;
mod hang;
mod offer;
mod own;
#[cfg(test)]
mod power_cuts;
mod probation;
mod prove;
mod reassert;
mod rollback;
mod store;
mod take_back;

use std::time::Duration;

use tidegate_opamp::{AgentRemoteConfig, config_hash};

use crate::{
    hex::hex,
    kind::{RenderError, Source},
    machine::{CheckError, Loaded, Machine, Origin},
    report::{Phase, ShownFile},
    state::{Entry, Journal, StateError},
    text,
};

pub use dry_run::dry_run;
pub use failure::{After, Failure, Proof};
pub use hang::OnHang;
pub use offer::{OfferError, OfferedFile, OfferedFiles};
pub use own::{own_telemetry, renew_own_telemetry};
pub use reassert::reassert;
pub use store::{load, shown, store};
pub use take_back::take_back;

/// How offers are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// How long a new config must hold before it counts as applied.
    pub probation: Duration,
    /// What runs after a reload that hangs.
    pub on_hang: OnHang,
    /// Whether what ran before is kept until the server was heard.
    pub confirm: bool,
}

/// Whether an offer says what runs already, and that still holds; under the offer's hash from now on.
pub async fn stands(machine: &mut Machine, journal: &mut Journal, offer: &AgentRemoteConfig) -> bool {
    let entry = entry_of(offer);
    // A newer offer stands in place of one that was interrupted.
    let is_new = journal.candidate.as_ref().is_none_or(|candidate| candidate.content != entry.content);
    if !is_new || !runs_already(machine, journal, &entry) || !is_proven(machine).await {
        return false;
    }
    journal.drop_candidate();
    journal.current = Some(entry);
    true
}

fn entry_of(offer: &AgentRemoteConfig) -> Entry {
    let content = config_hash(&offer.config.clone().unwrap_or_default()).to_string();
    Entry { hash: hex(&offer.config_hash), content }
}

/// Applies one offer. `None`: it runs and is proven. Otherwise what to report as the failure.
///
/// May be dropped at any point: the journal then names the candidate, which is applied anew at the next start.
pub async fn apply(
    machine: &mut Machine,
    journal: &mut Journal,
    offer: &AgentRemoteConfig,
    policy: Policy,
) -> Option<String> {
    let map = offer.config.clone().unwrap_or_default();
    let entry = entry_of(offer);
    if journal.candidate.as_ref().is_some_and(|candidate| candidate.content != entry.content) {
        // A newer offer stands in place of the one that was interrupted.
        journal.drop_candidate();
    }
    if let Some(error) = journal.refusal(&entry.hash, &entry.content) {
        return Some(error.to_owned());
    }
    let failure = match attempt(machine, journal, &map, &entry, policy).await {
        Ok(()) => return None,
        Err(failure) => failure,
    };
    machine.take_remark();
    // It is kept, and may quote the config.
    let mut report = machine.secrets().clean(&failure.report(machine)).into_owned();
    let what = machine.publisher.clean(&failure.what);
    tracing::warn!(config = %entry.hash, proof = failure.proof.name(), "an offered config failed: {what}");
    if let Err(error) = rollback::roll_back(machine, failure.after).await {
        report =
            format!("{}\nthe last good config could not be put back: {error}", text::head(&report, 3500));
    }
    journal.drop_candidate();
    // A disk that is full or a binary that is gone says nothing about the config: it may be offered again.
    if failure.blames_config() {
        journal.refuse(&entry, &report);
    }
    keep_configs(machine, journal);
    if let Err(error) = machine.state.save_journal(journal) {
        tracing::warn!(%error, "the outcome of an offer could not be written down");
    }
    Some(report)
}

/// Proves the config that counts anew, without touching the process: what held at its apply need not hold any more.
async fn is_proven(machine: &mut Machine) -> bool {
    if machine.silence().is_some() {
        return false;
    }
    machine.mark_log();
    let (loaded, before) = (machine.loaded.clone(), machine.components().clone());
    let proven = match prove::content(machine, &loaded).await {
        Ok(()) => prove::hold(machine, &before, Duration::ZERO).await,
        different => different,
    };
    if let Err(failure) = &proven {
        let what = machine.publisher.clean(&failure.what);
        tracing::info!(
            proof = failure.proof.name(),
            "the same config is offered again, and applied again: {what}"
        );
    }
    proven.is_ok()
}

/// True when the agent runs exactly this content already, as far as is known.
fn runs_already(machine: &Machine, journal: &Journal, entry: &Entry) -> bool {
    let loaded = match &machine.loaded.origin {
        Origin::Offered(loaded) => loaded.content == entry.content,
        Origin::Local => false,
    };
    loaded
        && machine.running.is_some()
        && machine.phase == Phase::Running
        && journal.current.as_ref().is_some_and(|current| current.content == entry.content)
}

async fn attempt(
    machine: &mut Machine,
    journal: &mut Journal,
    map: &tidegate_opamp::AgentConfigMap,
    entry: &Entry,
    policy: Policy,
) -> Result<(), Failure> {
    let offered = offer::read(map, &*machine.fixed.kind)
        .map_err(|error| Failure::untouched(Proof::Offer, error.to_string()))?;
    let disk = |error: StateError| Failure::untouched(Proof::Disk, error.to_string());
    let (source, files) = store(&machine.state, &entry.content, &offered).map_err(disk)?;
    let texts = || files.iter().filter_map(|file| std::str::from_utf8(&file.body).ok());
    machine.keep_secret(texts());
    if machine.fixed.redaction.is_some() {
        machine.publisher.learn(texts());
    }
    // Written down before the config's includes are read: whatever happens there, the next supervisor knows of it.
    journal.begin(entry);
    machine.state.save_journal(journal).map_err(disk)?;

    let next = prepare(machine, entry, source, files).await?;
    machine.learn_secrets(&next);
    check(machine, &next).await?;
    let before = machine.components().clone();
    prove::bring_up(machine, &next, policy.on_hang).await?;
    prove::content(machine, &next).await?;
    // From here on the new config runs: it is the one to report, and to judge the components by.
    let former = std::mem::replace(&mut machine.loaded, next.clone());
    let proven = prove::hold(machine, &before, policy.probation).await;
    let written = proven.and_then(|()| commit(machine, journal, entry, policy.confirm));
    if let Err(failure) = written {
        machine.loaded = former;
        return Err(failure);
    }
    machine.release(&next.rendered);
    machine.adopt_config(next);
    keep_configs(machine, journal);
    Ok(())
}

/// Renders an offer whose files are stored.
async fn prepare(
    machine: &Machine,
    entry: &Entry,
    source: Source,
    files: Vec<ShownFile>,
) -> Result<Loaded, Failure> {
    let origin = Origin::Offered(entry.clone());
    Loaded::prepare(&machine.fixed, &machine.state, origin, source, files, machine.ports())
        .await
        .map(|loaded| machine.carry(loaded))
        .map_err(|error| Failure::untouched(render_proof(&error), error.to_string()))
}

/// Lets the agent's own check have its say.
async fn check(machine: &Machine, next: &Loaded) -> Result<(), Failure> {
    machine.check(&next.rendered).await.map_err(|error| match error {
        CheckError::Refused(said) => Failure::untouched(Proof::DryRun, said),
        other => Failure::untouched(Proof::Disk, other.to_string()),
    })
}

/// Writes down that an offer is proven. Only when that is done it counts: a config that the next supervisor would not
/// know of must not be kept.
fn commit(machine: &Machine, journal: &mut Journal, entry: &Entry, confirm: bool) -> Result<(), Failure> {
    let mut committed = journal.clone();
    committed.commit(entry.clone(), confirm);
    machine.state.save_journal(&committed).map_err(|error| Failure {
        proof: Proof::Disk,
        what: error.to_string(),
        after: After::Running,
    })?;
    *journal = committed;
    Ok(())
}

/// Removes the files of offers that will not run again: refused ones must not fill the disk, nor leave credentials of own
/// telemetry behind.
pub fn keep_configs(machine: &Machine, journal: &Journal) {
    let mut keep = journal.contents();
    keep.extend([machine.loaded.content(), crate::machine::LOCAL]);
    machine.state.keep_configs(&keep);
    machine.sweep_own();
}

fn render_proof(error: &RenderError) -> Proof {
    match error {
        RenderError::Broken(_) | RenderError::Edit(_) => Proof::Readable,
        RenderError::Empty(_) => Proof::Pipeline,
        RenderError::Limits(_) => Proof::Limits,
        RenderError::NoPort => Proof::Port,
        // It says nothing of the config: the file system may answer tomorrow.
        RenderError::Unreachable(_) => Proof::Disk,
    }
}

//! Own telemetry is put into the agent's config by the same safe way as an offered config: check, swap, prove, keep or
//! roll back. What carries it on its way is no part of the config (decision D6).

use bytes::Bytes;
use tidegate_opamp::ConnectionSettingsStatuses;

use super::{Failure, Policy, Proof, check, failure::After, prove, rollback::roll_back};
use crate::{
    agent::OwnOffer,
    machine::{Loaded, Machine},
    own::Kept,
};

/// Sends own telemetry as offered; what became of it is told in the report.
pub async fn own_telemetry(machine: &mut Machine, offer: &OwnOffer, policy: Policy) {
    // Where the host does not allow it (any more), nothing says that it could be offered.
    if machine.fixed.own_telemetry.is_none() || machine.own.kept.has_answered(&offer.hash) {
        return;
    }
    machine.say_own(&offer.hash, ConnectionSettingsStatuses::Applying, "");
    match attempt(machine, offer, policy).await {
        Ok(()) => machine.say_own(&offer.hash, ConnectionSettingsStatuses::Applied, ""),
        Err(why) => machine.say_own(&offer.hash, ConnectionSettingsStatuses::Failed, &why),
    }
    machine.sweep_own();
    // It is told with what it concerns.
    machine.take_remark();
}

/// Puts what is kept into the config anew, for the agent has another version or uid.
pub async fn renew_own_telemetry(machine: &mut Machine, policy: Policy) {
    machine.own.stale = false;
    let next = machine.carry(machine.loaded.clone());
    if next == machine.loaded {
        return;
    }
    if let Err(failure) = bring_in(machine, &next, policy, |_| Ok(())).await {
        let reason = undo(machine, failure).await;
        tracing::warn!(reason, "own telemetry still tells the former version or uid of the agent");
    }
    machine.sweep_own();
    machine.take_remark();
}

async fn attempt(machine: &mut Machine, offer: &OwnOffer, policy: Policy) -> Result<(), String> {
    let next = machine.own.kept.with(offer);
    let wanted = next.wanted(machine.fixed.own_telemetry.unwrap_or_default())?;
    let signals = machine.own_signals();
    let unable = [
        ("metrics", wanted.metrics.is_some() && !signals.metrics),
        ("logs", wanted.logs.is_some() && !signals.logs),
    ];
    if let Some((signal, _)) = unable.into_iter().find(|(_, unable)| *unable) {
        return Err(format!(
            "this agent cannot send its own {signal}: for Fluent Bit that needs version 5 or later, built with its \
             plugins fluentbit_{signal}, opentelemetry, opentelemetry_envelope and content_modifier"
        ));
    }
    let former = machine.keep_own(next);
    let done = put_in(machine, &offer.hash, policy, &former).await;
    if done.is_err() {
        machine.keep_own(Kept { answer: machine.own.kept.answer.clone(), ..former });
    }
    done
}

/// Makes the agent run with what is kept now.
async fn put_in(machine: &mut Machine, hash: &Bytes, policy: Policy, former: &Kept) -> Result<(), String> {
    if let Some(why) = machine.why_not_carried(&machine.loaded) {
        return Err(why);
    }
    let write = |machine: &mut Machine| {
        machine.own.kept.say(hash.clone(), ConnectionSettingsStatuses::Applied, "");
        machine.state.save_own_telemetry(&machine.own.kept).map_err(|error| Failure {
            proof: Proof::Disk,
            what: error.to_string(),
            after: After::Running,
        })
    };
    let next = machine.carry(machine.loaded.clone());
    if next == machine.loaded {
        return write(machine).map_err(|failure| failure.what);
    }
    let Err(failure) = bring_in(machine, &next, policy, write).await else { return Ok(()) };
    let answer = machine.own.kept.answer.clone();
    // Before the way back, which may start a process on what is kept.
    machine.keep_own(Kept { answer, ..former.clone() });
    Err(undo(machine, failure).await)
}

async fn undo(machine: &mut Machine, failure: Failure) -> String {
    let mut why = format!("{} proof failed: {}", failure.proof.name(), failure.what);
    if let Err(error) = roll_back(machine, failure.after).await {
        why = format!("{why}; the former config could not be put back: {error}");
    }
    why
}

/// Makes a config run that differs in what it carries, and proves it; only once it is written down it counts.
async fn bring_in(
    machine: &mut Machine,
    next: &Loaded,
    policy: Policy,
    write: impl FnOnce(&mut Machine) -> Result<(), Failure>,
) -> Result<(), Failure> {
    machine.publisher.learn(next.rendered.includes.iter().map(|(_, text)| text.as_str()));
    check(machine, next).await?;
    let before = machine.components().clone();
    prove::bring_up(machine, next, policy.on_hang).await?;
    prove::content(machine, next).await?;
    let former = std::mem::replace(&mut machine.loaded, next.clone());
    let proven = prove::hold(machine, &before, policy.probation).await;
    if let Err(failure) = proven.and_then(|()| write(machine)) {
        machine.loaded = former;
        return Err(failure);
    }
    machine.release(&next.rendered);
    machine.adopt_config(next.clone());
    Ok(())
}

//! From one server to another: offered connection settings are tried by connecting, and only those that an answer has
//! proven are kept (OpAMP C099–C112). Pure: time and what happened come in, the target and what to keep come out.
//!
//! ```text
//! offered ─ refused ──────────────────────────→ FAILED
//!         ├ the same server, another interval ─→ APPLIED
//!         └ another server: APPLYING, farewell ─→ trial ─ answered → APPLIED
//!                                                      └ failed, denied, too late → back, FAILED
//! ```

mod follower;
mod kept;
mod overlay;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_opamp::{
    ConnectionSettingsOffers, ConnectionSettingsStatus, ConnectionSettingsStatuses, OpAMPConnectionSettings,
};

use super::Target;
pub(super) use follower::Follower;
pub use kept::{Keeper, Kept};

/// Connections that are tried before offered settings are given up.
const TRIES: u32 = 3;

/// Longest time that a trial may take.
const TRIAL: Duration = Duration::from_secs(60);

/// Failures in a row after which settings that were proven once give way to those of the host: few where nothing has
/// answered since the start.
const DOUBTS: u32 = 5;
const LATER_DOUBTS: u32 = 20;

/// Shortest and longest interval that is taken, in seconds (OpAMP C075).
const INTERVALS: std::ops::RangeInclusive<u64> = 1..=24 * 60 * 60;

/// How often an agent is to speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Interval {
    /// As the host's settings have it.
    #[default]
    Own,
    /// Once in so many seconds.
    Every(u64),
    /// Not without something to say (ruling A1).
    Off,
}

impl Interval {
    /// An interval that is neither a flood nor for ever.
    pub(super) fn clamped(seconds: u64) -> Self {
        let clamped = seconds.clamp(*INTERVALS.start(), *INTERVALS.end());
        if clamped != seconds {
            tracing::warn!(seconds, clamped, "an offered interval is out of bounds");
        }
        Self::Every(clamped)
    }
}

/// Settings that were offered, whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Offered {
    /// The hash of the offer.
    pub hash: Bytes,
    /// What it and earlier ones say.
    pub settings: OpAMPConnectionSettings,
    /// How often to speak.
    pub interval: Interval,
}

/// What came of something that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Stay,
    /// The status, what is kept or the interval changed.
    Settled,
    /// The target is another one as well.
    Move,
}

#[derive(Debug)]
struct Trial {
    offered: Offered,
    target: Target,
    until: Instant,
    tries: u32,
}

/// Where the client is, and where it is going.
#[derive(Debug)]
pub(super) struct Moves {
    base: Target,
    kept: Kept,
    /// Outside of a trial.
    target: Target,
    trial: Option<Trial>,
    /// What was in force before the last success, until that is kept.
    before: Option<(Target, Option<Offered>)>,
    /// The host's settings are used although others were accepted.
    doubted: bool,
    heard: bool,
    failures: u32,
}

impl Moves {
    /// At a start: accepted settings are in force, and a trial that was cut off begins again (OpAMP C100).
    pub(super) fn new(base: Target, mut kept: Kept, now: Instant) -> Self {
        let resolve = |offered: &Offered| overlay::overlay(&base, &offered.settings);
        let target = match kept.accepted.as_ref().map(resolve) {
            Some(Ok(target)) => target,
            Some(Err(error)) => {
                tracing::warn!(error, "kept connection settings are dropped");
                kept = Kept::default();
                base.clone()
            }
            None => base.clone(),
        };
        let candidate =
            kept.candidate.as_ref().and_then(|offered| Some((offered.clone(), resolve(offered).ok()?)));
        let trial =
            candidate.map(|(offered, target)| Trial { offered, target, until: now + TRIAL, tries: 0 });
        Self { base, kept, target, trial, before: None, doubted: false, heard: false, failures: 0 }
    }

    /// The server to speak to now.
    pub(super) fn target(&self) -> &Target {
        self.trial.as_ref().map_or(&self.target, |trial| &trial.target)
    }

    /// How often to speak.
    pub(super) fn interval(&self) -> Interval {
        let accepted = self.kept.accepted.as_ref().filter(|_| !self.doubted);
        self.trial
            .as_ref()
            .map(|trial| &trial.offered)
            .or(accepted)
            .map_or(Interval::Own, |offered| offered.interval)
    }

    /// When the trial ends, where there is one.
    pub(super) fn until(&self) -> Option<Instant> {
        self.trial.as_ref().map(|trial| trial.until)
    }

    /// What is to survive a restart.
    pub(super) const fn kept(&self) -> &Kept {
        &self.kept
    }

    /// What the server is to be told.
    pub(super) fn status(&self) -> Option<Arc<ConnectionSettingsStatus>> {
        self.kept.answer.clone().map(Arc::new)
    }

    /// Settings were offered.
    pub(super) fn offered(&mut self, offers: ConnectionSettingsOffers, now: Instant) -> Step {
        self.before = None;
        let known = self
            .kept
            .answer
            .as_ref()
            .is_some_and(|answer| answer.last_connection_settings_hash == offers.hash);
        if known && !offers.hash.is_empty() {
            return Step::Stay;
        }
        let Some(offer) = offers.opamp else { return self.offered_else(offers) };
        let moving = self.trial.take().is_some();
        self.kept.candidate = None;
        let accepted = self.kept.accepted.clone().unwrap_or_default();
        let settings = overlay::merge(&accepted.settings, &offer);
        let target = match refusal(&offer).map_or_else(|| overlay::overlay(&self.base, &settings), Err) {
            Ok(target) => target,
            Err(why) => {
                self.answer(offers.hash, ConnectionSettingsStatuses::Failed, &why);
                return if moving { Step::Move } else { Step::Settled };
            }
        };
        let same = target == self.target;
        let alone = offer == OpAMPConnectionSettings::default() || !offer.destination_endpoint.is_empty();
        let interval = match offer.heartbeat_interval_seconds {
            // A server that always sends whole offers names the same server again, and nothing else is new in them.
            0 if same && alone => Interval::Off,
            0 => accepted.interval,
            seconds => Interval::clamped(seconds),
        };
        let offered = Offered { hash: offers.hash.clone(), settings, interval };
        if same {
            self.doubted = false;
            self.before = Some((self.target.clone(), self.kept.accepted.replace(offered)));
            self.answer(offers.hash, ConnectionSettingsStatuses::Applied, "");
            return if moving { Step::Move } else { Step::Settled };
        }
        self.answer(offers.hash, ConnectionSettingsStatuses::Applying, "");
        self.kept.candidate = Some(offered.clone());
        self.trial = Some(Trial { offered, target, until: now + TRIAL, tries: 0 });
        Step::Move
    }

    /// An offer that leaves the way to the server as it is. Own telemetry is carried out and answered elsewhere, under
    /// the same hash; what no host of this version takes is refused (OpAMP C124).
    fn offered_else(&mut self, offers: ConnectionSettingsOffers) -> Step {
        if offers.own_metrics.is_some() || offers.own_logs.is_some() {
            let status = match &mut self.trial {
                Some(trial) => {
                    // It ends under the hash of the newest offer.
                    trial.offered.hash.clone_from(&offers.hash);
                    self.kept.candidate = Some(trial.offered.clone());
                    ConnectionSettingsStatuses::Applying
                }
                None => ConnectionSettingsStatuses::Applied,
            };
            self.answer(offers.hash, status, "");
            return Step::Settled;
        }
        if offers.own_traces.is_none() && offers.other_connections.is_empty() {
            return Step::Stay;
        }
        let why = "nothing of this offer is taken here: the agent has no traces of its own, and no other connections \
                   that could be set";
        self.answer(offers.hash, ConnectionSettingsStatuses::Failed, why);
        Step::Settled
    }

    /// The server that is spoken to has answered: it is reached, verified, and lets the agent in (OpAMP C104).
    pub(super) fn answered(&mut self) -> Step {
        self.failures = 0;
        self.heard = true;
        let Some(trial) = self.trial.take() else { return Step::Stay };
        self.answer(trial.offered.hash.clone(), ConnectionSettingsStatuses::Applied, "");
        self.kept.candidate = None;
        let target = std::mem::replace(&mut self.target, trial.target);
        self.before = Some((target, self.kept.accepted.replace(trial.offered)));
        self.doubted = false;
        Step::Settled
    }

    /// No connection, or it ended without an answer; `denied` when the server does not let the agent in.
    pub(super) fn failed(&mut self, why: &str, denied: bool, now: Instant) -> Step {
        self.before = None;
        if let Some(trial) = &mut self.trial {
            trial.tries += 1;
            if !denied && trial.tries < TRIES && now < trial.until {
                return Step::Stay;
            }
            let hash = trial.offered.hash.clone();
            self.trial = None;
            self.kept.candidate = None;
            self.answer(
                hash,
                ConnectionSettingsStatuses::Failed,
                &format!("no answer by the offered settings: {why}"),
            );
            return Step::Move;
        }
        let Some(accepted) = &self.kept.accepted else { return Step::Stay };
        self.failures += 1;
        if self.failures < if self.heard { LATER_DOUBTS } else { DOUBTS } {
            return Step::Stay;
        }
        self.failures = 0;
        let other = if self.doubted { overlay::overlay(&self.base, &accepted.settings).ok() } else { None };
        let other = other.unwrap_or_else(|| self.base.clone());
        if other == self.target {
            return Step::Stay;
        }
        self.doubted = !self.doubted;
        let hash = accepted.hash.clone();
        if self.doubted {
            let why = format!("no answer by these settings for long, so this host's own are used: {why}");
            self.answer(hash, ConnectionSettingsStatuses::Failed, &why);
        } else {
            self.answer(hash, ConnectionSettingsStatuses::Applied, "");
        }
        self.target = other;
        Step::Move
    }

    /// What was accepted could not be kept: it is not in force then, or a restart would undo it silently.
    pub(super) fn not_kept(&mut self, why: &str) -> Step {
        let Some((target, accepted)) = self.before.take() else { return Step::Stay };
        let hash = self.kept.accepted.take().map(|offered| offered.hash).unwrap_or_default();
        self.kept.accepted = accepted;
        self.answer(
            hash,
            ConnectionSettingsStatuses::Failed,
            &format!("the settings cannot be kept on this host: {why}"),
        );
        let moves = target != self.target;
        self.target = target;
        if moves { Step::Move } else { Step::Settled }
    }

    fn answer(&mut self, hash: Bytes, status: ConnectionSettingsStatuses, why: &str) {
        let error_message = tidegate_custom::excerpt(why, 512).0.to_owned();
        tracing::info!(status = ?status, why = error_message, "offered connection settings");
        self.kept.answer = Some(ConnectionSettingsStatus {
            last_connection_settings_hash: hash,
            status,
            error_message,
            ..ConnectionSettingsStatus::default()
        });
    }
}

/// What no host of this version takes.
fn refusal(offer: &OpAMPConnectionSettings) -> Option<String> {
    offer.certificate.is_some().then(|| "this supervisor does not take client certificates".into())
}

#[cfg(test)]
mod tests;

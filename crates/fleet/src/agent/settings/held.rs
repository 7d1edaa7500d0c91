//! What one agent was offered and what became of it.

use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, ConnectionSettingsStatus, ConnectionSettingsStatuses};

use super::{Heartbeat, Resolved};
use crate::Timestamp;
use crate::agent::{Agent, Link};

/// The last offer to an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// The hash of the settings.
    pub hash: [u8; 32],
    /// When they last went out.
    pub at: Timestamp,
    /// The settings of its OpAMP connection in it, where there were some.
    pub opamp: Option<OfferedOpamp>,
}

/// What an agent was last told of its OpAMP connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferedOpamp {
    /// The hash of the settings in which it was told.
    pub hash: [u8; 32],
    /// When it last went out.
    pub at: Timestamp,
    /// How often to speak.
    pub interval: Heartbeat,
    /// The other server that it was sent to, where it was.
    pub moved_to: Option<Arc<str>>,
}

/// What an agent said of the settings that it was offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The hash it names; `None` for one that this server never makes.
    pub hash: Option<[u8; 32]>,
    /// How far they have come.
    pub status: ConnectionSettingsStatuses,
    /// Why they failed.
    pub error: String,
    /// When it said so.
    pub at: Timestamp,
}

/// What of [`Held`] outlives the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The last offer.
    pub offered: Option<Offered>,
    /// The kinds of own telemetry that it was ever told a destination of, as bits in the order of
    /// [`super::Own::ALL`]: they can be withdrawn from it (ruling A9).
    pub own_told: u8,
    /// The interval that it took, or is taken to have taken.
    pub in_force: Option<Heartbeat>,
}

/// The settings of one agent that has some, or had.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    /// What it should have; `None` only until the rules are read.
    pub desired: Option<Arc<Resolved>>,
    /// The URL by which it reached this server last.
    pub reached: Option<Arc<str>>,
    /// What it was offered.
    pub record: Record,
    /// What it said of that.
    pub answer: Option<Answer>,
    /// When it last began anew without a new connection.
    pub began: Option<Timestamp>,
}

impl Held {
    /// An agent's settings as the store has them.
    #[must_use]
    pub fn stored(record: Record) -> Self {
        Self { record, ..Self::default() }
    }

    /// True when its answer names the settings that it should have, whatever it says of them (ruling A15).
    #[must_use]
    pub fn is_answered(&self) -> bool {
        let desired = self.desired.as_ref().map(|desired| desired.hash);
        desired.is_some() && self.answer.as_ref().and_then(|answer| answer.hash) == desired
    }
}

impl Answer {
    fn of(status: &ConnectionSettingsStatus, at: Timestamp) -> Self {
        Self {
            hash: status.last_connection_settings_hash[..].try_into().ok(),
            status: status.status,
            error: crate::agent::axes::headline(&status.error_message),
            at,
        }
    }
}

impl Agent {
    /// Says what settings it should have. Returns true when it may have to be told: an agent without rules that was
    /// never offered anything is left alone.
    pub fn settle(&mut self, resolved: &Arc<Resolved>) -> bool {
        let untouched =
            self.settings.as_ref().is_none_or(|held| held.record == Record::default()) && resolved.is_empty();
        if untouched {
            return self.settings.take().is_some();
        }
        if self.settings.as_ref().is_none_or(|held| held.desired.is_none()) {
            let status = self.reported.connection_settings_status.as_ref();
            let answer = status.map(|fact| Answer::of(&fact.get(), fact.observed_at));
            let held = self.settings.take().map(|held| *held).unwrap_or_default();
            self.settings = Some(Box::new(Held { answer, ..held }));
        }
        let Some(held) = self.settings.as_mut() else {
            return false;
        };
        let forced = |settings: &Resolved| settings.heartbeat.as_ref().is_some_and(|beat| beat.value.force);
        let differs = held
            .desired
            .as_ref()
            .is_none_or(|before| before.hash != resolved.hash || forced(before) != forced(resolved));
        held.desired = Some(Arc::clone(resolved));
        differs
    }

    /// The URL by which it reaches this server, for agents that may be told to keep it.
    pub fn reach(&mut self, url: &Arc<str>) {
        if let Some(held) = self.settings.as_mut()
            && held.reached.as_ref() != Some(url)
        {
            held.reached = Some(Arc::clone(url));
        }
    }

    /// True when it comes and goes, so that silence alone tells that it is gone.
    pub(crate) fn polls(&self) -> bool {
        matches!(self.link, Link::Up { transport, .. } if transport.polls())
    }

    /// True when it says how far offered settings have come.
    pub(crate) fn reports_settings_status(&self) -> bool {
        self.capabilities.contains(AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS)
    }

    /// It begins anew: what it was told of its own telemetry may be forgotten.
    pub(crate) fn begins_anew(&mut self, now: Timestamp) {
        if let Some(held) = self.settings.as_mut() {
            held.began = Some(now);
        }
    }

    /// Takes what it says of offered settings; returns a sentence for people when that is news of the settings that
    /// it was offered.
    pub(crate) fn hear_settings_answer(
        &mut self,
        status: &ConnectionSettingsStatus,
        now: Timestamp,
    ) -> Option<String> {
        let held = self.settings.as_mut()?;
        let answer = Answer::of(status, now);
        let is_news = held.answer.as_ref().is_none_or(|before| {
            (before.hash, before.status, &before.error) != (answer.hash, answer.status, &answer.error)
        });
        let opamp = held.record.offered.as_ref().and_then(|offered| offered.opamp.as_ref());
        if answer.status == ConnectionSettingsStatuses::Applied
            && let Some(opamp) = opamp
            && answer.hash == Some(opamp.hash)
        {
            held.record.in_force = Some(opamp.interval);
        } else if answer.hash.is_none() {
            // It has forgotten what it took.
            held.record.in_force = None;
        }
        let ours =
            answer.hash.is_some() && answer.hash == held.record.offered.as_ref().map(|offered| offered.hash);
        let text = match answer.status {
            ConnectionSettingsStatuses::Failed => format!("connection settings failed: {}", answer.error),
            status => format!("connection settings {status:?}").to_lowercase(),
        };
        held.answer = Some(answer);
        (is_news && ours).then_some(text)
    }
}

/// The interval that an agent is held to: the one that it took or is taken to have taken, else `default`. `None` when
/// heartbeats are off and its socket alone shows that it is there.
#[must_use]
pub fn expected(agent: &Agent, default: Duration) -> Option<Duration> {
    match agent.settings.as_ref().and_then(|held| held.record.in_force) {
        None => Some(default),
        Some(Heartbeat::Every(seconds)) => Some(Duration::from_secs(seconds.into())),
        Some(Heartbeat::Off) => agent.polls().then_some(default),
    }
}

/// Another server that an agent was sent to, and since when it has been gone from here, where it has.
pub type Departure = (Arc<str>, Option<Timestamp>);

/// Where an agent was sent to, and whether it has left.
pub(crate) fn departure(agent: &Agent, held: &Held) -> Option<Departure> {
    let OfferedOpamp { moved_to, at, .. } = held.record.offered.as_ref()?.opamp.as_ref()?;
    let gone = match agent.link {
        Link::Down { since } | Link::Departed { since } if since >= *at => Some(since),
        _ => None,
    };
    Some((Arc::clone(moved_to.as_ref()?), gone))
}

/// The other server that an agent was sent to, where it has left this one since.
#[must_use]
pub fn moved_to(agent: &Agent) -> Option<Arc<str>> {
    let (endpoint, gone) = departure(agent, agent.settings.as_deref()?)?;
    gone.map(|_| endpoint)
}

/// The reason of the connection axis for an agent that is not there.
pub(crate) fn absence(agent: &Agent, otherwise: &str) -> String {
    moved_to(agent).map_or_else(
        || otherwise.to_owned(),
        |endpoint| {
            crate::agent::axes::headline(&format!(
                "{otherwise}; it was told to connect to {endpoint}, and left after that"
            ))
        },
    )
}

//! The connection settings of an agent as values: what it should have, what it was offered, what it said of that.
//! How they come about, and when they are offered, is [`crate::settings`]'s.

mod held;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tidegate_opamp::{
    AgentCapabilities, OpAMPConnectionSettings, OtherConnectionSettings, TelemetryConnectionSettings,
};

pub use held::{Answer, Departure, Held, Offered, OfferedOpamp, Record, expected, moved_to};
pub(crate) use held::{absence, departure};

/// Longest interval that can be set, in seconds: a day.
pub const MAX_INTERVAL_SECONDS: u32 = 24 * 60 * 60;

/// How often an agent should speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Heartbeat {
    /// Every so many seconds, 1 to [`MAX_INTERVAL_SECONDS`].
    Every(u32),
    /// Not at all, by an operator's explicit word (ruling A1). An agent that polls goes on polling.
    Off,
}

/// What a rule says of heartbeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HeartbeatSetting {
    /// How often.
    pub interval: Heartbeat,
    /// Offer it also to agents that report heartbeats and do not accept OpAMP connection settings: some take it, some
    /// refuse it (OpAMP S112).
    pub force: bool,
}

/// The name of a rule: 1 to 63 of `a-z`, `0-9` and `-`, not at either end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(Arc<str>);

impl RuleName {
    /// Reads a name; `None` when it has another form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=63).contains(&text.len())
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        fits.then(|| Self(text.into()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What this server says of itself where no rule says otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The URL under which agents reach it; `None` leaves each with the URL that it used.
    pub endpoint: Option<String>,
    /// The interval in which agents are expected to speak, in seconds; at least 1.
    pub interval_seconds: u32,
}

/// The kinds of an agent's own telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Own {
    /// Metrics.
    Metrics,
    /// Traces.
    Traces,
    /// Logs.
    Logs,
}

impl Own {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Metrics, Self::Traces, Self::Logs];

    /// The capability that lets it be offered (OpAMP S111).
    #[must_use]
    pub const fn capability(self) -> AgentCapabilities {
        match self {
            Self::Metrics => AgentCapabilities::REPORTS_OWN_METRICS,
            Self::Traces => AgentCapabilities::REPORTS_OWN_TRACES,
            Self::Logs => AgentCapabilities::REPORTS_OWN_LOGS,
        }
    }

    /// The word for the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Metrics => "own_metrics",
            Self::Traces => "own_traces",
            Self::Logs => "own_logs",
        }
    }
}

/// A part and the rule that it came from.
#[derive(Clone, PartialEq)]
pub struct From<T> {
    /// The part.
    pub value: T,
    /// The rule.
    pub rule: RuleName,
}

/// The settings that agents should have: what their rules give, part by part, the first rule that says something of a
/// part winning it.
#[derive(Clone, PartialEq)]
pub struct Resolved {
    /// Identifies all of it, also what an agent cannot be offered (OpAMP S113); SHA-256, so never empty (S114).
    pub hash: [u8; 32],
    /// What the server says of itself.
    pub terms: Terms,
    /// How often they speak, where a rule says so.
    pub heartbeat: Option<From<HeartbeatSetting>>,
    /// Where and how they connect to OpAMP, where a rule says so.
    pub opamp: Option<From<OpAMPConnectionSettings>>,
    /// Where their own telemetry goes, in the order of [`Own::ALL`].
    pub own: [Option<From<TelemetryConnectionSettings>>; 3],
    /// What else they connect to.
    pub other: BTreeMap<String, From<OtherConnectionSettings>>,
}

impl Resolved {
    /// True when no rule says anything, so that an agent is left as it is unless it was offered something before.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heartbeat.is_none()
            && self.opamp.is_none()
            && self.own.iter().all(Option::is_none)
            && self.other.is_empty()
    }

    /// How often they speak: what a rule says, else what the server expects.
    #[must_use]
    pub fn interval(&self) -> Heartbeat {
        self.heartbeat
            .as_ref()
            .map_or(Heartbeat::Every(self.terms.interval_seconds), |heartbeat| heartbeat.value.interval)
    }

    /// The names of the rules that give at least one part, each once.
    #[must_use]
    pub fn rules(&self) -> Vec<&RuleName> {
        let mut names: Vec<_> = self
            .heartbeat
            .iter()
            .map(|part| &part.rule)
            .chain(self.opamp.iter().map(|part| &part.rule))
            .chain(self.own.iter().flatten().map(|part| &part.rule))
            .chain(self.other.values().map(|part| &part.rule))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Holds secrets: only the hash and the rules are shown.
impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("hash", &self.hash)
            .field("rules", &self.rules())
            .finish_non_exhaustive()
    }
}

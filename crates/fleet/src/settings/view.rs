//! How far an agent's connection settings have come, for people to see.

use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, ConnectionSettingsStatuses};

use super::offer::{own_endpoint, takes_opamp};
use super::{Heartbeat, Held, Own, Resolved, RuleName};
use crate::agent::Link;
use crate::agent::settings::{Departure, departure, expected};
use crate::{Agent, Timestamp};

/// How far settings have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// No rule says anything.
    Default,
    /// They wait to be offered.
    Pending,
    /// They were offered; the agent has not answered, or never does.
    Offered,
    /// The agent has taken them.
    Acknowledged,
    /// The agent could not take them, and is not asked again.
    Failed,
    /// This agent cannot be offered them.
    Unsupported,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Default, Self::Pending, Self::Offered, Self::Acknowledged, Self::Failed, Self::Unsupported];

    /// The word for the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Pending => "pending",
            Self::Offered => "offered",
            Self::Acknowledged => "acknowledged",
            Self::Failed => "failed",
            Self::Unsupported => "unsupported",
        }
    }
}

/// How often an agent should speak, and whether it knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatView {
    /// How often it should.
    pub interval: Heartbeat,
    /// The rule that says so; `None` where the server's own interval holds.
    pub rule: Option<RuleName>,
    /// How far that has come.
    pub state: State,
    /// Why, in a sentence; empty when the state says it all.
    pub reason: String,
    /// The interval that it is held to now; `None` when it owes no heartbeats.
    pub expected: Option<Duration>,
}

/// All settings of one agent.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferView {
    /// What it should have.
    pub desired: Arc<Resolved>,
    /// How far that has come.
    pub state: State,
    /// Why, in a sentence.
    pub reason: String,
    /// When it was last offered them.
    pub offered_at: Option<Timestamp>,
    /// The hash that it named last.
    pub answered: Option<[u8; 32]>,
    /// The parts that rules give and this agent cannot be offered, by the API's words.
    pub withheld: Vec<String>,
    /// The server that it was sent to, and since when it has been gone from here, where it has.
    pub moved: Option<Departure>,
}

/// How often an agent should speak, and whether it knows.
#[must_use]
pub fn heartbeat(agent: &Agent, default: Duration) -> HeartbeatView {
    let expected = expected(agent, default);
    let seconds = u32::try_from(default.as_secs()).unwrap_or(u32::MAX);
    let desired = agent.settings.as_deref().and_then(|held| Some((held, held.desired.as_deref()?)));
    let given = desired.and_then(|(held, desired)| Some((held, desired, desired.heartbeat.as_ref()?)));
    let Some((held, desired, setting)) = given else {
        let (interval, reason) = (Heartbeat::Every(seconds), String::new());
        return HeartbeatView { interval, rule: None, state: State::Default, reason, expected };
    };
    let (state, reason) = match cannot_beat(agent, held, desired) {
        Some(reason) => (State::Unsupported, reason.to_owned()),
        None => progress(agent, held, desired),
    };
    HeartbeatView {
        interval: setting.value.interval,
        rule: Some(setting.rule.clone()),
        state,
        reason,
        expected,
    }
}

fn cannot_beat(agent: &Agent, held: &Held, desired: &Resolved) -> Option<&'static str> {
    if agent.capabilities.0 == 0 {
        return None;
    }
    if !agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT) {
        return Some("this agent does not report heartbeats");
    }
    if !takes_opamp(agent, held, desired) {
        return Some(
            "this agent does not accept OpAMP connection settings; `force` offers the interval all the same",
        );
    }
    if desired.interval() == Heartbeat::Off && agent.polls() {
        return Some("this agent polls: it has to speak to be told anything");
    }
    None
}

/// All settings of an agent; `None` when no rule was ever for it.
#[must_use]
pub fn standing(agent: &Agent) -> Option<OfferView> {
    let held = agent.settings.as_deref()?;
    let desired = held.desired.clone()?;
    let withheld = withheld(agent, held, &desired);
    let nothing = agent.capabilities.0 != 0 && !desired.is_empty() && withheld.len() == parts(&desired);
    let (state, reason) = if nothing {
        (State::Unsupported, "this agent has the capability for none of them".to_owned())
    } else {
        progress(agent, held, &desired)
    };
    Some(OfferView {
        state,
        reason,
        offered_at: held.record.offered.as_ref().map(|offered| offered.at),
        answered: held.answer.as_ref().and_then(|answer| answer.hash),
        withheld,
        moved: departure(agent, held),
        desired,
    })
}

fn parts(desired: &Resolved) -> usize {
    usize::from(desired.heartbeat.is_some())
        + usize::from(desired.opamp.is_some())
        + desired.own.iter().flatten().count()
        + usize::from(!desired.other.is_empty())
}

fn withheld(agent: &Agent, held: &Held, desired: &Resolved) -> Vec<String> {
    let can = |capability| agent.capabilities.contains(capability);
    let mut withheld = Vec::new();
    if desired.heartbeat.is_some() && cannot_beat(agent, held, desired).is_some() {
        withheld.push("heartbeat".to_owned());
    }
    if desired.opamp.is_some() && !takes_opamp(agent, held, desired) {
        withheld.push("opamp".to_owned());
    }
    for (kind, own) in Own::ALL.into_iter().zip(&desired.own) {
        if own.is_some() && !can(kind.capability()) {
            withheld.push(kind.as_str().to_owned());
        }
    }
    if !desired.other.is_empty() && !can(AgentCapabilities::ACCEPTS_OTHER_CONNECTION_SETTINGS) {
        withheld.push("other_connections".to_owned());
    }
    withheld
}

/// How far the settings that an agent can be offered have come.
fn progress(agent: &Agent, held: &Held, desired: &Resolved) -> (State, String) {
    if held.is_answered()
        && let Some(answer) = &held.answer
    {
        return match answer.status {
            ConnectionSettingsStatuses::Applied => (State::Acknowledged, String::new()),
            ConnectionSettingsStatuses::Failed => (State::Failed, answer.error.clone()),
            ConnectionSettingsStatuses::Applying => (State::Offered, "the agent is applying it".into()),
            other => (State::Offered, format!("the agent answered {other:?}")),
        };
    }
    if desired.is_empty() && held.record.offered.is_none() {
        return (State::Default, String::new());
    }
    if held.record.offered.as_ref().is_some_and(|offered| offered.hash == desired.hash) {
        let reason = if agent.reports_settings_status() {
            "offered, not acknowledged yet"
        } else {
            "offered; this agent does not say whether it took it"
        };
        return (State::Offered, reason.into());
    }
    let reason = match agent.link {
        Link::Up { .. } if takes_opamp(agent, held, desired) && !has_endpoint(agent, held, desired) => {
            "the server does not know its own URL; set agents.advertised_endpoint"
        }
        Link::Up { transport, .. } if transport.polls() => "waits for the agent's next poll",
        Link::Up { .. } => "about to be offered",
        Link::Down { .. } | Link::Departed { .. } => "the agent is offline",
    };
    (State::Pending, reason.into())
}

fn has_endpoint(agent: &Agent, held: &Held, desired: &Resolved) -> bool {
    desired.opamp.as_ref().is_some_and(|part| !part.value.destination_endpoint.is_empty())
        || own_endpoint(agent, held, desired).is_some()
}

//! An agent's message: from bytes already decoded to new state and what follows from it.

#[cfg(test)]
mod command_tests;
mod commands;
mod merge;
mod sequence;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tidegate_opamp::{AgentToServer, CustomMessage, InstanceUid, InvalidUid};

use crate::agent::axes;
use crate::agent::{LimitExceeded, Limits, Link, Sequence, Transport};
use crate::{Agent, Command, CommandId, Event, EventKind, Timestamp};

/// How long an agent that did not answer a request for its full state is left alone (OpAMP S072).
pub const FULL_STATE_PATIENCE: Duration = Duration::from_secs(60);

/// Why a message is not processed; becomes BAD_REQUEST (OpAMP S178).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The uid is missing or malformed.
    #[error("{0}")]
    Uid(#[from] InvalidUid),
    /// The message holds more than an agent may send.
    #[error("{0}")]
    Limit(#[from] LimitExceeded),
}

/// How a message came in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When.
    pub now: Timestamp,
    /// By which transport.
    pub transport: Transport,
}

/// Whether to ask the agent for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FullState {
    /// Nothing is missing.
    Complete,
    /// A report is missing: ask in this reply.
    Ask,
    /// The server crashed: ask when the paced rate allows (ruling A16).
    AskPaced,
}

/// Which parts of the durable record a message changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Description, capabilities, link: what a listing shows.
    pub identity: bool,
    /// The health tree.
    pub health: bool,
    /// The effective config.
    pub effective_config: bool,
    /// The status of the remote config: committed before the reply (decision D1).
    pub config_status: bool,
    /// Other reported parts.
    pub other: bool,
}

impl Changed {
    /// True when anything durable changed.
    #[must_use]
    pub const fn any(self) -> bool {
        self.identity || self.health || self.effective_config || self.config_status || self.other
    }
}

/// What follows from a message.
#[derive(Debug)]
pub struct Received {
    /// What changed.
    pub changed: Changed,
    /// What happened, for people to follow.
    pub events: Vec<Event>,
    /// The commands whose state changed: committed before the reply.
    pub commands: Vec<CommandId>,
    /// A custom message that answers no command.
    pub message: Option<CustomMessage>,
    /// Whether to ask for everything.
    pub full_state: FullState,
}

/// Reads the uid of a message.
///
/// # Errors
/// [`Rejected::Uid`].
pub fn identify(message: &AgentToServer) -> Result<InstanceUid, Rejected> {
    Ok(InstanceUid::from_bytes(&message.instance_uid)?)
}

/// Takes a message into the agent's state. On an error nothing has changed.
///
/// # Errors
/// [`Rejected::Limit`].
pub fn receive(
    agent: &mut Agent,
    commands: &mut [Command],
    message: AgentToServer,
    arrival: Arrival,
    limits: &Limits,
) -> Result<Received, Rejected> {
    limits.check(&message)?;
    let now = arrival.now;
    let is_new = agent.capabilities.0 == 0 && agent.reported().description.is_none();
    let repeats = sequence::repeats(agent, &message);
    if sequence::begins_anew(agent, &message) {
        agent.begins_anew(now);
    }
    let full_state = sequence::judge(agent, &message, now);
    let mut received = Received {
        changed: Changed::default(),
        events: Vec::new(),
        commands: Vec::new(),
        message: None,
        full_state,
    };
    if is_new && message.agent_description.is_some() {
        received.events.push(event(agent, now, EventKind::AgentAdded, "first report"));
    }
    let leaves = message.agent_disconnect.is_some();
    let custom = merge::merge(agent, message, now, &mut received);
    if repeats && received.changed.any() {
        // Other bytes under the number of the last message: a number was used twice (ruling A21).
        agent.full_state_asked_at = Some(now);
        received.full_state = FullState::Ask;
    }
    relink(agent, arrival, leaves, &mut received);
    // A retry says that the last answer was lost, not that what it carried has arrived.
    if !repeats || received.changed.any() {
        commands::settle(agent, commands, custom, now, &mut received);
    }
    agent.last_seen = now;
    Ok(received)
}

/// The agent's transport is gone.
pub fn disconnected(agent: &mut Agent, now: Timestamp) -> Option<Event> {
    if !matches!(agent.link, Link::Up { .. }) {
        return None;
    }
    agent.link = Link::Down { since: now };
    Some(event(agent, now, EventKind::Connection, "disconnected"))
}

/// The agent's socket was opened for one message and closed in order: it will come again, as one that polls.
pub fn visited(agent: &mut Agent) {
    if let Link::Up { transport: Transport::WebSocket, since } = agent.link {
        agent.link = Link::Up { transport: Transport::Visits, since };
    }
}

fn relink(agent: &mut Agent, arrival: Arrival, leaves: bool, received: &mut Received) {
    let Arrival { now, transport } = arrival;
    let (link, text) = match agent.link {
        _ if leaves => (Link::Departed { since: now }, "departed: the agent said farewell".to_owned()),
        Link::Up { transport: before, .. } if before == transport => return,
        // It comes again, or stays this time: it has been there all along.
        Link::Up { transport: Transport::Visits, since } if transport == Transport::WebSocket => {
            agent.link = Link::Up { transport, since };
            return;
        }
        _ => (Link::Up { transport, since: now }, format!("connected by {}", transport.as_str())),
    };
    agent.link = link;
    received.changed.identity = true;
    received.events.push(event(agent, now, EventKind::Connection, text));
}

fn event(agent: &Agent, at: Timestamp, kind: EventKind, text: impl AsRef<str>) -> Event {
    Event { at, kind, agent: agent.uid, text: axes::headline(text.as_ref()) }
}

/// The agent is asked for everything now, at the paced rate.
pub fn asked(agent: &mut Agent, now: Timestamp) {
    if let Sequence::AtLeast(number) = agent.sequence {
        agent.sequence = Sequence::Exact(number);
    }
    agent.full_state_asked_at = Some(now);
}

//! What an agent answers to the keys of the language. The one definition: an index takes its rows from here.

use std::time::Duration;

use tidegate_opamp::AgentCapabilities;

use super::{Key, Subject};
use crate::agent::axes::{self, Attention, ConfigState, Connection, Health, Proof};
use crate::agent::{Attributes, Link, Transport, settings};
use crate::{Agent, Timestamp};

/// All that can be asked about an agent, but for what time alone changes.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// The agent.
    pub agent: &'a Agent,
    /// Its name.
    pub name: String,
    /// Its attributes.
    pub attributes: Attributes,
    /// What decides its connection axis.
    pub presence: Presence,
    /// The health axis.
    pub health: Health,
    /// The config axis.
    pub config: ConfigState,
    /// What its "applied" is worth, where it says so.
    pub proof: Option<Proof>,
    /// What went wrong last; empty when nothing did.
    pub error: String,
}

/// What decides the connection axis, with the time of the last message and the time now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It speaks to this server.
    Up {
        /// By which transport.
        transport: Transport,
        /// How often it is expected to speak.
        every: Every,
    },
    /// It does not.
    Down,
    /// It said farewell.
    Departed,
}

/// How often an agent is expected to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// It need not.
    Never,
    /// As often as any agent.
    Default,
    /// In this interval, which it took, in seconds.
    Seconds(u32),
}

impl Presence {
    /// That of an agent.
    #[must_use]
    pub fn of(agent: &Agent) -> Self {
        let Link::Up { transport, .. } = agent.link else {
            let departed = matches!(agent.link, Link::Departed { .. });
            return if departed { Self::Departed } else { Self::Down };
        };
        let owes = transport.polls() || agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT);
        // No agent takes an interval of this length: it stands for the one that is asked with.
        let every = match settings::expected(agent, Duration::MAX) {
            Some(Duration::MAX) if owes => Every::Default,
            Some(interval) if owes => Every::Seconds(u32::try_from(interval.as_secs()).unwrap_or(u32::MAX)),
            _ => Every::Never,
        };
        Self::Up { transport, every }
    }

    /// The connection axis after a silence, where a message is expected in each `interval`.
    #[must_use]
    pub fn connection(self, silent: Duration, interval: Duration) -> Connection {
        let (transport, interval) = match self {
            Self::Departed => return Connection::Departed,
            Self::Down => return Connection::Disconnected,
            Self::Up { every: Every::Never, .. } => return Connection::Connected,
            Self::Up { transport, every: Every::Default } => (transport, interval),
            Self::Up { transport, every: Every::Seconds(seconds) } => {
                (transport, Duration::from_secs(seconds.into()))
            }
        };
        if transport.polls() && silent >= interval * 3 {
            Connection::Disconnected
        } else if silent >= interval * 3 / 2 {
            Connection::Late
        } else {
            Connection::Connected
        }
    }

    /// The transport, while it is connected.
    #[must_use]
    pub const fn transport(self) -> Option<Transport> {
        match self {
            Self::Up { transport, .. } => Some(transport),
            Self::Down | Self::Departed => None,
        }
    }
}

impl<'a> Facts<'a> {
    /// Works them out.
    #[must_use]
    pub fn of(agent: &'a Agent) -> Self {
        let health = axes::health_value(agent);
        let (config, proof) = axes::config_value(agent);
        let attributes = agent.attributes();
        Self {
            agent,
            name: attributes.name().map_or_else(|| agent.uid.to_string(), ToOwned::to_owned),
            attributes,
            presence: Presence::of(agent),
            health,
            config,
            proof,
            error: error(agent, health, config),
        }
    }

    /// Them and the time, ready to be asked a query.
    #[must_use]
    pub const fn at(&'a self, now: Timestamp, interval: Duration) -> FactsAt<'a> {
        FactsAt { facts: self, now, interval }
    }
}

/// What went wrong last, of its health and of its config, each in one line.
fn error(agent: &Agent, health: Health, config: ConfigState) -> String {
    let ill = match health {
        Health::Unhealthy | Health::Degraded | Health::Starting => {
            axes::headline(&axes::health(agent).reason)
        }
        Health::Healthy | Health::Unknown => String::new(),
    };
    match config {
        ConfigState::Failed if ill.is_empty() => axes::headline(&axes::config(agent).0.reason),
        ConfigState::Failed => format!("{ill}; {}", axes::headline(&axes::config(agent).0.reason)),
        _ => ill,
    }
}

/// An agent's facts at one moment.
#[derive(Clone, Copy, Debug)]
pub struct FactsAt<'a> {
    facts: &'a Facts<'a>,
    now: Timestamp,
    interval: Duration,
}

impl FactsAt<'_> {
    /// The connection axis.
    #[must_use]
    pub fn connection(&self) -> Connection {
        self.facts.presence.connection(self.now.since(self.facts.agent.last_seen), self.interval)
    }

    /// The derived flag.
    #[must_use]
    pub fn attention(&self) -> Attention {
        axes::level(self.connection(), self.facts.health, self.facts.config)
    }
}

impl Subject for FactsAt<'_> {
    fn any_text(&self, key: &Key, see: &mut dyn FnMut(&str) -> bool) -> bool {
        let facts = self.facts;
        match key {
            Key::Word => see(&facts.name) || see(&facts.agent.uid.to_string()),
            Key::Uid => see(&facts.agent.uid.to_string()),
            Key::Name => see(&facts.name),
            Key::Connection => see(self.connection().as_str()),
            Key::Health => see(facts.health.as_str()),
            Key::Config => see(facts.config.as_str()),
            Key::Attention => see(self.attention().as_str()),
            Key::Proof => facts.proof.is_some_and(|proof| see(proof.as_str())),
            Key::Transport => facts.presence.transport().is_some_and(|transport| see(transport.as_str())),
            Key::Capability => {
                facts.agent.capabilities.names().any(|name| see(&name))
                    || facts.agent.custom_capabilities().iter().any(|name| see(name))
            }
            Key::Error => !facts.error.is_empty() && see(&facts.error),
            Key::ConfigHash => {
                facts.agent.desired().is_some_and(|desired| see(&desired.config.hash.to_string()))
            }
            Key::Attribute(name) => facts.attributes.get(name).is_some_and(see),
            Key::Label(name) => facts.agent.labels.get(name).is_some_and(see),
            Key::FirstSeen | Key::LastSeen => false,
        }
    }

    fn age(&self, key: &Key) -> Option<Duration> {
        match key {
            Key::FirstSeen => Some(self.now.since(self.facts.agent.first_seen)),
            Key::LastSeen => Some(self.now.since(self.facts.agent.last_seen)),
            _ => None,
        }
    }
}

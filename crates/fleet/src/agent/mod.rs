//! What the server knows of one agent.

mod attributes;
pub mod axes;
mod limits;

use std::sync::Arc;

use tidegate_opamp::{
    AgentCapabilities, AgentDescription, AvailableComponents, ComponentHealth, ConnectionSettingsStatus,
    CustomCapabilities, EffectiveConfig, InstanceUid, PackageStatuses, RemoteConfigStatus,
};

use crate::{Config, PushId, Timestamp};

pub use attributes::Attributes;
pub use limits::{LimitExceeded, Limits};

/// Something an agent reported, and when it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Fact<T> {
    /// What it said.
    pub value: Arc<T>,
    /// When the server heard it.
    pub observed_at: Timestamp,
}

impl<T> Fact<T> {
    /// A fact heard now.
    pub fn new(value: T, observed_at: Timestamp) -> Self {
        Self { value: Arc::new(value), observed_at }
    }
}

/// The parts of a report that stay as they are until the agent sends them again (OpAMP S068).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reported {
    /// Who it is.
    pub description: Option<Fact<AgentDescription>>,
    /// How it fares.
    pub health: Option<Fact<ComponentHealth>>,
    /// What it runs.
    pub effective_config: Option<Fact<EffectiveConfig>>,
    /// How far the last offered config has come.
    pub remote_config_status: Option<Fact<RemoteConfigStatus>>,
    /// Which packages it has.
    pub package_statuses: Option<Fact<PackageStatuses>>,
    /// Its custom capabilities.
    pub custom_capabilities: Option<Fact<CustomCapabilities>>,
    /// What its build can run.
    pub available_components: Option<Fact<AvailableComponents>>,
    /// How far the last offered connection settings have come.
    pub connection_settings_status: Option<Fact<ConnectionSettingsStatus>>,
}

/// How an agent reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A socket that stays open.
    WebSocket,
    /// A socket opened for each message and closed after it.
    Visits,
    /// A request now and then.
    Http,
}

impl Transport {
    /// True when the agent comes and goes, so that silence alone tells that it is gone.
    #[must_use]
    pub const fn polls(self) -> bool {
        matches!(self, Self::Visits | Self::Http)
    }

    /// The word for the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket | Self::Visits => "websocket",
            Self::Http => "http",
        }
    }
}

/// The state of an agent's link to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It speaks to this server.
    Up {
        /// By which transport.
        transport: Transport,
        /// Since when.
        since: Timestamp,
    },
    /// Its socket closed, or the server was restarted since.
    Down {
        /// Since when.
        since: Timestamp,
    },
    /// It said farewell.
    Departed {
        /// When.
        since: Timestamp,
    },
}

/// The last sequence number of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// No number is known: the next message must be a full report.
    Unknown,
    /// The number of the last message.
    Exact(u64),
    /// The server crashed since: the last message had at least this number (ruling A16).
    AtLeast(u64),
}

/// The config an agent should run.
#[derive(Clone, Debug, PartialEq)]
pub struct Desired {
    /// The config.
    pub config: Config,
    /// The push it came from.
    pub push: PushId,
    /// Since when.
    pub since: Timestamp,
    /// When it was last put into a message to the agent.
    pub offered_at: Option<Timestamp>,
}

/// One agent: one `instance_uid`, one supervised process.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Its id.
    pub uid: InstanceUid,
    /// The credential of the host that reports it, once hosts have credentials.
    pub host_credential: Option<String>,
    /// When it first reported.
    pub first_seen: Timestamp,
    /// When it last spoke.
    pub last_seen: Timestamp,
    /// Its last sequence number.
    pub sequence: Sequence,
    /// When it was last asked for its full state.
    pub full_state_asked_at: Option<Timestamp>,
    /// What it can do; the last value that was not 0 (OpAMP S010).
    pub capabilities: AgentCapabilities,
    /// What it said of itself.
    pub reported: Reported,
    /// Its link.
    pub link: Link,
    /// What it should run.
    pub desired: Option<Desired>,
}

impl Agent {
    /// An agent that is heard of for the first time.
    #[must_use]
    pub fn new(uid: InstanceUid, now: Timestamp) -> Self {
        Self {
            uid,
            host_credential: None,
            first_seen: now,
            last_seen: now,
            sequence: Sequence::Unknown,
            full_state_asked_at: None,
            capabilities: AgentCapabilities(0),
            reported: Reported::default(),
            link: Link::Down { since: now },
            desired: None,
        }
    }

    /// Its attributes, under OpenTelemetry's names.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        self.reported
            .description
            .as_ref()
            .map_or_else(Attributes::default, |fact| Attributes::of(&fact.value))
    }

    /// What people call it: the host's name, else the service's instance id, else the uid.
    #[must_use]
    pub fn name(&self) -> String {
        let attributes = self.attributes();
        ["host.name", "service.instance.id"]
            .iter()
            .find_map(|key| attributes.get(key).filter(|name| !name.is_empty()))
            .map_or_else(|| self.uid.to_string(), ToOwned::to_owned)
    }

    /// When its process started, nanoseconds since 1970; 0 when it does not run or never said.
    #[must_use]
    pub fn start_time(&self) -> u64 {
        self.reported.health.as_ref().map_or(0, |fact| fact.value.start_time_unix_nano)
    }

    /// The bare names of its custom capabilities.
    pub fn custom_capabilities(&self) -> impl Iterator<Item = &str> {
        self.reported
            .custom_capabilities
            .iter()
            .flat_map(|fact| fact.value.capabilities.iter())
            .map(|name| tidegate_custom::bare(name))
    }

    /// The hash of the last config it acknowledged, as it sent it.
    #[must_use]
    pub fn acknowledged_hash(&self) -> Option<&[u8]> {
        self.reported
            .remote_config_status
            .as_ref()
            .map(|fact| fact.value.last_remote_config_hash.as_ref())
            .filter(|hash| !hash.is_empty())
    }
}

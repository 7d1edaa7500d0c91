//! The seam between the two halves of the supervisor: the process side (child, apply, health) publishes an
//! [`AgentReport`] and takes [`AgentCommand`]s; the protocol side (client, dispatch) sends what changed of the
//! one and feeds the other. Neither knows more of the other than this file.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_custom::metrics::Digest;
use tidegate_opamp::{
    AgentConfigMap, AgentDescription, AgentRemoteConfig, AvailableComponents, ComponentHealth,
    ConnectionSettingsStatus, EffectiveConfig, InstanceUid, RemoteConfigStatus, TelemetryConnectionSettings,
};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// Everything that the server may be told of an agent, as it is now. Parts are shared, not copied: a new report
/// keeps the `Arc`s of the parts that did not change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AgentReport {
    /// Who the agent is and where it runs (OpenTelemetry attribute names).
    pub description: Arc<AgentDescription>,
    /// How it and its components fare.
    pub health: Arc<ComponentHealth>,
    /// The config it runs: the offered or local files under their own names, and what the agent really loads as
    /// `tidegate/rendered`.
    pub effective_config: Arc<EffectiveConfig>,
    /// How far the last offered config has come; `None` before the first offer (ruling A11).
    pub remote_config_status: Option<Arc<RemoteConfigStatus>>,
    /// The newest digest of its metrics; each is sent once at most, and an older one never after a newer.
    pub digest: Option<Arc<Digest>>,
    /// What its build can run, whole; `None` where that is not known (OpAMP C163).
    pub available_components: Option<Arc<AvailableComponents>>,
    /// What it can send of its own, and what became of the last offer; `None` where its host or its build has none.
    pub own_telemetry: Option<Arc<OwnReport>>,
}

/// An offer of destinations for the agent's own telemetry (OpAMP C118).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnOffer {
    /// The hash of the offer as a whole.
    pub hash: Bytes,
    /// Where metrics are to go; `None` leaves that as it is (C119), an empty destination ends it (C123).
    pub metrics: Option<TelemetryConnectionSettings>,
    /// The same of logs.
    pub logs: Option<TelemetryConnectionSettings>,
}

impl OwnOffer {
    /// This offer with what it leaves out of an older one that was not carried out.
    #[must_use]
    pub fn over(mut self: Box<Self>, older: Option<Box<Self>>) -> Box<Self> {
        if let Some(older) = older {
            self.metrics = self.metrics.take().or(older.metrics);
            self.logs = self.logs.take().or(older.logs);
        }
        self
    }
}

/// What an agent can send of its own, and what became of the last offer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OwnReport {
    /// Whether it can send metrics.
    pub metrics: bool,
    /// Whether it can send logs.
    pub logs: bool,
    /// What became of the last offer (OpAMP C120).
    pub status: Option<ConnectionSettingsStatus>,
}

/// What the protocol side may ask of the process side. Commands are carried out one at a time, in order;
/// [`AgentCommand::Stop`] overtakes.
#[derive(Debug)]
pub enum AgentCommand {
    /// Apply an offered config; the outcome shows in [`AgentReport::remote_config_status`]. A newer offer replaces
    /// one that still waits.
    Apply(AgentRemoteConfig),
    /// Say of the offer of this hash that a newer one took its place before it could be handed on (OpAMP C089).
    Replaced(Bytes),
    /// Send own telemetry as offered; the outcome shows in [`AgentReport::own_telemetry`]. Of offers that wait the
    /// newest counts, and what it leaves out of those before it is kept.
    OwnTelemetry(Box<OwnOffer>),
    /// The agent has another uid, under which it sends its own telemetry from now on (OpAMP C048).
    Renamed(InstanceUid),
    /// Find something out; changes nothing.
    Ask(Question),
    /// Restart the agent's process; shows as a new start time in the health.
    Restart,
    /// Stop the agent and end; answers when the process is gone.
    Stop(oneshot::Sender<()>),
    /// Finish what is being done, leave the process running for the next supervision and end; answers when the state
    /// folder is free.
    Release(oneshot::Sender<()>),
}

/// What may be asked of the process side. A question that cannot be answered in time, because something else is being
/// done, is given up by whoever asked; one whose end is dropped is not answered.
#[derive(Debug)]
pub enum Question {
    /// The last lines of the agent's log, the oldest first: so many at most.
    Logs(usize, oneshot::Sender<std::io::Result<Vec<String>>>),
    /// What the agent would say to a config. It is neither applied nor kept.
    DryRun(AgentConfigMap, oneshot::Sender<Verdict>),
    /// The document that the agent's binary prints of its plugins and their properties, or why there is none.
    Schema(oneshot::Sender<Result<String, String>>),
    /// All that is known of the agent, as a JSON object without secrets.
    Facts(oneshot::Sender<serde_json::Value>),
}

/// What became of a config that was only checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The name of the first proof of an apply that did not hold; `None`: as far as a check goes, it may be applied.
    pub proof: Option<&'static str>,
    /// What is wrong, with file and line where that is known.
    pub errors: Vec<String>,
    /// What else should be known.
    pub warnings: Vec<String>,
}

/// The protocol side's end of one agent.
#[derive(Clone, Debug)]
pub struct AgentHandle {
    /// Where commands go; bounded.
    pub commands: mpsc::Sender<AgentCommand>,
    /// The newest report.
    pub reports: watch::Receiver<AgentReport>,
    /// Where it notes that the server was heard.
    pub heard: Heard,
}

/// When the server was last heard: noted by the protocol side, asked for by the process side, which takes back a config
/// that has cut the way to the server. Its copies are one.
#[derive(Clone, Debug, Default)]
pub struct Heard(Arc<Hearing>);

#[derive(Debug, Default)]
struct Hearing {
    last: Mutex<Option<Instant>>,
    wanted: Notify,
}

impl Heard {
    /// Something came from the server.
    pub fn note(&self) {
        *self.0.last.lock() = Some(Instant::now());
    }

    /// Whether something has come since then.
    #[must_use]
    pub fn since(&self, then: Instant) -> bool {
        self.last_since(then).is_some()
    }

    /// When something has come last, if that was after `then`.
    #[must_use]
    pub fn last_since(&self, then: Instant) -> Option<Instant> {
        self.0.last.lock().filter(|last| *last > then)
    }

    /// The server is to be heard soon: what waits before it tries again tries now. Kept until somebody waits.
    pub fn want(&self) {
        self.0.wanted.notify_one();
    }

    /// Waits until the server is to be heard soon.
    pub async fn wanted(&self) {
        self.0.wanted.notified().await;
    }
}

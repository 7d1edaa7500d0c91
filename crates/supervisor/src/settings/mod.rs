//! Settings: what was typed (`flags`, `environment`, `file`) and what it means (`resolve`).
//!
//! A flag outranks an environment variable (`TIDEGATE_SUPERVISOR_…`), which outranks the file, which outranks the
//! default. Lists (`allow`, `chatops.tags`) are taken whole from the highest source that has one; attributes
//! are merged by name. Where the file lists `agents`, what stands in an entry outranks all sources for that agent.

mod agents;
mod duration;
mod environment;
mod file;
mod flags;
mod handlers;
mod print;
mod resolve;
mod values;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use flags::LowArgs;
pub use print::print;
pub use resolve::{file_of, resolve};

use crate::client::Target;
use crate::handlers::{ChatOpsSettings, HandlerSettings};
use crate::own::Cleartext;
use crate::supervise::{ConfigLimits, Kind, Patience};

/// What the supervisor does, every value checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Where the server is, what is sent with every handshake or POST, and how TLS is spoken.
    pub server: Target,
    /// The file of the authorities in it, absolute.
    pub ca_file: Option<PathBuf>,
    /// The file of the token in its headers, absolute.
    pub token_file: Option<PathBuf>,
    /// What is supervised: one agent without a name, or 1 to 64 with names of their own.
    pub agents: Vec<Agent>,
    /// Where state is kept, absolute.
    pub state_dir: PathBuf,
    /// How long a new config must hold before it counts as applied; 0 s to 1 h.
    pub probation: Duration,
    /// For how long the server may be silent after an offered config was applied before what ran earlier is put back;
    /// 5 s to 24 h, `None` for ever.
    pub confirm: Option<Duration>,
    /// Time without any message after which a heartbeat goes; 1 s to 24 h.
    pub heartbeat: Duration,
    /// Whether secrets in agents' configs are kept from the server.
    pub redact: bool,
    /// How often each agent's metrics are sent; 10 s to 1 h, `None` for never.
    pub metrics_interval: Option<Duration>,
    /// What is done about agents that hang or do not answer; they may be silent for 5 s to 1 h.
    pub patience: Patience,
    /// Whether the server may have the supervisor speak to another server, with other headers, at another interval.
    pub allow_connection_settings: bool,
    /// What offered configs may name on this host.
    pub limits: ConfigLimits,
    /// Largest OpAMP message in either direction, in bytes; 64 KiB to 1 GiB.
    pub max_message_bytes: usize,
}

impl Settings {
    /// What offered configs may name, the supervisor's own files left out.
    #[must_use]
    pub fn config_limits(&self) -> ConfigLimits {
        let mut limits = self.limits.clone();
        limits.never.push(self.state_dir.clone());
        limits.never.extend(self.agents.iter().map(|agent| agent.state_dir.clone()));
        limits.never.extend(self.token_file.clone());
        limits
    }
}

/// One agent of this host.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Its name among the agents of this supervisor; empty where it is the only one and no list names it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Its program, absolute.
    pub binary: PathBuf,
    /// Its config file, absolute.
    pub config: PathBuf,
    /// Where its state is kept, absolute; no other agent's.
    pub state_dir: PathBuf,
    /// What the server may do with it; nothing unless it stands here (decision D7).
    pub allow: BTreeSet<Allowed>,
    /// How ChatOps requests are carried out.
    pub chatops: ChatOpsSettings,
    /// What messages of the host's own capabilities do.
    pub handlers: Vec<HandlerSettings>,
    /// Non-identifying attributes that users add.
    pub attributes: BTreeMap<String, String>,
}

impl Agent {
    /// Whether the server may do something with it.
    #[must_use]
    pub fn allows(&self, what: Allowed) -> bool {
        self.allow.contains(&what)
    }

    /// Where its own telemetry may go without TLS; `None` where the server may send it nowhere (OpAMP C121).
    #[must_use]
    pub fn own_telemetry(&self) -> Option<Cleartext> {
        if self.allows(Allowed::OwnTelemetryHttp) {
            return Some(Cleartext::Anywhere);
        }
        self.allows(Allowed::OwnTelemetry).then_some(Cleartext::Loopback)
    }
}

/// What a host can allow its server to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Allowed {
    /// Replace the agent's config.
    RemoteConfig,
    /// Restart the agent.
    Restart,
    /// Call the agent's local HTTP input.
    ChatOps,
    /// Stop the agent and its supervisor.
    Shutdown,
    /// Have the supervisor speak to another server, with other headers, at another interval.
    ConnectionSettings,
    /// Read the last lines of the agent's log.
    Logs,
    /// Have the agent check a config without applying it.
    DryRun,
    /// Read what helps to find a fault, without secrets.
    Diagnostics,
    /// Have the agent send its own metrics and logs somewhere: over TLS, or to this host.
    OwnTelemetry,
    /// The same without TLS to anywhere.
    OwnTelemetryHttp,
}

impl Allowed {
    /// Every one with its word in settings.
    pub const WORDS: [(Self, &'static str); 10] = [
        (Self::RemoteConfig, "remote-config"),
        (Self::Restart, "restart"),
        (Self::ChatOps, "chatops"),
        (Self::Shutdown, "shutdown"),
        (Self::ConnectionSettings, "connection-settings"),
        (Self::Logs, "logs"),
        (Self::DryRun, "dry-run"),
        (Self::Diagnostics, "diagnostics"),
        (Self::OwnTelemetry, "own-telemetry"),
        (Self::OwnTelemetryHttp, "own-telemetry-http"),
    ];

    /// The word in settings.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(what, _)| *what == self).map_or("", |(_, word)| word)
    }
}

/// What settings ask of the host that they are resolved on.
pub struct Host<'a> {
    /// An environment variable.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    /// Whether there is a file at a path.
    pub is_file: &'a dyn Fn(&Path) -> bool,
    /// The text of a settings file.
    pub read: &'a dyn Fn(&Path) -> std::io::Result<String>,
}

/// Why settings cannot be used; one sentence that says where and what to do.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The settings file cannot be read.
    #[error("cannot read the settings file {path}: {source}", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The settings file is not of the right shape.
    #[error("{path}:{line}: {message}", path = .path.display())]
    Shape {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: u64,
        /// What is wrong there.
        message: String,
    },
    /// A value cannot be used.
    #[error("{origin}: {why}")]
    Value {
        /// Where it was written: a flag, a variable, or file, line and field.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// A value without a default was not given.
    #[error("{0}")]
    Missing(String),
}

#[cfg(test)]
mod tests;

//! One serial task per agent that owns its process: start, watch, restart after a crash, apply, stop.

mod answer;
mod backoff;
mod begin;
mod choose;
mod confirm;
mod left;
mod mailbox;
mod patient;
mod silence;
mod task;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use tidegate_opamp::InstanceUid;

pub use begin::Rehearsal;
use mailbox::{Later, Mailbox};

use crate::{
    agent::AgentHandle,
    child::RunError,
    kind::{AgentKind, RenderError, fluent_bit::FluentBit},
    machine::CheckError,
    own::Cleartext,
    state::{StateDir, StateError},
};

pub use crate::machine::ConfigLimits;
pub use silence::{OnSilence, Patience};

/// The kinds of agent that can be supervised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Fluent Bit.
    FluentBit,
}

impl Kind {
    fn implementation(self) -> Arc<dyn AgentKind> {
        match self {
            Self::FluentBit => Arc::new(FluentBit),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        match text {
            "fluent-bit" => Ok(Self::FluentBit),
            other => Err(UnknownKind(other.to_owned())),
        }
    }
}

/// A kind that is not known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown agent kind {0:?}; known is fluent-bit")]
pub struct UnknownKind(pub String);

/// All that the process side is to know.
#[derive(Clone, Debug)]
pub struct AgentSettings {
    /// The kind of agent.
    pub kind: Kind,
    /// Its binary: a path, or a name that is looked up on PATH.
    pub binary: PathBuf,
    /// The host's own config file for it, which runs as long as no offered one does. It is never written.
    pub config: PathBuf,
    /// The folder for all that is kept.
    pub state_dir: PathBuf,
    /// How long an offered config must hold before it counts as applied; 0 for no longer than it takes to see it.
    pub probation: Duration,
    /// Where the agent's own telemetry may go without TLS; `None` where offers of destinations are not taken.
    pub own_telemetry: Option<Cleartext>,
    /// Whether offered configs are applied at all. Off by default everywhere (decision D7).
    pub allow_remote_config: bool,
    /// What offered configs may name.
    pub limits: ConfigLimits,
    /// Attributes that join the agent's description.
    pub attributes: BTreeMap<String, String>,
    /// Whether secrets in its config are kept from the server.
    pub redact: bool,
    /// How often a digest of its metrics is made, if at all.
    pub metrics_interval: Option<Duration>,
    /// The agent's uid.
    pub instance_uid: InstanceUid,
    /// What is done about an agent that hangs or does not answer.
    pub patience: Patience,
    /// For how long the server may be silent after an offered config was applied before what ran earlier is put back;
    /// `None`: for ever.
    pub confirm: Option<Duration>,
}

/// Why supervision cannot begin. Nothing was started then.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No such binary.
    #[error("cannot find the agent's binary {binary}: {reason}; install it or name its path in the settings")]
    Binary {
        /// What was looked for.
        binary: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The binary does not print its version.
    #[error("cannot ask {binary} for its version: {source}")]
    Version {
        /// The binary.
        binary: PathBuf,
        /// Why it did not run to its end.
        source: RunError,
    },
    /// The binary is something else.
    #[error("{binary} is not {expected}: it answered {said:?} when asked for its version")]
    OtherProgram {
        /// The binary.
        binary: PathBuf,
        /// What it should be.
        expected: &'static str,
        /// What it printed, shortened.
        said: String,
    },
    /// It cannot be told whether an earlier supervisor's process still runs.
    #[error(
        "cannot tell whether the agent with pid {pid}, which an earlier supervisor started, still runs: {reason}; \
         a second one is not started beside it: end it, or run the supervisor as the user that it ran as"
    )]
    Unknown {
        /// Its number.
        pid: i32,
        /// Why.
        reason: String,
    },
    /// The config file cannot be read.
    #[error("cannot read the agent's config {path}: {reason}; create it or name another one in the settings")]
    ConfigFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The config file is broken.
    #[error("cannot use the agent's config {path}: {source}")]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, with file and line.
        source: RenderError,
    },
    /// The agent itself refuses the config file.
    #[error("the agent refuses its config {path}: {source}")]
    Refused {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: CheckError,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The agent's log cannot be opened.
    #[error("cannot open the agent's log {path}: {source}")]
    Log {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

/// Begins to supervise an agent: adopts the one that an earlier supervisor left, or starts one. Returns as soon as
/// the process is under way; the reports tell how it fares.
///
/// The agent goes on running when the handle is dropped without [`crate::agent::AgentCommand::Stop`].
///
/// # Errors
/// [`StartError`], one sentence that says what to do.
pub async fn start(settings: AgentSettings) -> Result<AgentHandle, StartError> {
    let (handle, commands, publisher) = task::handle(patient::unknown(&settings));
    let (machine, journal) = begin::begin(&settings, settings.kind.implementation(), &publisher).await?;
    let heard = handle.heard.clone();
    let mailbox = Mailbox::new(commands, Later::default());
    tokio::spawn(task::supervise(machine, journal, settings, mailbox, heard));
    Ok(handle)
}

/// As [`start`], at once and whatever is wrong: where supervision cannot begin, the reports say why, and it is tried
/// again until it can.
#[must_use]
pub fn start_patiently(settings: AgentSettings) -> AgentHandle {
    let (handle, commands, publisher) = task::handle(patient::unknown(&settings));
    tokio::spawn(patient::supervise(settings, commands, publisher, handle.heard.clone()));
    handle
}

/// Tries all that a start needs, without starting anything: the program, its version, the config, the agent's own check
/// of it. `settings.state_dir` is used as a scratch folder.
///
/// # Errors
/// [`StartError`], as a start would have it.
pub async fn rehearse(settings: &AgentSettings) -> Result<Rehearsal, StartError> {
    begin::rehearse(settings, settings.kind.implementation()).await
}

/// Stops the agent that an earlier supervisor left, if there is one: for a supervisor that is told to end before its
/// own supervision has begun.
///
/// # Errors
/// [`StartError`] when the state folder cannot be used or nothing can be said of the process.
pub async fn stop_left(kind: Kind, state_dir: &std::path::Path) -> Result<(), StartError> {
    let state = StateDir::open(state_dir)?;
    let kind = kind.implementation();
    left::Left::find(&state, &*kind).await?.stop().await;
    Ok(())
}

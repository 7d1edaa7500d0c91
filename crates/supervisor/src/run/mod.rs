//! The supervisor as a whole: its agents' process sides, the protocol side that they share, and an orderly end.
//!
//! ```text
//! settings → supervise (one per agent) ─┬→ client (one connection) → server
//! signals  → escort (one per agent) ────┘
//! ```
//!
//! Settings that are read again (SIGHUP) are a new beginning in the same process: agents are released and adopted, as
//! after a crash of the supervisor, and never stand still for it.

mod escort;
mod signals;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use tidegate_opamp::{AgentCapabilities, InstanceUid};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

pub use signals::{Reread, Told};

use crate::agent::{AgentCommand, AgentHandle};
use crate::client::{self, ClientSettings, CoreSettings, History, Keeper, Leave, Wiring, capabilities};
use crate::dispatch::Dispatcher;
use crate::handlers::{About, Act, ChatOps, Inspect, NullCommand, Own, Registry, Schema, Shutdown, Sight};
use crate::identity::{self, IdentityError};
use crate::settings::{self, Agent, Allowed, Settings};
use crate::state::{StateDir, StateError};
use crate::supervise::{self, AgentSettings, StartError};
use escort::Escort;

/// Most answers of handlers that wait for the client.
const ANSWERS: usize = 64;

/// Most time that an agent's process has to end once it is told to; the process side kills it before, but honours a
/// `grace` of up to 300 s in its config.
const STOP_DEADLINE: Duration = Duration::from_secs(320);

/// When the supervisor started.
static STARTED: OnceLock<Instant> = OnceLock::new();

/// Why the supervisor ended before it was told to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no uid for the agent.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The agent cannot be supervised.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Signals cannot be received.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
    /// The task that owns the agent's process is gone.
    #[error("the agent's supervision ended by itself; the agent may still run: start the supervisor again")]
    Ended,
    /// The process did not end in time.
    #[error("the agent did not stop within {} s", STOP_DEADLINE.as_secs())]
    StopDeadline,
    /// None of several agents can be supervised.
    #[error("none of the agents can be supervised: see the errors above")]
    None,
}

/// An agent whose supervision has begun.
#[derive(Debug)]
pub struct Supervised {
    /// Its settings.
    pub agent: Agent,
    /// Its uid.
    pub uid: InstanceUid,
    /// Its process side.
    pub handle: AgentHandle,
}

/// How far each agent's conversation has come: the number of its last message, by uid.
pub type Spoken = HashMap<InstanceUid, u64>;

/// Supervises until a signal or the server's order ends it: farewell to the server first, then the agents' processes
/// are stopped. What the server does or fails to do never ends it otherwise.
///
/// # Errors
/// [`RunError`]. One of several agents that cannot be supervised is no error, nor is one that ran here before: it is
/// tried again, and its server is told.
pub async fn run(mut settings: Settings, reread: Reread) -> Result<(), RunError> {
    let (told, mut listening) = watch::channel(Told::Go);
    STARTED.get_or_init(Instant::now);
    signals::listen(told.clone(), &settings, reread).map_err(RunError::Signals)?;
    let mut spoken = Spoken::new();
    let mut patient = settings.agents.len() > 1;
    loop {
        let started = tokio::select! {
            biased;
            _ = listening.wait_for(Told::ends) => None,
            started = Box::pin(start(&settings, patient)) => Some(started?),
        };
        let Some(agents) = started else {
            return if matches!(*told.borrow(), Told::Stop) { stop_left(&settings).await } else { Ok(()) };
        };
        Box::pin(serve(&settings, agents, &mut spoken, told.subscribe())).await?;
        let next = match &*told.borrow() {
            Told::Reload(next) => Settings::clone(next),
            _ => return Ok(()),
        };
        settings = next;
        // What ran once is not given up for a fault of its host.
        patient = true;
        told.send_if_modified(|told| {
            // An end, or settings that are newer still, are seen by the next round.
            let taken = matches!(told, Told::Reload(next) if **next == settings);
            if taken {
                *told = Told::Go;
            }
            taken
        });
    }
}

async fn start(settings: &Settings, patient: bool) -> Result<Vec<Supervised>, RunError> {
    let mut agents = Vec::new();
    for agent in &settings.agents {
        match begin(settings, agent, patient).await {
            Ok(supervised) => agents.push(supervised),
            Err(error) if settings.agents.len() > 1 => {
                tracing::error!(
                    agent = agent.name,
                    "the agent is left out until the settings are read again: {error}"
                );
            }
            Err(error) => return Err(error),
        }
    }
    if agents.is_empty() { Err(RunError::None) } else { Ok(agents) }
}

async fn begin(settings: &Settings, agent: &Agent, patient: bool) -> Result<Supervised, RunError> {
    // Before anything is written there.
    for folder in [&settings.state_dir, &agent.state_dir] {
        StateDir::refuse_foreign(folder).map_err(StartError::State)?;
    }
    // Two must not speak for one agent, however patient they are.
    if let Err(taken @ StateError::Locked { .. }) = StateDir::open(&agent.state_dir) {
        return Err(StartError::State(taken).into());
    }
    let patient = patient || StateDir::has_run(&agent.state_dir);
    let uid = identity::load(&agent.state_dir)?;
    let endpoint = &settings.server.endpoint;
    tracing::info!(agent = agent.name, %uid, %endpoint, allow = ?agent.allow, "supervision begins");
    let process = AgentSettings {
        kind: agent.kind,
        binary: agent.binary.clone(),
        config: agent.config.clone(),
        state_dir: agent.state_dir.clone(),
        probation: settings.probation,
        allow_remote_config: agent.allows(Allowed::RemoteConfig),
        own_telemetry: agent.own_telemetry(),
        limits: settings.config_limits(),
        attributes: agent.attributes.clone(),
        redact: settings.redact,
        metrics_interval: settings.metrics_interval,
        instance_uid: uid,
        patience: settings.patience,
        confirm: settings.confirm,
    };
    let handle =
        if patient { supervise::start_patiently(process) } else { supervise::start(process).await? };
    Ok(Supervised { agent: agent.clone(), uid, handle })
}

/// Nothing was started yet; what an earlier supervisor left is stopped as it would be later on.
async fn stop_left(settings: &Settings) -> Result<(), RunError> {
    let mut ended = Ok(());
    for agent in &settings.agents {
        let stopping = supervise::stop_left(agent.kind, &agent.state_dir);
        let stopped = match tokio::time::timeout(STOP_DEADLINE, stopping).await {
            Ok(stopped) => stopped.map_err(RunError::Start),
            Err(_) => Err(RunError::StopDeadline),
        };
        ended = ended.and(stopped);
    }
    ended
}

/// Speaks for agents that are supervised already, until `told` ends it or each of them has ended; notes in `spoken` how
/// far their conversations came.
///
/// # Errors
/// [`RunError::Ended`] or [`RunError::StopDeadline`], of the first agent that had it.
pub async fn serve(
    settings: &Settings,
    agents: Vec<Supervised>,
    spoken: &mut Spoken,
    told: watch::Receiver<Told>,
) -> Result<(), RunError> {
    let history = History::default();
    let about = Arc::new(about(settings, history.clone()));
    let client = ClientSettings {
        history,
        keeper: Keeper::new(&settings.state_dir, &settings.server, settings.allow_connection_settings),
        target: settings.server.clone(),
        max_message_bytes: settings.max_message_bytes,
    };
    let mut escorts = JoinSet::new();
    let mut wirings = Vec::new();
    for supervised in agents {
        let sequence_num = spoken.get(&supervised.uid).copied().unwrap_or_default();
        let (wiring, escort) = wire(settings, supervised, sequence_num, told.clone(), &about);
        wirings.push(wiring);
        escorts.spawn(escort.run());
    }
    client::run(client, wirings).await;
    let mut ended = Ok(());
    while let Some(escorted) = escorts.join_next().await {
        let Ok((conversation, result)) = escorted else { continue };
        spoken.extend(conversation);
        ended = ended.and(result);
    }
    ended
}

/// What joins an agent's process side, its handlers and the client.
fn wire(
    settings: &Settings,
    supervised: Supervised,
    sequence_num: u64,
    told: watch::Receiver<Told>,
    about: &Arc<About>,
) -> (Wiring, Escort) {
    let Supervised { agent, uid, handle } = supervised;
    let (shutting_down, shutdown) = watch::channel(false);
    let registry = registry(&agent, shutting_down, &handle.commands, about);
    let (answering, answers) = mpsc::channel(ANSWERS);
    let (leave, leaving) = watch::channel(Leave::Stay);
    let (left, has_left) = oneshot::channel();
    let moves = settings.allow_connection_settings;
    let mut custom_capabilities = registry.capabilities();
    // No handler's: nothing of it is asked for.
    custom_capabilities.extend(settings.metrics_interval.map(|_| tidegate_custom::METRICS.to_owned()));
    let core = CoreSettings {
        capabilities: capabilities(agent.allows(Allowed::RemoteConfig), agent.allows(Allowed::Restart))
            .with_if(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS, moves)
            .with_if(
                AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS,
                moves || agent.own_telemetry().is_some(),
            ),
        custom_capabilities,
        heartbeat: settings.heartbeat,
        max_message_bytes: settings.max_message_bytes,
    };
    let state_dir = agent.state_dir.clone();
    let on_new_uid = Box::new(move |uid| {
        if let Err(error) = identity::store(&state_dir, uid) {
            tracing::error!(%error, "the agent's new uid is used, but will be forgotten at the next start");
        }
    });
    let dispatcher =
        Dispatcher::start(handle.commands.clone(), answering, registry, &agent.state_dir, on_new_uid);
    let handed_on = agent.own_telemetry().and_then(|_| dispatcher.resume_own_telemetry());
    let reports = handle.reports.clone();
    let outlet = Box::new(dispatcher);
    let heard = handle.heard.clone();
    let wiring =
        Wiring { core, uid, sequence_num, handed_on, reports, answers, heard, outlet, leave: leaving, left };
    (wiring, Escort { agent, handle, shutdown, told, leave, left: has_left })
}

/// What the supervisor tells of itself.
fn about(settings: &Settings, history: History) -> About {
    let headers = settings.server.headers.iter().filter_map(|(_, value)| value.to_str().ok());
    // What is behind `Bearer` as well.
    let words = headers.flat_map(|value| std::iter::once(value).chain(value.split_whitespace().skip(1)));
    let mut secrets: Vec<String> = words.map(ToOwned::to_owned).collect();
    for handler in settings.agents.iter().flat_map(|agent| &agent.handlers) {
        match &handler.act {
            Act::Program { args, .. } => secrets.extend(args.iter().cloned()),
            Act::Http { path, .. } => secrets.extend(path.split_once('?').map(|(_, query)| query.to_owned())),
        }
    }
    let text = settings::print(settings).unwrap_or_else(|error| error);
    About { settings: text, secrets, history, since: *STARTED.get_or_init(Instant::now) }
}

fn registry(
    agent: &Agent,
    shutting_down: watch::Sender<bool>,
    commands: &mpsc::Sender<AgentCommand>,
    about: &Arc<About>,
) -> Registry {
    let mut registry = Registry::default().with(NullCommand).with(Schema::new(commands.clone()));
    if agent.allows(Allowed::ChatOps) {
        registry = registry.with(ChatOps::new(agent.chatops.clone()));
    }
    if agent.allows(Allowed::Shutdown) {
        registry = registry.with(Shutdown::new(shutting_down));
    }
    let sights = [
        (Allowed::Logs, Sight::Logs),
        (Allowed::DryRun, Sight::DryRun),
        (Allowed::Diagnostics, Sight::Diagnostics),
    ];
    for (what, sight) in sights {
        if agent.allows(what) {
            registry = registry.with(Inspect::new(sight, commands.clone(), Arc::clone(about)));
        }
    }
    Own::all(&agent.handlers).into_iter().fold(registry, Registry::with)
}

//! The supervisor as a whole: the process side, the protocol side, and an orderly end.

use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, InstanceUid};
use tokio::sync::{mpsc, oneshot, watch};

use crate::agent::{AgentCommand, AgentHandle};
use crate::client::{self, ClientSettings, CoreSettings, Keeper, Wiring, capabilities};
use crate::dispatch::Dispatcher;
use crate::handlers::{ChatOps, NullCommand, Registry, Shutdown};
use crate::identity::{self, IdentityError};
use crate::settings::{Allowed, Settings};
use crate::state::StateDir;
use crate::supervise::{self, AgentSettings, StartError};

/// Most answers of handlers that wait for the client.
const ANSWERS: usize = 64;

/// Most time that the agent's process has to end once it is told to; the process side kills it before, but honours a
/// `grace` of up to 300 s in its config.
const STOP_DEADLINE: Duration = Duration::from_secs(320);

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
}

/// Supervises until a signal or the server's order ends it: farewell to the server first, then the agent's process
/// is stopped. What the server does or fails to do never ends it otherwise.
///
/// # Errors
/// [`RunError`].
pub async fn run(settings: Settings) -> Result<(), RunError> {
    let (stop, _) = watch::channel(false);
    on_signals(stop.clone()).map_err(RunError::Signals)?;
    // Before anything is written there.
    StateDir::refuse_foreign(&settings.state_dir).map_err(StartError::State)?;
    let uid = identity::load(&settings.state_dir)?;
    tracing::info!(%uid, endpoint = %settings.server.endpoint, allow = ?settings.allow, "the supervisor starts");
    let agent = AgentSettings {
        kind: settings.kind,
        binary: settings.binary.clone(),
        config: settings.agent_config.clone(),
        state_dir: settings.state_dir.clone(),
        probation: settings.probation,
        allow_remote_config: settings.allows(Allowed::RemoteConfig),
        attributes: settings.attributes.clone(),
        instance_uid: uid,
    };
    let mut told = stop.subscribe();
    let started = tokio::select! {
        biased;
        _ = told.wait_for(|stop| *stop) => None,
        started = Box::pin(supervise::start(agent)) => Some(started?),
    };
    let Some(handle) = started else {
        // Nothing was started yet; what an earlier supervisor left is stopped as it would be later on.
        let stopping = supervise::stop_left(&settings.state_dir);
        return Ok(tokio::time::timeout(STOP_DEADLINE, stopping)
            .await
            .map_err(|_| RunError::StopDeadline)??);
    };
    Box::pin(serve(&settings, uid, handle, stop)).await
}

/// Speaks for an agent that is supervised already, until `stop` becomes true, then stops it.
///
/// # Errors
/// [`RunError::Ended`] or [`RunError::StopDeadline`].
pub async fn serve(
    settings: &Settings,
    uid: InstanceUid,
    handle: AgentHandle,
    stop: watch::Sender<bool>,
) -> Result<(), RunError> {
    let registry = registry(settings, &stop);
    let moves = settings.allows(Allowed::ConnectionSettings);
    let client = ClientSettings {
        keeper: Keeper::new(&settings.state_dir, &settings.server),
        target: settings.server.clone(),
        core: CoreSettings {
            capabilities: capabilities(
                settings.allows(Allowed::RemoteConfig),
                settings.allows(Allowed::Restart),
            )
            .with_if(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS, moves)
            .with_if(AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS, moves),
            custom_capabilities: registry.capabilities(),
            heartbeat: settings.heartbeat,
            max_message_bytes: settings.max_message_bytes,
        },
        max_message_bytes: settings.max_message_bytes,
    };
    let (answering, answers) = mpsc::channel(ANSWERS);
    let state_dir = settings.state_dir.clone();
    let on_new_uid = Box::new(move |uid| {
        if let Err(error) = identity::store(&state_dir, uid) {
            tracing::error!(%error, "the agent's new uid is used, but will be forgotten at the next start");
        }
    });
    let dispatcher = Dispatcher::start(handle.commands.clone(), answering, registry, on_new_uid);
    let wiring = Wiring {
        reports: handle.reports.clone(),
        answers,
        outlet: Box::new(dispatcher),
        stop: stop.subscribe(),
    };
    let speaking = client::run(client, uid, wiring);
    tokio::pin!(speaking);
    tokio::select! {
        () = &mut speaking => {}
        () = handle.commands.closed() => {
            stop.send_replace(true);
            speaking.await;
            return Err(RunError::Ended);
        }
    }
    stop_agent(&handle).await
}

fn registry(settings: &Settings, stop: &watch::Sender<bool>) -> Registry {
    let mut registry = Registry::default().with(NullCommand);
    if settings.allows(Allowed::ChatOps) {
        registry = registry.with(ChatOps::new(settings.chatops.clone()));
    }
    if settings.allows(Allowed::Shutdown) {
        registry = registry.with(Shutdown::new(stop.clone()));
    }
    registry
}

async fn stop_agent(handle: &AgentHandle) -> Result<(), RunError> {
    let (done, stopped) = oneshot::channel();
    let stopping = async {
        // An error of either says that there is nothing left to stop.
        let _ = handle.commands.send(AgentCommand::Stop(done)).await;
        let _ = stopped.await;
    };
    tokio::time::timeout(STOP_DEADLINE, stopping).await.map_err(|_| RunError::StopDeadline)
}

/// SIGTERM and SIGINT make `stop` true.
fn on_signals(stop: watch::Sender<bool>) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                Some(()) = terminate.recv() => "SIGTERM",
                Some(()) = interrupt.recv() => "SIGINT",
                else => return,
            };
            tracing::info!(signal = name, "the supervisor ends");
            stop.send_replace(true);
        }
    });
    Ok(())
}

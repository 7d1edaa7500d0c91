//! A server from its settings to its end.

use std::fs::File;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_fleet::settings::Terms;
use tidegate_store::{History, HistoryBounds, Location, SqliteHistory, SqliteStore, Store};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::agents::reload::{self, Refresh};
use crate::agents::{self, Guard, Plane, Workers};
use crate::background::{self, Until};
use crate::console;
use crate::control::Control;
use crate::data_dir;
use crate::listen::{self, Drained, Stopping};
use crate::mcp::{self, Mcp};
use crate::rest::{self, Face};
use crate::session::{Hosts, Sessions};
use crate::settings::{MetricsSettings, Settings};
use crate::state::{Core, Extent, Options};
use crate::token;

/// How long connections may take to end when the server stops, beyond the time over which sockets are closed.
const DRAIN: Duration = Duration::from_secs(10);

/// Files in the data directory that name where the planes listen, for programs on the same machine.
const ADDRESS_FILES: [&str; 2] = ["agents-address", "operators-address"];

/// A server cannot start, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StartError(String);

/// A server that runs.
pub struct Running {
    /// Where agents connect.
    pub agents: SocketAddr,
    /// Where operators connect.
    pub operators: SocketAddr,
    core: Arc<Core>,
    switch: watch::Sender<bool>,
    drained: Drained,
    drain: Duration,
    sessions: Sessions,
    workers: Workers,
    _lock: File,
}

/// Starts a server: when this returns, both planes are open and the fleet is loaded.
///
/// # Errors
/// [`StartError`] for a data directory that cannot be used or is in use, a damaged store, a taken address.
pub async fn start(settings: Settings) -> Result<Running, StartError> {
    let data_dir = &settings.data_dir;
    data_dir::make(data_dir).map_err(StartError)?;
    let lock = data_dir::lock(data_dir).map_err(StartError)?;
    let token = token::load_or_create(data_dir).map_err(StartError)?;
    let location = Location::File(data_dir::database(data_dir));
    let store = SqliteStore::open(&location).map_err(|error| StartError(error.to_string()))?;
    let store: Arc<dyn Store> = Arc::new(store);
    let snapshot = store.load().map_err(|error| StartError(error.to_string()))?;
    tracing::info!(agents = snapshot.agents.len(), clean = snapshot.clean, "the fleet is loaded");
    let options = Options {
        heartbeat_interval: settings.agents.heartbeat_interval,
        max_message_bytes: settings.limits.max_message_bytes,
        max_agents: settings.limits.max_agents,
    };
    let interval = settings.agents.heartbeat_interval.as_secs();
    let terms = Terms {
        endpoint: settings.agents.advertised_endpoint.clone(),
        interval_seconds: u32::try_from(interval).unwrap_or(u32::MAX).max(1),
    };
    let core = Arc::new(Core::new(store, history(data_dir, &settings.metrics), snapshot, options, terms));
    let tls = settings.agents.tls.as_ref().map(agents::tls::load).transpose().map_err(StartError)?;
    let tls = tls.map(Arc::new);
    let tokens = settings.agents.tokens_file.as_deref().map(agents::tokens::load).transpose();
    let tokens = tokens.map_err(StartError)?.map(Arc::new);
    let guard = Arc::new(Guard::new(&settings, tokens.clone()));

    let agents_listener = bind("agents", settings.agents.listen).await?;
    let operators_listener = bind("operators", settings.operators.listen).await?;
    let local = |listener: &TcpListener| listener.local_addr().map_err(|error| StartError(error.to_string()));
    let (agents, operators) = (local(&agents_listener)?, local(&operators_listener)?);
    for (name, address) in ADDRESS_FILES.iter().zip([agents, operators]) {
        write_address(&data_dir.join(name), address).map_err(StartError)?;
    }

    let workers = Workers::start()
        .map_err(|error| StartError(format!("the threads for agents cannot be started: {error}")))?;
    let (switch, stopping) = Stopping::channel();
    let (serving, drained) = listen::serving();
    let until = Until { stopping: stopping.clone(), serving: serving.clone() };
    let tasks = background::start(&core, &until);
    drop(until);
    let plane = Plane {
        core: Arc::clone(&core),
        path: settings.agents.path.as_str().into(),
        guard,
        tls: tls.clone(),
        stopping: stopping.clone(),
        serving: serving.clone(),
    };
    let files = tls.map(|tls| tls as Arc<dyn Refresh>).into_iter();
    let files = files.chain(tokens.map(|tokens| tokens as Arc<dyn Refresh>)).collect();
    tokio::spawn(reload::watch(files, settings.agents.reload_interval, stopping.clone()));
    let max = settings.limits.max_connections;
    tokio::spawn(agents::serve(agents_listener, plane, workers.turns()));
    let cursors = rest::Cursors::new()
        .map_err(|error| StartError(format!("there is no randomness for cursors: {error}")))?;
    let control = Control::new(Arc::clone(&core), tasks);
    let under_way = rest::UnderWay::default();
    let limits = rest::Limits::new(&settings.limits);
    let sessions = Sessions::default();
    let mcp = Mcp {
        control: control.clone(),
        token: token.clone(),
        cursors: cursors.clone(),
        limits: limits.clone(),
        loopback: operators.ip().is_loopback(),
    };
    let mcp = mcp::router(mcp, &stopping).map_err(StartError)?;
    let face = Face {
        control,
        token,
        sessions: sessions.clone(),
        hosts: Hosts::new(settings.operators.names.clone()),
        cursors,
        under_way,
        limits,
        stopping: stopping.clone(),
    };
    tokio::spawn(rest::serve(operators_listener, max, rest::router(face).merge(mcp), stopping, serving));
    let drain = settings.agents.drain;
    Ok(Running { agents, operators, core, switch, drained, drain, sessions, workers, _lock: lock })
}

impl Running {
    /// A link that logs in to the console once, within a quarter of an hour; `None` where the program has no console.
    ///
    /// # Errors
    /// Where there is no randomness.
    pub fn login_link(&self) -> Result<Option<String>, String> {
        if !console::is_built() {
            return Ok(None);
        }
        let code = self.sessions.code()?;
        Ok(Some(format!("http://{}{}", self.operators, rest::login_path(&code))))
    }

    /// Ends the server in order: nothing new is accepted, agents get a close frame, what is behind is written.
    pub async fn stop(self) {
        // The receivers may be gone already; then there is nothing to stop.
        let _ = self.switch.send(true);
        let drained = self.drained.within(self.drain + DRAIN).await;
        if !drained {
            tracing::warn!("some connections did not end in time");
        }
        let workers = self.workers;
        // What they serve still has been waited for long enough; nothing is to write after the last flush.
        let _ = tokio::task::spawn_blocking(|| workers.stop()).await;
        let flushed = self.core.flush(Extent::Everything).await;
        if let Err(error) = &flushed {
            tracing::error!(%error, "the last reports could not be written; agents will be asked for them");
        }
        if let Err(error) = self.core.close_history().await {
            tracing::warn!(%error, "the last metrics could not be written to their history");
        }
        if let Err(error) = self.core.store.close(drained && flushed.is_ok()).await {
            tracing::error!(%error, "the store could not be closed");
        }
    }
}

/// The history of metrics; a server that cannot keep one does without.
fn history(data_dir: &Path, settings: &MetricsSettings) -> Option<Arc<dyn History>> {
    let bounds = HistoryBounds { bytes: settings.history_bytes, retention: settings.history_retention };
    if bounds.bytes == 0 {
        return None;
    }
    match SqliteHistory::open(&Location::File(data_dir::history(data_dir)), bounds) {
        Ok(history) => Some(Arc::new(history)),
        Err(error) => {
            tracing::warn!(%error, "no history of metrics is kept");
            None
        }
    }
}

async fn bind(plane: &str, address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|error| {
        StartError(format!(
            "cannot listen for {plane} on {address}: {error}; stop what listens there, or give --{plane} ADDR"
        ))
    })
}

fn write_address(path: &Path, address: SocketAddr) -> Result<(), String> {
    std::fs::write(path, format!("{address}\n"))
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

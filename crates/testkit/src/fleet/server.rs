//! A server in the test's own process.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use tidegate_api::client::Client;
use tidegate_server::run;
use tidegate_server::settings::{
    AgentsSettings, LimitSettings, MetricsSettings, OperatorsSettings, Settings,
};
use tokio::sync::oneshot;

/// A running server with a thread of its own. Without [`Server::stop`] it ends as if it had crashed.
#[derive(Debug)]
pub struct Server {
    /// Where agents connect.
    pub agents: SocketAddr,
    /// Where operators connect.
    pub operators: SocketAddr,
    /// A client that shows the admin token.
    pub api: Client,
    data_dir: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Settings of a server with its state in `data_dir`, on these ports of 127.0.0.1; 0 is any.
#[must_use]
pub fn settings(data_dir: &Path, agents: u16, operators: u16) -> Settings {
    let listen = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Settings {
        data_dir: data_dir.to_owned(),
        agents: AgentsSettings { listen: listen(agents), ..AgentsSettings::default() },
        operators: OperatorsSettings {
            listen: listen(operators),
            allow_plaintext_network: false,
            names: Vec::new(),
        },
        limits: LimitSettings { max_connections: 1000, max_agents: 1000, ..LimitSettings::default() },
        metrics: MetricsSettings::default(),
    }
}

impl Server {
    /// Starts one with its state and its log in `folder`, on any ports.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start(folder: &Path) -> Self {
        Self::start_with(settings(&folder.join("server"), 0, 0)).await
    }

    /// Starts one with settings of the test's choice; its log stands beside its data directory.
    ///
    /// # Panics
    /// When it does not start.
    pub async fn start_with(settings: Settings) -> Self {
        let data_dir = settings.data_dir.clone();
        let (stop, stopped) = oneshot::channel();
        let (started, starting) = oneshot::channel();
        let thread = std::thread::spawn(move || serve(settings, started, stopped));
        let (agents, operators) = starting.await.unwrap().unwrap_or_else(|error: String| panic!("{error}"));
        let api = client(&data_dir, operators);
        Self { agents, operators, api, data_dir, stop: Some(stop), thread: Some(thread) }
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// The endpoint for agents that speak WebSocket (`ws`) or plain HTTP (`http`).
    #[must_use]
    pub fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://{}/v1/opamp", self.agents)
    }

    /// Ends it in order.
    ///
    /// # Panics
    /// When it ends by a panic.
    pub async fn stop(mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            tokio::task::spawn_blocking(move || thread.join()).await.unwrap().unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The thread sees its end of the channel close, and leaves.
        drop(self.stop.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// A client of the server with this data directory.
pub(super) fn client(data_dir: &Path, operators: SocketAddr) -> Client {
    let token = fs::read_to_string(data_dir.join("admin-token")).unwrap();
    Client::new(&format!("http://{operators}"), token.trim()).unwrap()
}

fn serve(
    settings: Settings,
    started: oneshot::Sender<Result<(SocketAddr, SocketAddr), String>>,
    stop: oneshot::Receiver<()>,
) {
    let log = settings.data_dir.with_extension("log");
    let log = File::options().create(true).append(true).open(log).unwrap();
    let subscriber =
        tracing_subscriber::fmt().with_ansi(false).with_writer(Arc::new(log)).with_target(false).finish();
    // Every task of the server runs on this thread, and so logs here.
    let _log = tracing::subscriber::set_default(subscriber);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let running = match run::start(settings).await {
            Ok(running) => running,
            Err(error) => return drop(started.send(Err(error.to_string()))),
        };
        drop(started.send(Ok((running.agents, running.operators))));
        if stop.await.is_ok() {
            running.stop().await;
        }
    });
    runtime.shutdown_background();
}

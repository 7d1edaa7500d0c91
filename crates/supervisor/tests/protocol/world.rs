//! A supervisor's protocol side with a process side that the test plays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::{AgentDescription, ComponentHealth, EffectiveConfig, InstanceUid};
use tidegate_supervisor::agent::{AgentCommand, AgentHandle, AgentReport};
use tidegate_supervisor::client::{Target, TlsSettings};
use tidegate_supervisor::handlers::ChatOpsSettings;
use tidegate_supervisor::run::{RunError, serve};
use tidegate_supervisor::settings::{Allowed, Settings};
use tidegate_supervisor::supervise::Kind;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::peer::PATIENCE;

pub(crate) struct World {
    pub(crate) uid: InstanceUid,
    pub(crate) state: tempfile::TempDir,
    pub(crate) commands: mpsc::Receiver<AgentCommand>,
    reports: watch::Sender<AgentReport>,
    stop: watch::Sender<bool>,
    serving: tokio::task::JoinHandle<Result<(), RunError>>,
}

/// What a test changes of the settings.
pub(crate) struct Setup {
    pub(crate) endpoint: String,
    pub(crate) heartbeat: Duration,
    pub(crate) max_message_bytes: usize,
    pub(crate) chatops_port: u16,
    pub(crate) allow: BTreeSet<Allowed>,
    pub(crate) tls: TlsSettings,
    /// A folder that another supervisor left.
    pub(crate) state: Option<tempfile::TempDir>,
}

impl Setup {
    pub(crate) fn new(scheme: &str, port: u16) -> Self {
        Self {
            endpoint: format!("{scheme}://127.0.0.1:{port}/v1/opamp"),
            heartbeat: Duration::from_secs(30),
            max_message_bytes: 1 << 20,
            chatops_port: 9,
            allow: Allowed::WORDS.iter().map(|(what, _)| *what).collect(),
            tls: TlsSettings::default(),
            state: None,
        }
    }

    pub(crate) fn start(self) -> World {
        let state = self.state.unwrap_or_else(|| tempfile::tempdir().unwrap());
        let settings = Settings {
            server: Target {
                endpoint: self.endpoint.parse().unwrap(),
                headers: vec![("authorization".parse().unwrap(), "Bearer token".parse().unwrap())],
                tls: self.tls,
            },
            ca_file: None,
            kind: Kind::FluentBit,
            binary: "/nowhere".into(),
            agent_config: "/nowhere".into(),
            state_dir: state.path().to_owned(),
            probation: Duration::ZERO,
            heartbeat: self.heartbeat,
            allow: self.allow,
            chatops: ChatOpsSettings { port: self.chatops_port, tags: Vec::new() },
            attributes: BTreeMap::new(),
            max_message_bytes: self.max_message_bytes,
        };
        let uid = InstanceUid::v7(1, [3; 10]);
        let (commanding, commands) = mpsc::channel(4);
        let (reports, reported) = watch::channel(report("running"));
        let handle = AgentHandle { commands: commanding, reports: reported };
        let (stop, _) = watch::channel(false);
        let stopping = stop.clone();
        let serving = tokio::spawn(async move { serve(&settings, uid, handle, stopping).await });
        World { uid, state, commands, reports, stop, serving }
    }
}

fn report(status: &str) -> AgentReport {
    let health = ComponentHealth { healthy: true, status: status.to_owned(), ..ComponentHealth::default() };
    AgentReport {
        description: Arc::new(AgentDescription::default()),
        health: Arc::new(health),
        effective_config: Arc::new(EffectiveConfig::default()),
        remote_config_status: None,
    }
}

impl World {
    /// The process side reports another status.
    pub(crate) fn change(&self, status: &str) {
        self.reports.send_replace(report(status));
    }

    pub(crate) async fn command(&mut self) -> AgentCommand {
        timeout(PATIENCE, self.commands.recv()).await.expect("no command came").expect("the client is gone")
    }

    /// As a signal does.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Plays the process side's end and waits for the supervisor's.
    pub(crate) async fn ended(mut self) -> Result<(), RunError> {
        match self.command().await {
            AgentCommand::Stop(done) => done.send(()).unwrap(),
            other => panic!("the agent was to be stopped, not {other:?}"),
        }
        timeout(PATIENCE, self.serving).await.expect("the supervisor goes on").unwrap()
    }

    /// Stops it, plays the process side's end, and keeps the folder for the next one.
    pub(crate) async fn left(mut self) -> tempfile::TempDir {
        self.stop();
        match self.command().await {
            AgentCommand::Stop(done) => done.send(()).unwrap(),
            other => panic!("the agent was to be stopped, not {other:?}"),
        }
        timeout(PATIENCE, self.serving).await.expect("the supervisor goes on").unwrap().unwrap();
        self.state
    }

    /// Takes the process side away.
    pub(crate) async fn abandoned(self) -> Result<(), RunError> {
        drop((self.commands, self.reports));
        timeout(PATIENCE, self.serving).await.expect("the supervisor goes on").unwrap()
    }
}

//! A supervisor's protocol side with a process side that the test plays.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_opamp::{AgentDescription, ComponentHealth, EffectiveConfig, InstanceUid};
use tidegate_supervisor::agent::{AgentCommand, AgentHandle, AgentReport, Heard};
use tidegate_supervisor::client::{Proxy, Target, TlsSettings};
use tidegate_supervisor::handlers::{ChatOpsSettings, HandlerSettings};
use tidegate_supervisor::run::{RunError, Spoken, Supervised, Told, serve};
use tidegate_supervisor::settings::{Agent, Allowed, Settings};
use tidegate_supervisor::supervise::{ConfigLimits, Kind};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::peer::PATIENCE;

pub(crate) struct World {
    pub(crate) uid: InstanceUid,
    pub(crate) state: tempfile::TempDir,
    pub(crate) commands: mpsc::Receiver<AgentCommand>,
    reports: watch::Sender<AgentReport>,
    /// When the server was heard.
    pub(crate) heard: Heard,
    /// Further agents of the same supervisor.
    pub(crate) others: Vec<Played>,
    pub(crate) told: watch::Sender<Told>,
    pub(crate) serving: tokio::task::JoinHandle<Result<(), RunError>>,
}

/// The process side of a further agent.
pub(crate) struct Played {
    pub(crate) uid: InstanceUid,
    pub(crate) commands: mpsc::Receiver<AgentCommand>,
    pub(crate) reports: watch::Sender<AgentReport>,
}

/// What a test changes of the settings.
pub(crate) struct Setup {
    pub(crate) endpoint: String,
    pub(crate) heartbeat: Duration,
    pub(crate) max_message_bytes: usize,
    pub(crate) chatops_port: u16,
    pub(crate) handlers: Vec<HandlerSettings>,
    pub(crate) allow: BTreeSet<Allowed>,
    pub(crate) tls: TlsSettings,
    pub(crate) proxy: Option<Proxy>,
    /// How many agents share the connection.
    pub(crate) agents: u8,
    /// The number of their last messages.
    pub(crate) sequence_num: u64,
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
            handlers: Vec::new(),
            allow: Allowed::WORDS.iter().map(|(what, _)| *what).collect(),
            tls: TlsSettings::default(),
            proxy: None,
            agents: 1,
            sequence_num: 0,
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
                proxy: self.proxy,
            },
            ca_file: None,
            token_file: None,
            agents: Vec::new(),
            state_dir: state.path().to_owned(),
            patience: tidegate_supervisor::supervise::Patience::default(),
            probation: Duration::ZERO,
            confirm: None,
            heartbeat: self.heartbeat,
            metrics_interval: None,
            redact: true,
            allow_connection_settings: self.allow.contains(&Allowed::ConnectionSettings),
            limits: ConfigLimits::default(),
            max_message_bytes: self.max_message_bytes,
        };
        let agent = Agent {
            name: String::new(),
            kind: Kind::FluentBit,
            binary: "/nowhere".into(),
            config: "/nowhere".into(),
            state_dir: state.path().to_owned(),
            allow: self.allow,
            chatops: ChatOpsSettings { port: self.chatops_port, tags: Vec::new() },
            handlers: self.handlers,
            attributes: BTreeMap::new(),
        };
        let (told, telling) = watch::channel(Told::Go);
        let heard = Heard::default();
        let mut agents = Vec::new();
        let mut played = Vec::new();
        for number in 0..self.agents {
            let uid = InstanceUid::v7(1, [3 + number; 10]);
            let (commanding, commands) = mpsc::channel(4);
            let (reports, reported) = watch::channel(report("running"));
            let handle = AgentHandle { commands: commanding, reports: reported, heard: heard.clone() };
            let state_dir = state.path().join(number.to_string());
            std::fs::create_dir_all(&state_dir).unwrap();
            let state_dir = if self.agents == 1 { agent.state_dir.clone() } else { state_dir };
            agents.push(Supervised { agent: Agent { state_dir, ..agent.clone() }, uid, handle });
            played.push(Played { uid, commands, reports });
        }
        let mut spoken: Spoken = agents.iter().map(|agent| (agent.uid, self.sequence_num)).collect();
        let serving = tokio::spawn(async move { serve(&settings, agents, &mut spoken, telling).await });
        let mut played = played.into_iter();
        let Played { uid, commands, reports } = played.next().unwrap();
        World { uid, state, commands, reports, heard, others: played.collect(), told, serving }
    }
}

pub(crate) fn report(status: &str) -> AgentReport {
    let health = ComponentHealth { healthy: true, status: status.to_owned(), ..ComponentHealth::default() };
    AgentReport {
        description: Arc::new(AgentDescription::default()),
        health: Arc::new(health),
        effective_config: Arc::new(EffectiveConfig::default()),
        remote_config_status: None,
        digest: None,
        available_components: None,
        own_telemetry: None,
    }
}

impl World {
    /// The process side reports another status.
    pub(crate) fn change(&self, status: &str) {
        self.reports.send_replace(report(status));
    }

    /// Waits until the server was heard.
    pub(crate) async fn is_heard_since(&self, then: Instant) {
        let heard = async {
            while !self.heard.since(then) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, heard).await.expect("the server was not heard");
    }

    pub(crate) async fn command(&mut self) -> AgentCommand {
        timeout(PATIENCE, self.commands.recv()).await.expect("no command came").expect("the client is gone")
    }

    /// As a signal does.
    pub(crate) fn stop(&self) {
        self.told.send_replace(Told::Stop);
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

//! A server that records what one supervisor says, message by message.

use std::time::Instant;

use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentRemoteConfig, AgentToServer, RemoteConfigStatus,
    RemoteConfigStatuses, ServerToAgent, ServerToAgentCommand, Value,
};
use tidegate_testkit::fleet::{SOON, Stage, Supervisor, Wish};

use crate::peer::{Connection, Listener};

/// The server's end of one connection at a time.
pub(crate) struct Recorder {
    pub(crate) listener: Listener,
    pub(crate) connection: Connection,
    /// All messages of the connection.
    pub(crate) said: Vec<AgentToServer>,
    /// The newest of each part, over all connections.
    pub(crate) state: AgentToServer,
}

/// A supervisor of an agent called `a` with a heartbeat every second, whose first message was recorded.
pub(crate) async fn recorded(stage: &Stage, wish: impl Fn(Wish) -> Wish) -> (Recorder, Supervisor) {
    let listener = Listener::new().await;
    let endpoint = format!("ws://127.0.0.1:{}/v1/opamp", listener.port());
    let wish = wish(Wish { heartbeat: "1s".to_owned(), ..Wish::new("a", endpoint) });
    let supervisor = Supervisor::start(stage, wish);
    let recorder = Recorder::on(listener, AgentToServer::default()).await;
    (recorder, supervisor)
}

impl Recorder {
    /// Waits for a connection and its first message.
    pub(crate) async fn on(listener: Listener, state: AgentToServer) -> Self {
        let connection = listener.connection().await;
        let mut recorder = Self { listener, connection, said: Vec::new(), state };
        recorder.next().await;
        recorder
    }

    /// The next message, acknowledged.
    pub(crate) async fn next(&mut self) -> AgentToServer {
        let message = self.connection.message().await;
        let instance_uid = message.instance_uid.clone();
        self.connection.send(&ServerToAgent { instance_uid, ..ServerToAgent::default() }).await;
        let state = &mut self.state;
        state.instance_uid = message.instance_uid.clone();
        put(&mut state.agent_description, &message.agent_description);
        put(&mut state.health, &message.health);
        put(&mut state.effective_config, &message.effective_config);
        put(&mut state.remote_config_status, &message.remote_config_status);
        self.said.push(message.clone());
        message
    }

    /// Records until the newest parts show what is looked for.
    pub(crate) async fn until<T>(&mut self, what: &str, look: impl Fn(&AgentToServer) -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look(&self.state) {
                return found;
            }
            assert!(begun.elapsed() < SOON, "{what}: not seen; the last state is {:#?}", self.state);
            self.next().await;
        }
    }

    /// Records until heartbeats have come that carry nothing.
    pub(crate) async fn heartbeats(&mut self, count: usize) {
        for _ in 0..count {
            while !is_bare(&self.next().await) {}
        }
    }

    /// Waits until the agent is well and has this component; gives its process.
    pub(crate) async fn runs(&mut self, component: &str) -> Running {
        self.until(component, |state| {
            let health = state.health.as_ref().filter(|health| health.healthy)?;
            health.component_health_map.contains_key(component).then(|| running(state))
        })
        .await
    }

    pub(crate) async fn offer(&mut self, hash: &[u8], files: &[(&str, &str)]) {
        let object = |(name, body): &(&str, &str)| {
            let body = body.as_bytes().to_vec().into();
            ((*name).to_owned(), AgentConfigObject { body, ..AgentConfigObject::default() })
        };
        let map =
            AgentConfigMap { config_map: files.iter().map(object).collect(), ..AgentConfigMap::default() };
        let offer = AgentRemoteConfig {
            config: Some(map),
            config_hash: hash.to_vec().into(),
            ..AgentRemoteConfig::default()
        };
        let message = ServerToAgent { remote_config: Some(offer), ..ServerToAgent::default() };
        self.connection.send(&message).await;
    }

    /// The final status of an offer.
    pub(crate) async fn settled(&mut self, hash: &[u8]) -> RemoteConfigStatus {
        self.until("a final status", |state| {
            let status = state.remote_config_status.as_ref()?;
            let is_final = status.status != RemoteConfigStatuses::Applying;
            (is_final && status.last_remote_config_hash == hash).then(|| status.clone())
        })
        .await
    }

    pub(crate) async fn restart(&mut self) {
        let command = Some(ServerToAgentCommand::default());
        self.connection.send(&ServerToAgent { command, ..ServerToAgent::default() }).await;
    }

    /// The statuses that were reported of an offer, from some message on.
    pub(crate) fn statuses(&self, from: usize, hash: &[u8]) -> Vec<RemoteConfigStatuses> {
        let statuses = self.said[from..].iter().filter_map(|message| message.remote_config_status.as_ref());
        statuses.filter(|status| status.last_remote_config_hash == hash).map(|status| status.status).collect()
    }

    /// The newest effective config, each file by its name.
    pub(crate) fn effective(&self) -> Vec<(String, String)> {
        let map = self.state.effective_config.as_ref().and_then(|config| config.config_map.as_ref());
        let files = map.unwrap().config_map.iter();
        files.map(|(name, file)| (name.clone(), String::from_utf8_lossy(&file.body).into_owned())).collect()
    }
}

/// Which process runs, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Running {
    pub(crate) pid: i64,
    pub(crate) started_unix_nano: u64,
}

fn running(state: &AgentToServer) -> Running {
    let health = state.health.as_ref().unwrap();
    let pid = health.attributes.iter().find(|pair| pair.key == "process.pid");
    match pid.and_then(|pair| pair.value.as_ref()).and_then(|value| value.value.as_ref()) {
        Some(Value::Int(pid)) => Running { pid: *pid, started_unix_nano: health.start_time_unix_nano },
        _ => unreachable!("no process in {health:?}"),
    }
}

fn put<T: Clone>(slot: &mut Option<T>, value: &Option<T>) {
    if value.is_some() {
        slot.clone_from(value);
    }
}

fn is_bare(message: &AgentToServer) -> bool {
    let bare = AgentToServer {
        instance_uid: message.instance_uid.clone(),
        sequence_num: message.sequence_num,
        capabilities: message.capabilities,
        ..AgentToServer::default()
    };
    *message == bare
}

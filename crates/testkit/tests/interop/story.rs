//! The steps of the script that every peer goes through, asserted through the REST API.

use std::time::Duration;

use serde_json::json;
use tidegate_api::{AgentDetail, CommandRequest, Event, PushFile, PushRequest};
use tidegate_server::settings::Settings;
use tidegate_testkit::fleet::{
    SOON, Scene, Server, ended, eventually, get, push_settled, settings, the_agent,
};

/// What the server expects between two heartbeats. Peers that say no farewell are missed after one and a half.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// A server, and the agent that a peer is to be.
#[derive(Debug)]
pub(crate) struct Story {
    /// The folder of the test.
    pub(crate) scene: Scene,
    /// The server.
    pub(crate) server: Server,
    /// What the agent is called.
    pub(crate) name: &'static str,
}

impl Story {
    /// Starts a server for the agent `name`.
    pub(crate) async fn begin(name: &'static str) -> Self {
        Self::begin_with(name, |_| {}).await
    }

    /// Starts a server with other settings for the agent `name`.
    pub(crate) async fn begin_with(name: &'static str, change: impl FnOnce(&mut Settings)) -> Self {
        let scene = Scene::new(name);
        let mut settings = settings(&scene.path().join("server"), 0, 0);
        settings.agents.heartbeat_interval = HEARTBEAT;
        change(&mut settings);
        let server = Server::start_with(settings).await;
        Self { scene, server, name }
    }

    /// Waits until the agent is as `look` wants it; there is never a second one.
    pub(crate) async fn agent(&self, what: &str, look: impl Fn(&AgentDetail) -> bool) -> AgentDetail {
        eventually(what, SOON, async || {
            let detail = the_agent(&self.server.api, self.name).await?;
            if look(&detail) { Ok(detail) } else { Err(format!("{detail:?}")) }
        })
        .await
    }

    /// Waits until the agent is connected by this transport.
    pub(crate) async fn connected(&self, transport: &str) -> AgentDetail {
        let is_there = |detail: &AgentDetail| {
            detail.agent.connection.value == "connected"
                && detail.agent.transport.as_deref() == Some(transport)
        };
        self.agent("connected agent", is_there).await
    }

    /// Waits for two more messages, and checks that they changed nothing and asked for nothing.
    pub(crate) async fn heartbeats(&self) {
        let before = self.agent("agent", |_| true).await;
        let mut last = before.agent.last_seen;
        for _ in 0..2 {
            last = self.agent("heartbeat", |detail| detail.agent.last_seen > last).await.agent.last_seen;
        }
        let after = self.agent("connection", |detail| detail.agent.connection.value == "connected").await;
        assert_eq!(after.agent.uid, before.agent.uid);
        assert_eq!(after.effective_config, before.effective_config);
        assert_eq!(after.agent.attributes, before.agent.attributes);
        let query = format!("name:{}", self.name);
        let events = self.server.api.events(&query, 500).await.unwrap().items;
        // That it is late or there again is found by the clock, not by the message.
        let is_news = |event: &&Event| event.at > before.agent.last_seen && event.kind != "connection";
        let news: Vec<_> = events.iter().filter(is_news).collect();
        assert!(news.is_empty(), "heartbeats are no events: {news:?}");
    }

    /// Pushes a file to the agent, and gives the state and the reason that it ends in.
    pub(crate) async fn pushed(&self, body: &str) -> (String, String) {
        let file = PushFile {
            name: "pushed.yaml".to_owned(),
            content_type: "text/yaml".to_owned(),
            role: String::new(),
            body: body.to_owned(),
        };
        let request =
            PushRequest { q: format!("name:{}", self.name), files: vec![file], expected_count: Some(1) };
        let push = self.server.api.push(&request).await.unwrap();
        let settled = push_settled(&self.server.api, &push.id, SOON).await;
        let [agent] = settled.agents.as_slice() else { unreachable!("{settled:?}") };
        (agent.state.clone(), agent.reason.clone())
    }

    /// A good config and a bad one: both statuses of each are seen, and where the peer reports its effective config
    /// the good one stays in it.
    pub(crate) async fn takes_configs(&self, reports_effective: bool) {
        let good = format!("for: {}\n", self.name);
        let (state, reason) = self.pushed(&good).await;
        assert_eq!(state, "unproven", "only a supervisor of ours proves: {reason}");
        assert_eq!(reason.contains("does not report what it runs"), !reports_effective, "{reason}");
        if reports_effective {
            let file = |detail: &AgentDetail| {
                detail.effective_config.iter().map(|file| (file.name.clone(), file.body.clone())).collect()
            };
            let wanted = vec![("pushed.yaml".to_owned(), good)];
            self.agent("effective config", |detail| wanted == Vec::from_iter::<Vec<_>>(file(detail))).await;
        }
        let (state, reason) = self.pushed("please: refuse me\n").await;
        assert_eq!((state.as_str(), reason.as_str()), ("failed", "it asks to be refused"));
        let wanted = ["applying", "applied", "applying", "failed: it asks to be refused"];
        eventually("both statuses of both configs", SOON, async || {
            let mut told = self.events().await;
            told.retain(|(kind, text)| kind == "config" && !text.starts_with("config "));
            let told: Vec<_> = told.iter().map(|(_, text)| text.as_str()).collect();
            if told == wanted { Ok(()) } else { Err(format!("{told:?}")) }
        })
        .await;
        assert_eq!(self.pushed("at: last\n").await.0, "unproven", "a good one heals");
    }

    /// A restart is done with a new start time.
    pub(crate) async fn restarts(&self) {
        let before = self.agent("start time", |detail| detail.agent.started_at.is_some()).await;
        let (state, _) = self.commanded(&CommandRequest::Restart { deadline_seconds: None }).await;
        assert_eq!(state, "succeeded");
        let after = self.agent("agent", |_| true).await;
        assert!(after.agent.started_at > before.agent.started_at);
    }

    /// Custom messages: one that is answered, one that is not.
    pub(crate) async fn exchanges_messages(&self) {
        let message = |name: &str, kind: &str, data| CommandRequest::Custom {
            capability: format!("org.mp3monster.opamp_provider.{name}"),
            message_type: kind.to_owned(),
            data,
            deadline_seconds: None,
        };
        let request = message("chatopcommand", "request", json!({"tag": "deploy", "attributes": {}}));
        let (state, answer) = self.commanded(&request).await;
        assert_eq!((state.as_str(), &answer["body"]), ("succeeded", &"deploy".into()), "{answer}");
        let null = message("nullcommand", "Null Command", json!({"dummyValue": "x"}));
        assert_eq!(self.commanded(&null).await.0, "acknowledged");
    }

    /// Queues a command, waits for its end, and gives its state and the answer.
    async fn commanded(&self, request: &CommandRequest) -> (String, serde_json::Value) {
        let uid = the_agent(&self.server.api, self.name).await.unwrap().agent.uid;
        let command = self.server.api.send_command(&uid, request).await.unwrap();
        let command = ended(&self.server.api, &command.id, SOON).await;
        (command.state, command.answer.map(|answer| answer.data).unwrap_or_default())
    }

    /// The agent is gone: at once where it says farewell, else when it is missed.
    pub(crate) async fn gone(&self, connection: &str) {
        self.agent(connection, |detail| detail.agent.connection.value == connection).await;
    }

    /// What happened to the agent so far: kind and text, oldest first.
    pub(crate) async fn events(&self) -> Vec<(String, String)> {
        let events = self.server.api.events(&format!("name:{}", self.name), 500).await.unwrap().items;
        events.into_iter().map(|event| (event.kind, event.text)).collect()
    }

    /// How often the server asked for a full state.
    pub(crate) async fn full_state_requests(&self) -> u64 {
        counter(&self.server, "tidegate_full_state_requests_total").await
    }
}

/// A counter of a server's metrics.
pub(crate) async fn counter(server: &Server, name: &str) -> u64 {
    let token = std::fs::read_to_string(server.data_dir().join("admin-token")).unwrap();
    let metrics = get(server.operators, "/metrics", token.trim()).await.unwrap();
    let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| unreachable!("no {name}")).parse().unwrap()
}

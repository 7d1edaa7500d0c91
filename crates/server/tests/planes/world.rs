//! A server of one test, and its operators' plane.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_opamp::AgentToServer;
use tidegate_server::run::{self, Running};
use tidegate_server::settings::{
    AgentsSettings, LimitSettings, MetricsSettings, OperatorsSettings, Settings,
};

use crate::http::{self, Answer, Request};
use crate::report::Reporter;
use crate::socket::Socket;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// A server with a data directory of its own.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) server: Running,
    pub(crate) token: String,
}

/// The settings of a test's server.
pub(crate) fn settings(data_dir: &Path) -> Settings {
    let listen = "127.0.0.1:0".parse().unwrap();
    Settings {
        data_dir: data_dir.to_owned(),
        agents: AgentsSettings { listen, ..AgentsSettings::default() },
        operators: OperatorsSettings { listen, allow_plaintext_network: false, names: vec!["server".into()] },
        limits: LimitSettings {
            max_message_bytes: 1024 * 1024,
            max_connections: 1000,
            max_agents: 5000,
            // Tests speak faster than agents do.
            messages_per_second: 1_000_000,
            message_burst: 1_000_000,
            ..LimitSettings::default()
        },
        metrics: MetricsSettings::default(),
    }
}

impl World {
    /// A server with the settings that most tests use.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server whose settings are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::at(tempfile::tempdir().unwrap(), change).await
    }

    /// A server over a data directory that may hold something.
    pub(crate) async fn at(folder: TempDir, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings(folder.path());
        change(&mut settings);
        let server = run::start(settings).await.unwrap();
        let token = std::fs::read_to_string(folder.path().join("admin-token")).unwrap().trim().to_owned();
        Self { folder, server, token }
    }

    /// Stops the server in order and starts another one over its data.
    pub(crate) async fn restart(self) -> Self {
        let Self { folder, server, .. } = self;
        server.stop().await;
        Self::at(folder, |_| {}).await
    }

    /// A call of the API by someone who holds the token.
    pub(crate) async fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut request = Request::new(method, &format!("/api/v1{path}"))
            .header("Authorization", &format!("Bearer {}", self.token));
        if method == "POST" {
            request = request.header("Idempotency-Key", &new_key());
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        http::call(self.server.operators, &request).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, Some(&body)).await
    }

    /// What the API says of an agent.
    pub(crate) async fn agent(&self, agent: &Reporter) -> Value {
        self.get(&format!("/agents/{}", agent.uid)).await.expect(200)
    }

    /// Pushes one file to what a query matches; gives the push.
    pub(crate) async fn push(&self, q: &str, body: &str) -> Value {
        let files = json!([{"name": "fluent-bit.yaml", "body": body}]);
        self.post("/pushes", json!({"q": q, "files": files})).await.expect(201)
    }

    /// Queues a command; gives it.
    pub(crate) async fn command(&self, agent: &Reporter, command: Value) -> Value {
        self.post(&format!("/agents/{}/commands", agent.uid), command).await.expect(202)
    }

    /// The server's metrics.
    pub(crate) async fn metrics(&self) -> String {
        let request =
            Request::new("GET", "/metrics").header("Authorization", &format!("Bearer {}", self.token));
        let answer = http::call(self.server.operators, &request).await;
        assert_eq!(answer.status, 200);
        String::from_utf8(answer.body).unwrap()
    }

    /// Asks the API again and again until `condition` holds of its answer.
    pub(crate) async fn eventually(&self, path: &str, condition: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let value = self.get(path).await.expect(200);
            if condition(&value) {
                return value;
            }
            assert!(begun.elapsed() < PATIENCE, "{path} never came to be as expected: {value:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until everything that was reported is in the store.
    pub(crate) async fn settled(&self) {
        for _ in 0..2 {
            let before = self.write_behind().await["last"]["at"].clone();
            self.eventually("/server", |server| task(server, "write-behind")["last"]["at"] != before).await;
        }
        self.eventually("/server", |server| {
            task(server, "write-behind")["last"]["result"] == "0 rows written"
        })
        .await;
    }

    /// The task that writes behind, as the API shows it.
    pub(crate) async fn write_behind(&self) -> Value {
        task(&self.get("/server").await.expect(200), "write-behind")
    }

    /// A WebSocket of an agent.
    pub(crate) async fn socket(&self) -> Socket {
        Socket::connect(self.server.agents, &[]).await.expect("the upgrade was refused")
    }

    /// A WebSocket on which one agent has made its first report; the answer was read.
    pub(crate) async fn connected(&self, agent: &mut Reporter) -> Socket {
        let mut socket = self.socket().await;
        let reply = socket.exchange(&agent.full()).await;
        assert_eq!(reply.error_response, None);
        socket
    }

    /// One message by plain HTTP.
    pub(crate) async fn poll(&self, message: &AgentToServer) -> tidegate_opamp::ServerToAgent {
        http::post(self.server.agents, message).await.message(200)
    }
}

/// A key that no other call of this process has.
pub(crate) fn new_key() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn task(server: &Value, name: &str) -> Value {
    let tasks = server["tasks"].as_array().unwrap();
    tasks.iter().find(|task| task["name"] == name).unwrap().clone()
}

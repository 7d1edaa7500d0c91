//! A model with its client, as the official Rust SDK makes one, and the person before it.

use std::sync::Arc;

use parking_lot::Mutex;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientCapabilities, ClientConfig, ElicitRequestParams,
    ElicitResult, ElicitationAction, ErrorData, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};
use serde_json::{Value, json};

use crate::world::World;

/// What a person does when their client asks them.
#[derive(Clone, Debug)]
pub(crate) enum Person {
    /// Their client cannot ask.
    Absent,
    /// They type this.
    Types(&'static str),
    /// They would not.
    Declines,
}

/// Which revision the client speaks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Revision {
    /// 2026-07-28: no sessions.
    Current,
    /// One before: a session, and questions while a call waits.
    Earlier,
}

#[derive(Clone)]
struct Client {
    person: Person,
    asked: Arc<Mutex<Vec<String>>>,
}

impl ClientHandler for Client {
    fn get_info(&self) -> ClientConfig {
        let capabilities = match self.person {
            Person::Absent => ClientCapabilities::default(),
            _ => ClientCapabilities::builder().enable_elicitation().build(),
        };
        ClientConfig::new(capabilities, Implementation::new("test\u{1b}client", "9"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        if let ElicitRequestParams::FormElicitationParams { message, .. } = request {
            self.asked.lock().push(message);
        }
        Ok(match self.person {
            Person::Types(text) => {
                ElicitResult::new(ElicitationAction::Accept).with_content(json!({"confirmation": text}))
            }
            _ => ElicitResult::new(ElicitationAction::Decline),
        })
    }
}

/// A client that is connected.
pub(crate) struct Model {
    service: RunningService<RoleClient, Client>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl World {
    /// A client of `/mcp` or, with `/readonly`, of what only looks.
    pub(crate) async fn model(&self, below: &str, revision: Revision, person: Person) -> Model {
        let uri = format!("http://{}/mcp{below}", self.server.operators);
        let config = StreamableHttpClientTransportConfig::with_uri(uri).auth_header(self.token.clone());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let client = Client { person, asked: Arc::clone(&asked) };
        let lifecycle = match revision {
            Revision::Current => {
                ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] }
            }
            Revision::Earlier => ClientLifecycleMode::Initialize,
        };
        let transport = StreamableHttpClientTransport::from_config(config);
        let service = client.serve_with_lifecycle(transport, lifecycle).await.unwrap();
        Model { service, asked }
    }

    /// A client that only looks.
    pub(crate) async fn looker(&self) -> Model {
        self.model("/readonly", Revision::Current, Person::Absent).await
    }
}

impl Model {
    /// The names of the tools.
    pub(crate) async fn tools(&self) -> Vec<String> {
        self.service.list_all_tools().await.unwrap().iter().map(|tool| tool.name.to_string()).collect()
    }

    /// What the server says of itself.
    pub(crate) fn instructions(&self) -> String {
        self.service.peer().peer_info().unwrap().instructions.clone().unwrap()
    }

    /// The whole result of a call.
    pub(crate) async fn result(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        self.try_call(tool, arguments).await.unwrap()
    }

    /// A call that the protocol may refuse.
    pub(crate) async fn try_call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, String> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        let call = CallToolRequestParams::new(tool).with_arguments(arguments);
        self.service.call_tool(call).await.map_err(|error| error.to_string())
    }

    /// What a call found, after its forms were checked: the text is the same as the structured content, and it is short.
    pub(crate) async fn call(&self, tool: &'static str, arguments: Value) -> Value {
        let full = arguments.get("detail") == Some(&json!("full"));
        let result = self.result(tool, arguments).await;
        let value = result.structured_content.unwrap();
        assert_ne!(result.is_error, Some(true), "{tool}: {value:#}");
        let text = result.content.last().unwrap().as_text().unwrap().text.clone();
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.len() <= if full { 65_536 } else { 4_096 }, "{tool}: {} bytes", text.len());
        let fenced = text.contains("untrusted_text");
        assert_eq!(
            result.content.len(),
            if fenced { 2 } else { 1 },
            "{tool}: the label stands before such text"
        );
        value
    }

    /// The problem that a call ends in.
    pub(crate) async fn problem(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.result(tool, arguments).await;
        let value = result.structured_content.unwrap();
        assert_eq!(result.is_error, Some(true), "{tool}: {value:#}");
        value["problem"].clone()
    }

    /// What the person was asked.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

//! A model at a whole fleet, by the official Rust SDK: it looks, has a config checked, and restarts an agent once a person
//! has confirmed it.

use rmcp::model::{
    CallToolRequestParams, ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult,
    ElicitationAction, ErrorData, Implementation, ProtocolVersion,
};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt, RequestContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, RoleClient};
use serde_json::{Value, json};
use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, ended, eventually, healthy, on_each, unknown_property, yaml,
};

use crate::steps::{pushed, says};

/// A person who types the same whatever they are asked; `None` declines.
#[derive(Clone)]
struct Person(Option<&'static str>);

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let capabilities = ClientCapabilities::builder().enable_elicitation().build();
        ClientConfig::new(capabilities, Implementation::new("whole-fleet", "1"))
    }

    async fn create_elicitation(
        &self,
        _: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        Ok(match self.0 {
            Some(text) => {
                ElicitResult::new(ElicitationAction::Accept).with_content(json!({"confirmation": text}))
            }
            None => ElicitResult::new(ElicitationAction::Decline),
        })
    }
}

async fn model(server: &str, token: &str, person: Person) -> RunningService<RoleClient, Person> {
    let config = StreamableHttpClientTransportConfig::with_uri(format!("{server}/mcp")).auth_header(token);
    let transport = StreamableHttpClientTransport::from_config(config);
    let newest = ClientLifecycleMode::Discover { preferred_versions: vec![ProtocolVersion::V_2026_07_28] };
    person.serve_with_lifecycle(transport, newest).await.unwrap()
}

async fn call(model: &RunningService<RoleClient, Person>, tool: &'static str, arguments: Value) -> Value {
    let call = CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone());
    model.call_tool(call).await.unwrap().structured_content.unwrap()
}

#[tokio::test]
async fn given_a_model_and_a_person_when_a_restart_is_planned_then_it_happens_only_as_it_was_confirmed() {
    on_each("mcp", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { allow: "remote-config,restart,dry-run".to_owned(), ..Wish::new("a", server.endpoint("ws")) };
        let supervisor = Supervisor::start(&stage, wish);
        let agent = healthy(&server.api, "a", SOON).await;
        let token = std::fs::read_to_string(server.data_dir().join("admin-token")).unwrap();
        let (address, token, uid) = (server.api.server().to_owned(), token.trim().to_owned(), agent.agent.uid);
        let declines = model(&address, &token, Person(None)).await;
        assert_eq!(declines.list_all_tools().await.unwrap().len(), 10);
        assert_eq!(call(&declines, "fleet_summary", json!({})).await["axes"]["health"], json!({"healthy": 1}));

        let check = async |body: &str| {
            let files = json!([{"name": "fluent-bit.yaml", "body": body}]);
            call(&declines, "validate_config", json!({"uid": uid, "files": files})).await
        };
        assert_eq!(check(&yaml("fine", "")).await["valid"], true);
        let bad = check(&unknown_property("fine")).await;
        assert_eq!(bad["valid"], false);
        says(&bad["untrusted_text"]["errors"].to_string(), &["nosuch"]);
        assert_eq!(pushed(&server.api, "fluent-bit.yaml", &yaml("pushed", "")).await.0, "proven");
        let diff = call(&declines, "diff_agent_config", json!({"uid": uid})).await;
        assert_eq!((&diff["in_sync"], &diff["files"][0]["state"]), (&json!(true), &json!("same")));

        let before = supervisor.agent_pid();
        let order = json!({"q": "name:a", "command": "restart"});
        let execution = |plan: &Value| {
            json!({"plan_id": plan["plan_id"], "plan_hash": plan["plan_hash"], "reason": "the output hangs"})
        };
        let plan = call(&declines, "plan_command", order.clone()).await;
        let refused = call(&declines, "execute_plan", execution(&plan)).await;
        assert_eq!((&refused["status"], supervisor.agent_pid()), (&json!("refused"), before));

        let confirms = model(&address, &token, Person(Some("restart 1"))).await;
        let plan = call(&confirms, "plan_command", order).await;
        let done = call(&confirms, "execute_plan", execution(&plan)).await;
        assert_eq!(done["status"], "started", "{done:#}");
        let operation = server.api.operation(done["operation_id"].as_str().unwrap()).await.unwrap();
        let id = operation.targets[0].command.clone().unwrap();
        assert_eq!(ended(&server.api, &id, SOON).await.state, "succeeded");
        assert_ne!(supervisor.agent_pid(), before);
        eventually("its end as the model sees it", SOON, async || {
            let told = call(&confirms, "list_commands", json!({"operation_id": done["operation_id"]})).await;
            if told["states"] == json!({"succeeded": 1}) { Ok(()) } else { Err(told.to_string()) }
        })
        .await;
    })
    .await;
}

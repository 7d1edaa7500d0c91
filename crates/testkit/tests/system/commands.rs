//! Commands to an agent that is there.

use tidegate_api::CommandRequest;
use tidegate_api::client::Client;
use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, ended, eventually, free_port, healthy, on_each, the_agent, yaml,
};

use crate::steps::{RESTART, says};

/// A message of a custom capability of the seed's system.
pub(crate) fn custom(capability: &str, kind: &str, data: serde_json::Value) -> CommandRequest {
    CommandRequest::Custom {
        capability: format!("org.mp3monster.opamp_provider.{capability}"),
        message_type: kind.to_owned(),
        data,
        deadline_seconds: None,
    }
}

/// Queues a command, waits for its end, and gives its state, the answer's type and the answer.
pub(crate) async fn done(api: &Client, uid: &str, request: &CommandRequest) -> (String, serde_json::Value) {
    let command = api.send_command(uid, request).await.unwrap();
    let command = ended(api, &command.id, SOON).await;
    (command.state, command.answer.map(|answer| answer.data).unwrap_or_default())
}

/// An own config with an HTTP input on this port.
pub(crate) fn with_http_input(port: u16) -> String {
    yaml(
        "own",
        &format!("    - name: http\n      alias: chatops\n      listen: 127.0.0.1\n      port: {port}\n"),
    )
}

/// What a ChatOps request is, and what becomes of it where an input takes it.
pub(crate) async fn chatops_is_answered(api: &Client, uid: &str) {
    let request =
        custom("chatopcommand", "request", serde_json::json!({"tag": "deploy", "attributes": {"x": 1}}));
    let (state, answer) = done(api, uid, &request).await;
    assert_eq!((state.as_str(), &answer["http_code"]), ("succeeded", &"201".into()), "{answer}");
}

/// C156: a new process and a new start time.
#[tokio::test]
async fn given_a_healthy_agent_when_commanded_then_it_restarts_takes_messages_and_answers() {
    on_each("commands", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let port = free_port();
        let wish = Wish {
            chatops_port: port,
            config: with_http_input(port),
            ..Wish::new("a", server.endpoint("ws"))
        };
        let supervisor = Supervisor::start(&stage, wish);
        let before = healthy(&server.api, "a", SOON).await;
        let uid = &before.agent.uid;
        let null =
            custom("nullcommand", "Null Command", serde_json::json!({"dummyValue": "seen-in-the-log"}));
        assert_eq!(done(&server.api, uid, &null).await.0, "acknowledged");
        eventually("null command in the supervisor's log", SOON, async || {
            let log = supervisor.log();
            let is_there = log.contains("a null command arrived") && log.contains("seen-in-the-log");
            if is_there { Ok(()) } else { Err(log) }
        })
        .await;
        chatops_is_answered(&server.api, uid).await;
        let pid = supervisor.agent_pid();
        assert_eq!(done(&server.api, uid, &RESTART).await.0, "succeeded");
        assert_ne!(supervisor.agent_pid(), pid);
        let after = healthy(&server.api, "a", SOON).await;
        assert!(after.agent.started_at > before.agent.started_at);
    })
    .await;
}

#[tokio::test]
async fn given_no_input_on_the_chatops_port_when_asked_then_the_answer_is_a_failure_with_its_reason() {
    on_each("closed port", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { chatops_port: free_port(), ..Wish::new("a", server.endpoint("ws")) };
        let _supervisor = Supervisor::start(&stage, wish);
        let uid = healthy(&server.api, "a", SOON).await.agent.uid;
        let request = custom("chatopcommand", "request", serde_json::json!({"tag": "deploy"}));
        let (state, answer) = done(&server.api, &uid, &request).await;
        assert_eq!((state.as_str(), &answer["http_code"]), ("failed", &"0".into()), "{answer}");
        says(answer["err_msg"].as_str().unwrap(), &["cannot connect", "refused"]);
        assert_eq!(the_agent(&server.api, "a").await.unwrap().agent.health.value, "healthy");
    })
    .await;
}

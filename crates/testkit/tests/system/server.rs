//! Servers that are killed or restarted under their agents.

use tidegate_api::CommandRequest;
use tidegate_testkit::fleet::{
    SOON, ServerProcess, Stage, Supervisor, Wish, ended, eventually, get, healthy, on_each, the_agent, yaml,
};

use crate::steps::{RESTART, pushed, says};

#[tokio::test]
async fn given_queued_commands_when_the_server_is_killed_at_once_then_each_is_done_once() {
    on_each("server killed", async |stage: Stage| {
        let mut server = ServerProcess::start(&stage.scene.path().join("server")).await;
        let mut supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        let before = healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        // Killed, not stopped: the agent runs on, and only the restart command makes a new start time.
        supervisor.kill();
        eventually("closed connection", SOON, async || {
            let connection = the_agent(&server.api, "a").await?.agent.connection;
            if connection.value == "disconnected" { Ok(()) } else { Err(format!("{connection:?}")) }
        })
        .await;
        let uid = &before.agent.uid;
        let null = CommandRequest::Custom {
            capability: "org.mp3monster.opamp_provider.nullcommand".to_owned(),
            message_type: "Null Command".to_owned(),
            data: serde_json::json!({"dummyValue": "x"}),
            deadline_seconds: None,
        };
        let restart = server.api.send_command(uid, &RESTART).await.unwrap();
        let null = server.api.send_command(uid, &null).await.unwrap();
        server.kill();
        server.start_again().await;
        for command in [&restart, &null] {
            let found = server.api.command(&command.id).await.unwrap();
            assert_eq!((found.state.as_str(), &found.created_at), ("queued", &command.created_at));
        }
        assert_eq!(the_agent(&server.api, "a").await.unwrap().agent.uid, *uid, "no agent is lost");
        supervisor.start_again();
        for (command, state) in [(&restart, "succeeded"), (&null, "acknowledged")] {
            let done = ended(&server.api, &command.id, SOON).await;
            assert_eq!(done.state, state, "{done:?}");
        }
        healthy(&server.api, "a", SOON).await;
        assert_ne!(supervisor.agent_pid(), pid);
        let starts = supervisor.log().matches("started fluent-bit").count();
        assert_eq!(starts, 2, "the first start and one restart");
        let events = server.api.events("name:a", 500).await.unwrap().items;
        let restarts = events.iter().filter(|event| event.text == "restart: succeeded").count();
        assert_eq!(restarts, 1, "{events:?}");
    })
    .await;
}

#[tokio::test]
async fn given_a_server_that_is_stopped_in_order_when_it_starts_again_then_all_goes_on_as_before() {
    on_each("server restarted", async |stage: Stage| {
        let mut server = ServerProcess::start(&stage.scene.path().join("server")).await;
        let supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        healthy(&server.api, "a", SOON).await;
        assert_eq!(pushed(&server.api, "a.yaml", &yaml("remote", "")).await.0, "proven");
        let before = healthy(&server.api, "a", SOON).await;
        server.stop().await;
        server.start_again().await;
        let after = healthy(&server.api, "a", SOON).await;
        says(&supervisor.log(), &["the server closed the connection code=1012"]);
        assert_eq!(after.agent.config.desired, before.agent.config.desired);
        assert_eq!(after.agent.config.axis.value, "in-sync");
        assert_eq!(after.agent.started_at, before.agent.started_at, "the agent was left alone");
        let token = std::fs::read_to_string(stage.scene.path().join("server/admin-token")).unwrap();
        let metrics = get(server.operators, "/metrics", token.trim()).await.unwrap();
        let asked: Vec<_> =
            metrics.lines().filter(|line| line.starts_with("tidegate_full_state_requests_total")).collect();
        assert_eq!(asked, ["tidegate_full_state_requests_total 0"], "no stampede");
        let messages = metrics.lines().find(|line| line.starts_with("tidegate_opamp_messages_total"));
        assert_ne!(messages, Some("tidegate_opamp_messages_total 0"), "the metrics count");
    })
    .await;
}

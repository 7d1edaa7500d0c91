//! A supervisor that polls over plain HTTP.

use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, classic, free_port, healthy, on_each, yaml,
};

use crate::commands::{chatops_is_answered, custom, done};
use crate::steps::{RESTART, pushed, runs};

#[tokio::test]
async fn given_a_supervisor_that_polls_then_configs_commands_and_messages_reach_it_too() {
    on_each("polling", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let port = free_port();
        let wish = Wish {
            heartbeat: "1s".to_owned(),
            chatops_port: port,
            config: crate::commands::with_http_input(port),
            ..Wish::new("a", server.endpoint("http"))
        };
        let supervisor = Supervisor::start(&stage, wish);
        let first = healthy(&server.api, "a", SOON).await;
        assert_eq!(first.agent.transport.as_deref(), Some("http"));
        let uid = &first.agent.uid;
        chatops_is_answered(&server.api, uid).await;
        let null = custom("nullcommand", "Null Command", serde_json::json!({}));
        assert_eq!(done(&server.api, uid, &null).await.0, "acknowledged");
        let pid = supervisor.agent_pid();
        assert_eq!(done(&server.api, uid, &RESTART).await.0, "succeeded");
        assert_ne!(supervisor.agent_pid(), pid);
        for (name, body) in [("a.yaml", yaml("polled", "")), ("main.conf", classic("polled_classic"))] {
            let (state, reason) = pushed(&server.api, name, &body).await;
            assert_eq!(state, "proven", "{reason}");
            let alias = if name == "main.conf" { "polled_classic" } else { "polled" };
            let detail = runs(&server.api, &format!("input:{alias}")).await;
            let names: Vec<_> = detail.effective_config.iter().map(|file| file.name.as_str()).collect();
            assert_eq!(names, [name, "tidegate/rendered"]);
        }
    })
    .await;
}

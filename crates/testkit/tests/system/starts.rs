//! The first minutes of an agent, and what its host forbids.

use std::time::Duration;

use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, eventually, healthy, on_each, the_agent, unknown_property, yaml,
};

use crate::steps::{RESTART, problem, pushed, says};

/// C066, C077, C192: known and healthy without a first run for show.
#[tokio::test]
async fn given_a_server_when_a_supervisor_starts_then_its_agent_is_healthy_within_five_seconds() {
    on_each("start", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let _supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        let detail = healthy(&server.api, "a", Duration::from_secs(5)).await;
        let agent = &detail.agent;
        assert_eq!(agent.service.name.as_deref(), Some("fluent-bit"));
        let version = agent.service.version.as_deref().unwrap();
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{version}");
        assert_eq!(agent.transport.as_deref(), Some("websocket"));
        assert!(agent.started_at.is_some_and(|at| at <= agent.last_seen));
        for name in ["input:own", "output:sink", "http_api"] {
            assert!(detail.components.get(name).is_some_and(|one| one.healthy), "{name}: {detail:?}");
        }
    })
    .await;
}

/// C004, C006, C188: no leave, no bit.
#[tokio::test]
async fn given_a_host_that_allows_nothing_then_nothing_is_offered_and_the_reason_is_told() {
    on_each("nothing allowed", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish { allow: String::new(), ..Wish::new("a", server.endpoint("ws")) };
        let supervisor = Supervisor::start(&stage, wish);
        let detail = healthy(&server.api, "a", SOON).await;
        let (agent, pid) = (&detail.agent, supervisor.agent_pid());
        let capabilities = agent.capabilities.join(" ");
        assert!(!capabilities.contains("Accepts"), "{capabilities}");
        says(&capabilities, &["ReportsStatus", "ReportsHealth", "ReportsEffectiveConfig"]);
        assert!(agent.custom_capabilities.iter().all(|name| !name.contains("chatop")), "{agent:?}");
        let (state, reason) = pushed(&server.api, "fluent-bit.yaml", &yaml("remote", "")).await;
        assert_eq!(state, "refused");
        says(&reason, &["does not accept remote config", "remote-config"]);
        let problem = problem(server.api.send_command(&agent.uid, &RESTART).await);
        assert_eq!((problem.status, problem.code.as_str()), (409, "unsupported"));
        says(&problem.detail, &["restart"]);
        assert_eq!(supervisor.agent_pid(), pid);
    })
    .await;
}

/// A host that was cut off, or edited, while nothing ran needs no visit: its server is told, and it comes by itself.
#[tokio::test]
async fn given_an_agent_that_ran_when_its_config_is_broken_at_a_start_then_its_server_is_told_until_it_runs()
{
    on_each("broken start", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let mut supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
        healthy(&server.api, "a", SOON).await;
        assert!(supervisor.stop().await.success());
        stage.scene.write("a/own.yaml", &unknown_property("own"));
        supervisor.start_again();
        eventually("the reason", SOON, async || {
            let agent = the_agent(&server.api, "a").await?.agent;
            let told = agent.connection.value == "connected" && agent.health.reason.contains("nosuch");
            if told { Ok(()) } else { Err(format!("{agent:?}")) }
        })
        .await;
        stage.scene.write("a/own.yaml", &yaml("own", ""));
        healthy(&server.api, "a", SOON).await;
    })
    .await;
}

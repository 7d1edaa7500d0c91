//! Agents and supervisors that are killed.

use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, alive, ended, eventually, healthy, on_each, the_agent, yaml,
};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::commands::custom;
use crate::steps::{one_agent, pushed, runs};

/// C077, C079, C190: unhealthy with the reason, then a new process.
#[tokio::test]
async fn given_an_agent_that_is_killed_then_it_is_healed_and_both_are_seen() {
    on_each("agent killed", async |stage: Stage| {
        let (server, supervisor, before) = one_agent(&stage).await;
        let pid = supervisor.agent_pid();
        supervisor.kill_agent();
        let after = eventually("new process", SOON, async || {
            let detail = the_agent(&server.api, "a").await?;
            let agent = &detail.agent;
            let is_new = agent.started_at > before.agent.started_at && agent.health.value == "healthy";
            if is_new { Ok(detail) } else { Err(format!("{agent:?}")) }
        })
        .await;
        assert_ne!(supervisor.agent_pid(), pid);
        assert!(!alive(pid));
        assert_eq!(after.agent.uid, before.agent.uid);
        let events = server.api.events("name:a", 500).await.unwrap().items;
        let health: Vec<_> = events.iter().filter(|event| event.kind == "health").collect();
        let crash = health.iter().position(|event| event.text.contains("SIGKILL"));
        let crash = crash.unwrap_or_else(|| unreachable!("no crash in {health:?}"));
        assert!(health[crash].text.starts_with("unhealthy: crashed"), "{}", health[crash].text);
        assert_eq!(health.last().unwrap().text, "healthy", "{health:?}");
    })
    .await;
}

/// C043: under the same uid.
#[tokio::test]
async fn given_a_supervisor_that_is_killed_when_it_starts_again_then_it_adopts_its_agent() {
    on_each("supervisor killed", async |stage: Stage| {
        let (server, mut supervisor, before) = one_agent(&stage).await;
        let pid = supervisor.agent_pid();
        supervisor.kill();
        eventually("closed connection", SOON, async || {
            let connection = the_agent(&server.api, "a").await?.agent.connection;
            if connection.value == "disconnected" { Ok(()) } else { Err(format!("{connection:?}")) }
        })
        .await;
        assert!(alive(pid), "the agent outlives its supervisor");
        supervisor.start_again();
        let after = runs(&server.api, "input:own").await;
        eventually("connection", SOON, async || {
            let connection = the_agent(&server.api, "a").await?.agent.connection;
            if connection.value == "connected" { Ok(()) } else { Err(format!("{connection:?}")) }
        })
        .await;
        assert_eq!(supervisor.agent_pid(), pid);
        assert!(alive(pid));
        assert_eq!(processes_in(supervisor.folder()), [pid], "no second agent");
        assert_eq!(after.agent.uid, before.agent.uid);
        assert_eq!(after.agent.started_at, before.agent.started_at);
        let (state, reason) = pushed(&server.api, "a.yaml", &yaml("adopted", "")).await;
        assert_eq!(state, "proven", "an adopted agent takes configs: {reason}");
    })
    .await;
}

#[tokio::test]
async fn given_a_supervisor_that_is_killed_in_an_act_when_it_starts_again_then_the_outcome_is_told_as_unknown()
 {
    on_each("killed in an act", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        // In the place of the agent's input: it takes the call and never answers.
        let input = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = input.local_addr().unwrap().port();
        let wish = Wish { chatops_port: port, ..Wish::new("a", server.endpoint("ws")) };
        let mut supervisor = Supervisor::start(&stage, wish);
        let uid = healthy(&server.api, "a", SOON).await.agent.uid;
        let request = custom("chatopcommand", "request", serde_json::json!({"tag": "deploy"}));
        let command = server.api.send_command(&uid, &request).await.unwrap();
        let called = timeout(SOON, input.accept()).await.expect("the input was not called").unwrap();
        supervisor.kill();
        drop(called);
        supervisor.start_again();
        // The supervisor says so by itself, before the server gives up.
        let command = ended(&server.api, &command.id, SOON).await;
        assert_eq!(command.state, "unknown", "{command:?}");
        let answer = command.answer.expect("the supervisor's answer").data;
        assert_eq!((&answer["outcome"], &answer["id"]), (&"unknown".into(), &command.id.as_str().into()));
        let again = timeout(std::time::Duration::from_millis(300), input.accept()).await;
        assert!(again.is_err(), "it was carried out a second time");
    })
    .await;
}

/// The processes, supervisors apart, that were started on a file in a folder.
fn processes_in(folder: &std::path::Path) -> Vec<i32> {
    let folder = folder.to_str().unwrap();
    let numbers = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    let starts_here = |pid: &i32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(folder) && !line.contains("--state-dir")
    };
    numbers.filter(starts_here).collect()
}

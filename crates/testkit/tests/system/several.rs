//! One supervisor with several agents: they fail apart, and its settings change while they run.

use rustix::process::Signal;
use tidegate_testkit::fleet::{
    SOON, Server, Several, Stage, alive, eventually, healthy, on_each, push_settled, the_agent,
    unknown_property, yaml,
};

use crate::steps::push;

/// Settings with two agents, and what is put into each entry.
fn settings(server: &Server, stage: &Stage, edge: &str, audit: &str) -> String {
    let folder = stage.scene.path().display();
    let entry = |name: &str, more: &str| {
        if more == "-" {
            return String::new();
        }
        format!(
            "  - name: {name}\n    config: {folder}/{name}.yaml\n    attributes: {{host.name: h}}\n{more}"
        )
    };
    format!(
        "server:\n  endpoint: {}\nprobation: 0s\nallow: [remote-config, restart]\nagents:\n{}{}",
        server.endpoint("ws"),
        entry("edge", edge),
        entry("audit", audit)
    )
}

async fn state(server: &Server, name: &str) -> Result<(String, String, String), String> {
    let agent = the_agent(&server.api, name).await?.agent;
    Ok((agent.connection.value, agent.health.value, agent.health.reason.clone()))
}

/// C181, C183: one socket, and each agent for itself.
#[tokio::test]
async fn given_two_agents_when_one_cannot_run_then_the_other_does_and_the_first_is_tried_again() {
    on_each("several", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        stage.scene.write("edge.yaml", &yaml("own", ""));
        stage.scene.write("audit.yaml", &unknown_property("own"));
        let several = Several::start(&stage, &settings(&server, &stage, "", ""));
        healthy(&server.api, "h/edge", SOON).await;
        eventually("reason of the broken one", SOON, async || {
            let state = state(&server, "h/audit").await?;
            let told = state.1 == "unhealthy" && state.2.contains("nosuch");
            if told { Ok(()) } else { Err(format!("{state:?}")) }
        })
        .await;

        // An offer to the one that runs is applied; one to the other is refused with the same reason.
        let both = push(&server.api, "name:*", "main.yaml", &yaml("pushed", "")).await;
        let settled = push_settled(&server.api, &both.id, SOON).await;
        let mut states: Vec<_> = settled.agents.iter().map(|agent| agent.state.as_str()).collect();
        states.sort_unstable();
        assert_eq!(states, ["failed", "proven"], "{settled:?}");

        // Its file is mended: it comes without anybody's help, and the other did not stand still.
        let pid = several.agent_pid("edge").unwrap();
        stage.scene.write("audit.yaml", &yaml("own", ""));
        healthy(&server.api, "h/audit", SOON).await;
        assert_eq!(several.agent_pid("edge"), Some(pid));
    })
    .await;
}

/// C007: settings are read again while the agents run; what they allow is announced at once.
#[tokio::test]
async fn given_other_settings_when_read_again_then_agents_run_on_and_say_what_is_new() {
    on_each("reread", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        for name in ["edge.yaml", "audit.yaml"] {
            stage.scene.write(name, &yaml("own", ""));
        }
        let mut several = Several::start(&stage, &settings(&server, &stage, "", ""));
        let before = healthy(&server.api, "h/edge", SOON).await;
        healthy(&server.api, "h/audit", SOON).await;
        let pids = ["edge", "audit"].map(|name| several.agent_pid(name).unwrap());
        assert!(before.agent.capabilities.iter().any(|word| word == "AcceptsRestartCommand"), "{before:?}");

        several.reload(&settings(&server, &stage, "    allow: [remote-config]\n", ""));
        eventually("fewer capabilities", SOON, async || {
            let detail = the_agent(&server.api, "h/edge").await?;
            let fewer = !detail.agent.capabilities.iter().any(|word| word == "AcceptsRestartCommand");
            if fewer { Ok(()) } else { Err(format!("{:?}", detail.agent.capabilities)) }
        })
        .await;
        let after = healthy(&server.api, "h/edge", SOON).await;
        assert_eq!(after.agent.uid, before.agent.uid);
        healthy(&server.api, "h/audit", SOON).await;
        assert_eq!(["edge", "audit"].map(|name| several.agent_pid(name).unwrap()), pids);

        // Settings that cannot be used change nothing.
        several.reload("agents: 7\n");
        eventually("refusal in the log", SOON, async || {
            let log = several.log();
            if log.contains("the settings cannot be taken") { Ok(()) } else { Err(log) }
        })
        .await;

        // An agent that is not named any more ends; the other runs on.
        several.reload(&settings(&server, &stage, "", "-"));
        eventually("departure", SOON, async || {
            let state = state(&server, "h/audit").await?;
            let gone = state.0 == "departed" && !alive(pids[1]);
            if gone { Ok(()) } else { Err(format!("{state:?}")) }
        })
        .await;
        healthy(&server.api, "h/edge", SOON).await;
        assert!(alive(pids[0]));

        // Told to leave its agent running, the supervisor ends, and the next one takes it over.
        several.tell(Signal::QUIT);
        assert!(several.process().ends(SOON).await.success());
        assert!(alive(pids[0]));
        several.start_again();
        healthy(&server.api, "h/edge", SOON).await;
        assert_eq!(several.agent_pid("edge"), Some(pids[0]));
        assert!(several.process().stop().await.success());
        assert!(!alive(pids[0]));
    })
    .await;
}

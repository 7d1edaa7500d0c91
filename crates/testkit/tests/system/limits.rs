//! Limits of a host's settings file on what is pushed to it.

use tidegate_testkit::fleet::{SOON, Server, Stage, Supervisor, Wish, healthy, on_each, the_agent, yaml};

use crate::steps::{pushed, says};

/// C097, C187: from the file of the host to the sentence that an operator reads.
#[tokio::test]
async fn given_a_host_with_limits_when_more_is_pushed_then_the_push_fails_with_file_line_property_and_limit()
{
    on_each("limits", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let logs = stage.scene.path().join("logs");
        let settings = format!("limits:\n  config:\n    paths: [{}]\n", logs.display());
        let supervisor =
            Supervisor::start(&stage, Wish { settings, ..Wish::new("a", server.endpoint("ws")) });
        let before = healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        let tail = |path: &str| yaml("pushed", &format!("    - name: tail\n      path: {path}\n"));
        let (state, reason) = pushed(&server.api, "a.yaml", &tail("/etc/shadow")).await;
        assert_eq!(state, "failed");
        says(
            &reason,
            &["limits proof failed", "a.yaml:", "input tail path", "/etc/shadow", "limits.config.paths"],
        );
        let own = supervisor.folder().join("settings.yaml");
        let (state, reason) = pushed(&server.api, "b.yaml", &tail(own.to_str().unwrap())).await;
        assert_eq!(state, "failed");
        says(&reason, &["it belongs to the supervisor"]);
        let exec = yaml("pushed", "    - name: exec\n      command: id\n");
        let (state, reason) = pushed(&server.api, "c.yaml", &exec).await;
        assert_eq!(state, "failed");
        says(&reason, &["c.yaml:", "input exec name", "limits.config.run"]);
        assert_eq!(supervisor.agent_pid(), pid);
        let after = the_agent(&server.api, "a").await.unwrap();
        assert_eq!(after.agent.started_at, before.agent.started_at);
        let (state, reason) = pushed(&server.api, "d.yaml", &yaml("pushed", "")).await;
        assert_eq!(state, "proven", "{reason}");
    })
    .await;
}

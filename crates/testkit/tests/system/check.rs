//! `tidegate-supervisor check`: what it says before a start, beside a supervisor that runs, and where things are wrong.

use std::process::{Command, Output};

use tidegate_testkit::fleet::{
    SOON, Server, Stage, Supervisor, Wish, free_port, healthy, on_each, unknown_property, yaml,
};

fn check(stage: &Stage, wish: &Wish) -> Output {
    let folder = stage.scene.path().join(&wish.name);
    let like = Supervisor::command(&folder, &stage.agent, wish);
    let mut command = Command::new(like.get_program());
    command.arg("check").args(like.get_args());
    for (name, value) in like.get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The line of a matter.
fn line<'a>(text: &'a str, matter: &str) -> &'a str {
    let is_it = |line: &&str| line.get(9..).is_some_and(|rest| rest.starts_with(matter));
    text.lines().find(is_it).unwrap_or_default()
}

#[tokio::test]
async fn given_a_host_when_checked_then_each_matter_is_told_and_nothing_is_disturbed() {
    on_each("check", async |stage: Stage| {
        let server = Server::start(stage.scene.path()).await;
        let wish = Wish::new("a", server.endpoint("ws"));
        std::fs::create_dir_all(stage.scene.path().join("a")).unwrap();
        stage.scene.write("a/own.yaml", &yaml("own", ""));
        let before = check(&stage, &wish);
        let text = said(&before);
        assert!(before.status.success(), "{text}");
        assert!(line(&text, "state").contains("will be made"), "{text}");
        assert!(line(&text, "agent").starts_with("ok") && line(&text, "agent").contains("accepts"), "{text}");
        assert!(line(&text, "server").starts_with("ok"), "{text}");
        assert!(line(&text, "allowed").ends_with("remote-config, restart, chatops"), "{text}");
        assert!(!stage.scene.path().join("a/state").exists(), "nothing was made");
        std::fs::create_dir(stage.scene.path().join("a/state")).unwrap();
        let there = check(&stage, &wish);
        assert!(there.status.success(), "{}", said(&there));
        let made = std::fs::read_dir(stage.scene.path().join("a/state")).unwrap().count();
        assert_eq!(made, 0, "nothing was made in a folder that is there");

        let supervisor = Supervisor::start(&stage, wish.clone());
        let agent = healthy(&server.api, "a", SOON).await;
        let pid = supervisor.agent_pid();
        let beside = check(&stage, &wish);
        let text = said(&beside);
        assert!(beside.status.success() && line(&text, "state").contains("a supervisor runs"), "{text}");
        assert_eq!(supervisor.agent_pid(), pid);
        assert_eq!(server.api.all_agents("").await.unwrap().len(), 1, "it is no agent of its own");
        assert_eq!(healthy(&server.api, "a", SOON).await.agent.uid, agent.agent.uid);

        stage.scene.write("a/own.yaml", &unknown_property("own"));
        let nowhere = Wish { endpoint: format!("ws://127.0.0.1:{}", free_port()), ..wish };
        let wrong = check(&stage, &nowhere);
        let text = said(&wrong);
        assert_eq!(wrong.status.code(), Some(1), "{text}");
        assert!(
            line(&text, "agent").starts_with("FAILED") && line(&text, "agent").contains("nosuch"),
            "{text}"
        );
        assert!(line(&text, "server").contains("cannot connect to ws://127.0.0.1"), "{text}");
        let last = String::from_utf8_lossy(&wrong.stderr).into_owned();
        assert!(last.contains("2 of ") && last.contains("checks failed"), "{last}");
    })
    .await;
}

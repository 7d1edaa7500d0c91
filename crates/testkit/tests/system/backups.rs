//! Backups of a server that runs, and the way back.

use std::path::Path;
use std::process::{Command, Output};

use tidegate_testkit::fleet::{
    Agent, SOON, Scene, ServerProcess, Stage, Supervisor, Wish, eventually, healthy, program, the_agent, yaml,
};

use crate::steps::{RESTART, problem, pushed, says};

fn task(data_dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(program("tidegate-server"));
    command.args(arguments).arg("--data-dir").arg(data_dir).output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[tokio::test]
async fn given_a_backup_of_a_running_server_when_it_is_restored_then_the_fleet_is_as_it_was_and_goes_on() {
    let stage = Stage { scene: Scene::new("backup"), agent: Agent::fake() };
    let data_dir = stage.scene.path().join("server");
    let backup = stage.scene.path().join("backup.db");
    let backup = backup.to_str().unwrap();
    let mut server = ServerProcess::start(&data_dir).await;
    let mut supervisor = Supervisor::start(&stage, Wish::new("a", server.endpoint("ws")));
    healthy(&server.api, "a", SOON).await;
    assert_eq!(pushed(&server.api, "a.yaml", &yaml("first", "")).await.0, "proven");
    let before = the_agent(&server.api, "a").await.unwrap();

    says(&done(&task(&data_dir, &["check"])), &["tidegate.db is sound: 1 agent at revision"]);
    says(&done(&task(&data_dir, &["backup", backup])), &["backup.db is a backup of 1 agent"]);
    says(&refused(&task(&data_dir, &["backup", backup])), &["it is there already", "--force"]);
    done(&task(&data_dir, &["backup", backup, "--force"]));
    says(&refused(&task(&data_dir, &["restore", backup])), &["another server uses", "stop it"]);

    assert_eq!(pushed(&server.api, "a.yaml", &yaml("second", "")).await.0, "proven");
    supervisor.kill();
    let lost = server.api.send_command(&before.agent.uid, &RESTART).await.unwrap();
    server.stop().await;
    let told = done(&task(&data_dir, &["restore", backup]));
    says(&told, &["restored 1 agent", "kept as", "tidegate.db.replaced-"]);

    server.start_again().await;
    let after = the_agent(&server.api, "a").await.unwrap();
    assert_eq!(
        (&after.agent.uid, &after.agent.config.desired),
        (&before.agent.uid, &before.agent.config.desired)
    );
    assert_eq!(problem(server.api.command(&lost.id).await).status, 404, "what came after is not there");
    supervisor.start_again();
    // The agent runs the second config and the server wants the first again.
    eventually("the restored config", SOON, async || {
        let now = the_agent(&server.api, "a").await?;
        let back = now.agent.config.axis.value == "in-sync" && now.components.contains_key("input:first");
        if back { Ok(()) } else { Err(format!("{:?}", now.agent.config)) }
    })
    .await;
}

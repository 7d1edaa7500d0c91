//! The command line against a whole fleet.

use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Server, Stage, Supervisor, Wish, eventually, settings, tidegate, yaml,
};

use crate::steps::says;

/// Agents of the large fleet.
const FLEET: usize = 20;

#[tokio::test]
async fn given_twenty_agents_when_pushed_to_then_the_exit_code_and_the_text_tell_how_it_went() {
    let stage = Stage { scene: Scene::new("twenty agents"), agent: Agent::fake() };
    let home = stage.scene.path();
    let server = Server::start_with(settings(&home.join("tidegate"), 0, 0)).await;
    let wish = |number| Wish::new(&format!("agent-{number:02}"), server.endpoint("ws"));
    let fleet: Vec<_> = (0..FLEET).map(|number| Supervisor::start(&stage, wish(number))).collect();
    eventually("healthy fleet", SOON, async || {
        let healthy = server.api.all_agents("connection:connected health:healthy").await.unwrap().len();
        if healthy == FLEET { Ok(()) } else { Err(format!("{healthy} agents are healthy")) }
    })
    .await;
    let push = async |alias: &str| {
        let file = stage.scene.write("fluent-bit.yaml", &yaml(alias, ""));
        tidegate(home, &["push", file.to_str().unwrap(), "-q", "name:*", "--yes", "--timeout", "60s"]).await
    };
    let all = push("first").await;
    assert_eq!(all.code, Some(0), "{all:?}");
    says(&all.stdout, &["20 proven"]);

    fleet[7].misbehave("dry_run=fail");
    let most = push("second").await;
    assert_eq!(most.code, Some(9), "{most:?}");
    says(&most.stdout, &["19 proven", "1 failed", "agent-07", "dry-run proof failed"]);
    assert!(!most.stdout.contains("agent-06"), "only what failed is named: {}", most.stdout);
}

#[tokio::test]
async fn given_a_local_server_then_the_command_line_finds_it_and_its_token_by_itself() {
    let scene = Scene::new("local server");
    let nowhere = tidegate(scene.path(), &["get", "agents"]).await;
    assert_ne!(nowhere.code, Some(0), "there is no server yet: {nowhere:?}");
    let server = Server::start_with(settings(&scene.path().join("tidegate"), 0, 0)).await;
    let stage = Stage { scene, agent: Agent::fake() };
    let _supervisor = Supervisor::start(&stage, Wish::new("found-by-itself", server.endpoint("ws")));
    let table = eventually("agent in the table", SOON, async || {
        let table = tidegate(stage.scene.path(), &["get", "agents"]).await;
        assert_eq!(table.code, Some(0), "{table:?}");
        if table.stdout.contains("found-by-itself") && table.stdout.contains("healthy") {
            Ok(table)
        } else {
            Err(table.stdout)
        }
    })
    .await;
    says(&table.stdout, &["NAME", "connected"]);
    let run = async |args: &[&str]| tidegate(stage.scene.path(), args).await;
    let labelled = run(&["label", "agents", "found-by-itself", "env=prod", "ring=1"]).await;
    assert_eq!(labelled.code, Some(0), "{labelled:?}");
    says(&labelled.stdout, &["1 agent labelled"]);
    assert_eq!(run(&["label", "agents", "-q", "label.env:dev", "ring-", "--yes"]).await.code, Some(3));
    assert_eq!(run(&["label", "agents", "found-by-itself", "Env=prod"]).await.code, Some(6));
    let lines = run(&["get", "agents", "-q", "label.ring:>0", "-o", "ndjson", "--sort-by", "-name"]).await;
    assert_eq!((lines.code, lines.stdout.lines().count()), (Some(0), 1), "{lines:?}");
    says(&lines.stdout, &["\"labels\":{\"env\":\"prod\",\"ring\":\"1\"}"]);
    let counted = run(&["get", "agents", "--facets", "connection,label.zone"]).await;
    says(&counted.stdout, &["connection   1        connected", "label.zone   1        (none)"]);
    assert_eq!(run(&["get", "agents", "--sort-by", "nmae"]).await.code, Some(6));
    assert_eq!(run(&["cancel", "command", "0190"]).await.code, Some(3));
    let page = tidegate(stage.scene.path(), &["describe", "agent", "found-by-itself"]).await;
    assert_eq!(page.code, Some(0), "{page:?}");
    says(&page.stdout, &["env", "prod", "input:own", "tidegate/rendered"]);
}

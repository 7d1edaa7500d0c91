//! What is only tried: everything is checked and planned, and nothing is written or sent.

use serde_json::{Value, json};

use crate::report::Reporter;
use crate::settings::rule;
use crate::world::World;

/// The events so far: an act would have left one.
async fn events(world: &World) -> Value {
    world.get("/events").await.expect(200)["items"].clone()
}

#[tokio::test]
async fn given_a_command_when_it_is_tried_then_it_is_checked_and_not_queued() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let before = events(&world).await;
    let path = format!("/agents/{}/commands?dry_run=all", agent.uid);
    let tried = world.post(&path, json!({"kind": "restart"})).await.expect(200);
    assert_eq!(
        (&tried["id"], &tried["state"], &tried["kind"]),
        (&json!(""), &json!("queued"), &json!("restart"))
    );
    let wrong = json!({"kind": "restart", "deadline_seconds": 0});
    assert_eq!(
        world.post(&path, wrong).await.problem(422, "invalid")["errors"][0]["pointer"],
        "/deadline_seconds"
    );
    let foreign = json!({"kind": "custom", "capability": "x.unknown", "type": "t"});
    world.post(&path, foreign).await.problem(409, "unsupported");
    let nobody = "/agents/11111111-1111-1111-1111-111111111111/commands?dry_run=all";
    world.post(nobody, json!({"kind": "restart"})).await.problem(404, "not-found");
    world.post(&path.replace("all", "some"), json!({"kind": "restart"})).await.problem(400, "parameters");
    assert_eq!(world.get("/commands").await.expect(200)["items"], json!([]));
    assert_eq!(world.poll(&agent.heartbeat()).await.command, None);
    assert_eq!(events(&world).await, before);
}

#[tokio::test]
async fn given_a_command_that_waits_when_its_withdrawal_is_tried_then_it_waits_still() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let id = world.command(&agent, json!({"kind": "restart"})).await["id"].as_str().unwrap().to_owned();
    let path = format!("/commands/{id}/actions/cancel?dry_run=all");
    let tried = world.call("POST", &path, None).await.expect(200);
    assert_eq!((&tried["id"], &tried["state"]), (&json!(id), &json!("cancelled")));
    assert_eq!(world.get(&format!("/commands/{id}")).await.expect(200)["state"], "queued");
    assert!(world.poll(&agent.heartbeat()).await.command.is_some());
    world.call("POST", &path, None).await.problem(409, "conflict");
}

#[tokio::test]
async fn given_a_push_when_it_is_tried_then_its_agents_are_told_and_get_nothing() {
    let world = World::new().await;
    let (mut takes, mut refuses) = (Reporter::new(1), Reporter { capabilities: 1, ..Reporter::new(2) });
    world.poll(&takes.full()).await;
    world.poll(&refuses.full()).await;
    let before = (events(&world).await, world.agent(&takes).await["config"]["value"].clone());
    let order = |q: &str| json!({"q": q, "files": [{"name": "a.conf", "body": "[SERVICE]"}]});
    let answer = world.post("/pushes?dry_run=all", order("name:*")).await;
    assert_eq!(answer.header("location"), None);
    let tried = answer.expect(200);
    assert_eq!((&tried["id"], &tried["summary"]["total"]), (&json!(""), &json!(2)));
    assert_eq!((&tried["summary"]["pending"], &tried["summary"]["refused"]), (&json!(1), &json!(1)));
    world.post("/pushes?dry_run=all", order("name:nobody")).await.problem(404, "no-agent-matches");
    world.post("/pushes?dry_run=all", order("")).await.problem(422, "invalid");
    assert_eq!(world.poll(&takes.heartbeat()).await.remote_config, None);
    assert_eq!((events(&world).await, world.agent(&takes).await["config"]["value"].clone()), before);
}

#[tokio::test]
async fn given_a_rule_when_its_writing_and_removal_are_tried_then_it_stays_as_it_is() {
    let world = World::new().await;
    let every = |seconds: u32| json!({"target": {"all": true}, "heartbeat": {"interval_seconds": seconds}});
    let tried = rule(&world, "PUT", "all?dry_run=all", None, Some(every(10))).await;
    assert_eq!(tried.header("etag"), None);
    assert_eq!(tried.expect(200)["revision"], 1);
    world.get("/connection-settings/all").await.problem(404, "not-found");
    rule(&world, "PUT", "all?dry_run=all", None, Some(every(0))).await.problem(422, "invalid");
    rule(&world, "PUT", "all", None, Some(every(10))).await.expect(201);
    rule(&world, "PUT", "all?dry_run=all", None, Some(every(20))).await.problem(428, "precondition-required");
    let (stale, known) = (Some(("If-Match", "\"7\"")), Some(("If-Match", "\"1\"")));
    for method in ["PUT", "DELETE"] {
        let answer = rule(&world, method, "all?dry_run=all", stale, Some(every(20))).await;
        answer.problem(412, "stale");
        assert_eq!(answer.header("etag"), Some("\"1\""), "{method}");
    }
    assert_eq!(
        rule(&world, "PUT", "all?dry_run=all", known, Some(every(20))).await.expect(200)["revision"],
        2
    );
    let removed = rule(&world, "DELETE", "all?dry_run=all", known, None).await.expect(200);
    let read = world.get("/connection-settings/all").await.expect(200);
    assert_eq!((&read["heartbeat"], &read["revision"]), (&json!({"interval_seconds": 10}), &json!(1)));
    assert_eq!(removed, read);
}

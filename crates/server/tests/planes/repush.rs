//! What follows from pushes that did not go well: another try, and the way back.

use serde_json::{Value, json};
use tidegate_opamp::{AgentToServer, RemoteConfigStatus, RemoteConfigStatuses};

use crate::http::Answer;
use crate::report::{Reporter, effective};
use crate::world::World;

const APPLIED: RemoteConfigStatuses = RemoteConfigStatuses::Applied;
const FAILED: RemoteConfigStatuses = RemoteConfigStatuses::Failed;

/// Takes the offer that waits for an agent and says what became of it; gives its hash and its text.
async fn answer(world: &World, agent: &mut Reporter, status: RemoteConfigStatuses) -> (Vec<u8>, Vec<u8>) {
    let offer = world.poll(&agent.heartbeat()).await.remote_config.expect("nothing was offered");
    let body = offer.config.unwrap().config_map["fluent-bit.yaml"].body.clone();
    let error_message = if status == FAILED { "no such plugin".to_owned() } else { String::new() };
    let remote_config_status = Some(RemoteConfigStatus {
        last_remote_config_hash: offer.config_hash.clone(),
        status,
        error_message,
        ..RemoteConfigStatus::default()
    });
    let running =
        (status == APPLIED).then(|| effective([("fluent-bit.yaml", &body[..]), ("tidegate/rendered", b"r")]));
    let report = AgentToServer { remote_config_status, effective_config: running, ..agent.heartbeat() };
    world.poll(&report).await;
    (offer.config_hash.to_vec(), body.to_vec())
}

async fn act(world: &World, push: &Value, act: &str, body: Value) -> Answer {
    world.post(&format!("/pushes/{}/actions/{act}", push["id"].as_str().unwrap()), body).await
}

/// S098: a config that an agent refused is offered again under another hash, which it has no answer to.
#[tokio::test]
async fn given_a_push_that_failed_for_some_when_tried_again_then_they_alone_get_the_same_files_anew() {
    let world = World::new().await;
    let (mut good, mut bad) = (Reporter::new(1), Reporter::new(2));
    world.poll(&good.full()).await;
    world.poll(&bad.full()).await;
    let push = world.push("name:host-*", "a").await;
    act(&world, &push, "retry", json!({})).await.problem(409, "conflict");
    answer(&world, &mut good, APPLIED).await;
    let (first, _) = answer(&world, &mut bad, FAILED).await;

    act(&world, &push, "retry", json!({"expected_count": 2})).await.problem(409, "conflict");
    let tried = act(&world, &push, "retry?dry_run=all", json!({"expected_count": 1})).await.expect(200);
    assert_eq!((&tried["id"], &tried["summary"]["total"]), (&json!(""), &json!(1)));
    assert_eq!(world.poll(&bad.heartbeat()).await.remote_config, None, "it was only tried");

    let made = act(&world, &push, "retry", json!({"expected_count": 1})).await;
    assert!(made.header("location").unwrap().starts_with("/api/v1/pushes/"));
    let made = made.expect(201);
    assert_eq!((&made["retry_of"], &made["q"]), (&push["id"], &json!("name:host-*")));
    assert_eq!(
        (&made["agents"][0]["uid"], &made["summary"]["pending"]),
        (&json!(bad.uid.to_string()), &json!(1))
    );
    assert_eq!(world.poll(&good.heartbeat()).await.remote_config, None);
    let (second, body) = answer(&world, &mut bad, APPLIED).await;
    assert_eq!((body, second != first), (b"a".to_vec(), true));
    let path = format!("/pushes/{}", made["id"].as_str().unwrap());
    assert_eq!(world.get(&path).await.expect(200)["summary"]["proven"], 1);
    let before = world.get(&format!("/pushes/{}", push["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(before["summary"]["superseded"], 1);
    let listed = world.get("/pushes").await.expect(200);
    assert_eq!(listed["items"][0]["retry_of"], push["id"]);
}

/// Each agent goes back to what it ran itself, and the way back is known after a restart of the server too.
#[tokio::test]
async fn given_agents_with_other_configs_before_when_rolled_back_then_each_gets_its_own_and_the_rest_is_told()
{
    let world = World::new().await;
    let mut agents: Vec<_> = (1..=4).map(Reporter::new).collect();
    for agent in &mut agents {
        world.poll(&agent.full()).await;
    }
    world.push("name:host-1", "one").await;
    world.push("name:host-2 OR name:host-4", "two").await;
    for index in [0, 1, 3] {
        answer(&world, &mut agents[index], APPLIED).await;
    }
    let push = world.push("name:host-*", "bad").await;
    for agent in &mut agents[..3] {
        answer(&world, agent, FAILED).await;
    }
    answer(&world, &mut agents[3], APPLIED).await;
    let world = world.restart().await;

    act(&world, &push, "roll-back", json!({"expected_count": 3})).await.problem(409, "conflict");
    act(&world, &push, "roll-back", json!({"agents": "some"})).await.problem(400, "json");
    let tried = act(&world, &push, "roll-back?dry_run=all", json!({})).await.expect(200);
    let done = act(&world, &push, "roll-back", json!({"expected_count": 2})).await.expect(201);
    let summary = json!({"back": 2, "nowhere": 1, "superseded": 0, "left": 1});
    assert_eq!((&tried["summary"], &done["summary"]), (&summary, &summary));
    assert_eq!((&tried["pushes"][0]["id"], &tried["agents"][0].get("push")), (&json!(""), &None));
    assert_eq!(done["pushes"].as_array().unwrap().len(), 2);
    assert_eq!(done["pushes"][0]["roll_back_of"], push["id"]);
    let nowhere = done["agents"].as_array().unwrap().iter().find(|agent| agent["way"] == "nowhere").unwrap();
    assert_eq!(nowhere["uid"], json!(agents[2].uid.to_string()));
    assert!(nowhere["reason"].as_str().unwrap().contains("no config is known"));
    for (index, text) in [(0, "one"), (1, "two")] {
        let (_, body) = answer(&world, &mut agents[index], APPLIED).await;
        assert_eq!(body, text.as_bytes());
        assert_eq!(world.agent(&agents[index]).await["config"]["proof"], "proven");
    }
    assert_eq!(world.poll(&agents[3].heartbeat()).await.remote_config, None);

    // All of them: the one that runs it goes back as well; those that went back before are left as they are.
    let rest = act(&world, &push, "roll-back", json!({"agents": "all"})).await.expect(201);
    assert_eq!(rest["summary"], json!({"back": 1, "nowhere": 1, "superseded": 2, "left": 0}));
    let (_, body) = answer(&world, &mut agents[3], APPLIED).await;
    assert_eq!(body, b"two");
    act(&world, &push, "roll-back", json!({"agents": "all"})).await.problem(409, "conflict");
}

#[tokio::test]
async fn given_acts_on_pushes_that_are_not_there_or_without_a_key_then_each_is_refused() {
    let world = World::new().await;
    world.post("/pushes/nonsense/actions/retry", json!({})).await.problem(404, "not-found");
    world.post("/pushes/nonsense/actions/roll-back", json!({})).await.problem(404, "not-found");
    world.poll(&Reporter::new(1).full()).await;
    let push = world.push("name:*", "a").await;
    for name in ["retry", "roll-back"] {
        act(&world, &push, name, json!({"other": 1})).await.problem(400, "json");
        act(&world, &push, name, json!({})).await.problem(409, "conflict");
    }
}

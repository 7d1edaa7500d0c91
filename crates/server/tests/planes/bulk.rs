//! Restarts of all agents that match a query.

use serde_json::{Value, json};
use tidegate_opamp::{AgentCapabilities, CommandType};

use crate::report::Reporter;
use crate::world::{World, new_key};

fn order(q: &str, expected_count: u64, tolerance: u64) -> Value {
    let action = json!({"kind": "restart"});
    json!({"q": q, "expected_count": expected_count, "tolerance": tolerance, "action": action})
}

fn outcomes(operation: &Value) -> Vec<&str> {
    operation["targets"].as_array().unwrap().iter().map(|t| t["outcome"].as_str().unwrap()).collect()
}

/// Refused where the fleet is another one than the caller saw; a dry run shows what would be done and does nothing.
#[tokio::test]
async fn given_a_fleet_that_is_not_as_counted_when_restarted_then_nothing_is_queued() {
    let world = World::new().await;
    for number in 1..=3 {
        world.poll(&Reporter::new(number).full()).await;
    }
    let path = "/bulk-operations";
    let problem = world.post(path, order("name:*", 5, 1)).await.problem(409, "conflict");
    assert!(problem["detail"].as_str().unwrap().contains("matches 3 agents"), "{problem:#}");
    world.post(path, order("name:nobody", 0, 0)).await.problem(404, "no-agent-matches");
    world.post(path, order("", 3, 0)).await.problem(422, "invalid");
    let mut late = order("name:*", 3, 0);
    late["action"]["deadline_seconds"] = json!(0);
    let problem = world.post(path, late).await.problem(422, "invalid");
    assert_eq!(problem["errors"][0]["pointer"], "/action/deadline_seconds");
    let tried = world.post("/bulk-operations?dry_run=all", order("name:*", 4, 1)).await.expect(200);
    assert_eq!((&tried["total"], &tried["succeeded"], &tried["pending"]), (&json!(3), &json!(3), &json!(0)));
    assert_eq!(world.get("/commands").await.expect(200)["total"]["value"], 0);
}

/// One act: each agent gets its command or a reason, and the operation follows what comes of them.
#[tokio::test]
async fn given_a_query_when_restarted_then_each_agent_has_its_own_outcome_as_it_comes() {
    let world = World::new().await;
    let (mut fit, mut away) = (Reporter::new(1), Reporter::new(3));
    let mut unfit = Reporter::new(2).without(AgentCapabilities::ACCEPTS_RESTART_COMMAND);
    let mut socket = world.connected(&mut fit).await;
    socket.exchange(&fit.health(true, 1, "")).await;
    world.poll(&unfit.full()).await;
    world.poll(&away.full()).await;
    let answer = world.post("/bulk-operations", order("name:*", 3, 0)).await;
    let path = answer.header("location").unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    let operation = answer.expect(202);
    let count = |name: &str| operation[name].as_u64().unwrap();
    assert_eq!((count("total"), count("pending"), count("refused")), (3, 2, 1), "{operation:#}");
    assert_eq!(outcomes(&operation), ["queued", "refused", "queued"]);
    assert!(operation["targets"][1]["reason"].as_str().unwrap().contains("does not accept"));
    let message = socket.message().await;
    assert_eq!(message.command.map(|command| command.kind), Some(CommandType::Restart));
    let now = world.eventually(&path, |o| o["targets"][0]["outcome"] == "sent").await;
    let id = now["targets"][0]["command"].as_str().unwrap();
    assert_eq!(world.get(&format!("/commands/{id}")).await.expect(200)["agent"], fit.uid.to_string());
    let tried = world.post(&format!("{path}/actions/cancel?dry_run=all"), json!({})).await.expect(200);
    assert_eq!(outcomes(&tried), ["sent", "refused", "cancelled"]);
    assert_eq!(outcomes(&world.get(&path).await.expect(200)), ["sent", "refused", "queued"], "only tried");
    let cancelled = world.post(&format!("{path}/actions/cancel"), json!({})).await.expect(200);
    assert_eq!(outcomes(&cancelled), ["sent", "refused", "cancelled"]);
    assert_eq!(cancelled["failed"], 1);
    world.post(&format!("{path}/actions/cancel"), json!({})).await.problem(409, "conflict");
    world.post(&format!("{path}/actions/cancel?dry_run=all"), json!({})).await.problem(409, "conflict");
    world.post("/operations/x/actions/cancel", json!({})).await.problem(404, "not-found");
    assert!(world.poll(&away.heartbeat()).await.command.is_none(), "a withdrawn command was sent");
    socket.exchange(&fit.health(true, 2, "")).await;
    let ended = world.eventually(&path, |o| o["pending"] == 0).await;
    assert_eq!(outcomes(&ended), ["succeeded", "refused", "cancelled"]);
}

/// All commands and the answer are in one transaction: a crash loses none, and the same call does nothing twice.
#[tokio::test]
async fn given_a_restart_of_many_when_the_server_crashes_then_the_commands_are_there_once() {
    let world = World::new().await;
    let mut agents: Vec<_> = (1..=20).map(Reporter::new).collect();
    for agent in &mut agents {
        world.poll(&agent.full()).await;
    }
    let key = new_key();
    let first = world.keyed("/bulk-operations", &key, &order("name:*", 20, 0)).await;
    let world = world.crashed().await;
    let again = world.keyed("/bulk-operations", &key, &order("name:*", 20, 0)).await;
    assert_eq!((again.status, &again.body), (202, &first.body));
    let commands = world.get("/commands?state=queued").await.expect(200);
    assert_eq!(commands["total"]["value"], 20);
    let command = world.poll(&agents[7].full()).await.command.unwrap();
    assert_eq!(command.kind, CommandType::Restart);
    assert_eq!(world.get("/commands?state=queued").await.expect(200)["total"]["value"], 19);
}

/// The hundredth and first command that waits for an agent is refused to it, and to it alone.
#[tokio::test]
async fn given_an_agent_with_too_many_commands_when_all_are_restarted_then_it_alone_is_refused() {
    let world = World::new().await;
    for number in 1..=2 {
        world.poll(&Reporter::new(number).full()).await;
    }
    for _ in 0..100 {
        world.post("/bulk-operations", order("name:host-1", 1, 0)).await.expect(202);
    }
    let operation = world.post("/bulk-operations", order("name:*", 2, 0)).await.expect(202);
    assert_eq!(outcomes(&operation), ["refused", "queued"], "{operation:#}");
}

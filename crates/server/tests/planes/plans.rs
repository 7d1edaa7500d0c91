//! Plans as a person meets them, who confirms or discards what a model planned.

use serde_json::{Value, json};
use tidegate_opamp::AgentCapabilities;

use crate::model::{Model, Person, Revision};
use crate::report::{NULL, Reporter};
use crate::world::World;

async fn model(world: &World) -> Model {
    world.model("", Revision::Current, Person::Absent).await
}

/// A planned restart, as its page tells of it.
async fn page(world: &World, model: &Model, q: &str) -> (String, Value) {
    let plan = model.call("plan_command", json!({"q": q, "command": "restart"})).await;
    let path = format!("/plans/{}", plan["plan_id"].as_str().unwrap());
    let page = world.get(&path).await.expect(200);
    (path, page)
}

/// What a person sends who read the page.
fn execution(page: &Value) -> Value {
    json!({"hash": page["hash"], "confirmation": page["confirmation"], "reason": "the output hangs"})
}

#[tokio::test]
async fn given_a_plan_when_its_page_is_opened_then_it_tells_what_would_happen_to_whom_and_what_confirms_it() {
    let world = World::new().await;
    let agent = Reporter::new(1);
    world.poll(&Reporter::new(1).full()).await;
    world.poll(&Reporter::new(2).without(AgentCapabilities::ACCEPTS_RESTART_COMMAND).full()).await;
    let model = model(&world).await;
    let (_, page) = page(&world, &model, "name:host-*").await;
    let told = |name: &str| page[name].clone();
    assert_eq!((told("state"), told("confirmation")), (json!("waiting"), json!("restart 1")));
    assert_eq!((told("action"), told("summary")), (json!({"kind": "restart"}), json!("restart")));
    assert_eq!((told("q"), told("actor")), (json!("name:host-*"), json!("admin")));
    let expected = json!([{"uid": agent.uid.to_string(), "name": "host-1"}]);
    assert_eq!((told("count"), told("agents")), (json!(1), expected));
    assert_eq!((told("refused"), &page["refused_agents"][0]["name"]), (json!(1), &json!("host-2")));
    assert!(!page["refused_agents"][0]["reason"].as_str().unwrap().is_empty(), "{page:#}");
    assert!(page["made_at"].as_str() < page["expires_at"].as_str(), "{page:#}");
    let order =
        json!({"q": "name:host-*", "command": NULL, "type": "Null Command", "data": {"dummyValue": "x"}});
    let message = model.call("plan_command", order).await;
    let path = format!("/plans/{}", message["plan_id"].as_str().unwrap());
    let action = world.get(&path).await.expect(200)["action"].clone();
    let expected =
        json!({"kind": "custom", "capability": NULL, "type": "Null Command", "data": {"dummyValue": "x"}});
    assert_eq!(action, expected);
}

#[tokio::test]
async fn given_a_plan_when_a_person_confirms_it_then_it_is_carried_out_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let (path, page) = page(&world, &model(&world).await, "name:host-*").await;
    let execute = format!("{path}/actions/execute");
    let tried = world.post(&format!("{execute}?dry_run=all"), execution(&page)).await.expect(200);
    assert_eq!(tried["targets"][0]["reason"], "would be queued");
    assert_eq!(world.get("/commands").await.expect(200)["items"], json!([]), "it was only tried");
    let done = world.post(&execute, execution(&page)).await.expect(202);
    assert_eq!((&done["kind"], &done["total"]), (&json!("restart"), &json!(1)));
    let again = world.post(&execute, execution(&page)).await.expect(202);
    assert_eq!(again["id"], done["id"], "the same plan is the same act");
    assert_eq!(world.get("/commands").await.expect(200)["items"].as_array().unwrap().len(), 1);
    assert!(world.poll(&agent.heartbeat()).await.command.is_some());
    let now = world.get(&path).await.expect(200);
    assert_eq!((&now["state"], &now["operation"]), (&json!("done"), &done["id"]));
    world.call("POST", &format!("{path}/actions/discard"), None).await.problem(409, "conflict");
}

#[tokio::test]
async fn given_a_plan_when_what_is_sent_does_not_confirm_it_then_it_says_why_and_the_plan_waits_on() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    let (path, page) = page(&world, &model(&world).await, "name:host-*").await;
    let execute = format!("{path}/actions/execute");
    for (field, value, pointer) in [
        ("confirmation", json!("restart 2"), "/confirmation"),
        ("confirmation", json!(""), "/confirmation"),
        ("reason", json!("because"), "/reason"),
        ("reason", Value::Null, "/reason"),
    ] {
        let mut wrong = execution(&page);
        wrong[field] = value;
        let problem = world.post(&execute, wrong.clone()).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{wrong}");
    }
    let mut other = execution(&page);
    other["hash"] = json!("0".repeat(64));
    world.post(&execute, other).await.problem(409, "conflict");
    assert_eq!(world.get(&path).await.expect(200)["state"], "waiting");
    assert_eq!(world.get("/commands").await.expect(200)["items"], json!([]));
    world.post(&execute, execution(&page)).await.expect(202);
}

#[tokio::test]
async fn given_a_plan_when_the_fleet_moved_then_its_page_says_so_and_it_is_not_carried_out() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    let (path, page) = page(&world, &model(&world).await, "name:host-*").await;
    world.poll(&Reporter::new(2).full()).await;
    let now = world.get(&path).await.expect(200);
    assert_eq!(now["state"], "stale");
    assert!(now["why"].as_str().unwrap().contains("1 came, 0 went"), "{now:#}");
    world.post(&format!("{path}/actions/execute"), execution(&page)).await.problem(412, "stale");
    assert_eq!(world.get("/commands").await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn given_a_plan_when_a_person_discards_it_then_it_is_gone_for_everybody() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    let model = model(&world).await;
    let (path, page) = page(&world, &model, "name:host-*").await;
    let gone = world.call("POST", &format!("{path}/actions/discard"), None).await.expect(200);
    assert_eq!((&gone["state"], &gone["id"]), (&json!("discarded"), &page["id"]));
    world.get(&path).await.problem(404, "not-found");
    world.post(&format!("{path}/actions/execute"), execution(&page)).await.problem(404, "not-found");
    let arguments = json!({"plan_id": page["id"], "plan_hash": page["hash"], "reason": "the output hangs"});
    assert_eq!(model.problem("execute_plan", arguments).await["code"], "not-found");
}

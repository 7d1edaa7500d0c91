//! What models do to a fleet: in two steps, and never without a person.

use serde_json::{Value, json};

use crate::model::{Model, Person, Revision};
use crate::report::{NULL, Reporter};
use crate::world::World;

const BOTH: [Revision; 2] = [Revision::Current, Revision::Earlier];

async fn plan(model: &Model, q: &str) -> Value {
    model.call("plan_command", json!({"q": q, "command": "restart"})).await
}

/// The arguments that carry a plan out.
fn execution(plan: &Value) -> Value {
    json!({"plan_id": plan["plan_id"], "plan_hash": plan["plan_hash"], "reason": "the output hangs"})
}

async fn commands(world: &World) -> Value {
    world.get("/commands").await.expect(200)["items"].clone()
}

/// The audit entries, oldest first: face, action, target and detail.
fn audit(world: &World) -> Vec<[String; 4]> {
    let store = rusqlite::Connection::open(world.folder.path().join("tidegate.db")).unwrap();
    let mut rows = store.prepare("SELECT face, action, target, detail FROM audit ORDER BY number").unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
    rows.query_map([], row).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn given_a_plan_when_a_person_types_its_phrase_then_it_is_carried_out_once_and_recorded() {
    for revision in BOTH {
        let world = World::new().await;
        let (mut one, mut other) = (Reporter::new(1), Reporter::new(2));
        world.poll(&one.full()).await;
        world.poll(&other.full()).await;
        let model = world.model("", revision, Person::Types("restart 2")).await;
        let plan = plan(&model, "name:host-*").await;
        assert_eq!((&plan["targets"], &plan["confirmation"]), (&json!(2), &json!("restart 2")));
        assert_eq!(commands(&world).await, json!([]), "a plan sends nothing");
        let done = model.call("execute_plan", execution(&plan)).await;
        assert_eq!(done["status"], "started", "{revision:?}");
        let asked = model.asked();
        assert!(asked.len() == 1 && asked[0].contains("2 agents") && asked[0].contains("the output hangs"));
        assert_eq!(commands(&world).await.as_array().unwrap().len(), 2);
        assert!(world.poll(&one.heartbeat()).await.command.is_some());
        let again = model.call("execute_plan", execution(&plan)).await;
        assert_eq!(again["operation_id"], done["operation_id"], "the same plan is the same act");
        assert_eq!(model.asked().len(), 1);
        let came_of_it = model.call("list_commands", json!({"operation_id": done["operation_id"]})).await;
        assert_eq!((&came_of_it["total"], &came_of_it["under_way"]), (&json!(2), &json!(2)));
        let entries = audit(&world);
        let [planned, restarted] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!(planned[..3], ["mcp", "plan", "name:host-*"]);
        assert_eq!(restarted[..3], ["mcp", "restart", "name:host-*"]);
        let id = plan["plan_id"].as_str().unwrap();
        let detail =
            format!("restart for 2 agents; plan {id}; reason: the output hangs; client: testclient 9");
        assert_eq!(restarted[3], detail);
    }
}

#[tokio::test]
async fn given_a_plan_when_it_is_not_confirmed_then_nothing_is_done_and_the_plan_is_gone() {
    for revision in BOTH {
        let world = World::new().await;
        world.poll(&Reporter::new(1).full()).await;
        for (person, code) in [
            (Person::Declines, "declined"),
            (Person::Types("yes"), "not-confirmed"),
            (Person::Types("restart 2"), "not-confirmed"),
        ] {
            let model = world.model("", revision, person).await;
            let plan = plan(&model, "name:host-*").await;
            let result = model.result("execute_plan", execution(&plan)).await;
            let told = result.structured_content.unwrap();
            assert_eq!(
                (&told["status"], &told["refusal"]["code"]),
                (&json!("refused"), &json!(code)),
                "{revision:?}"
            );
            assert_eq!((result.is_error, model.asked().len()), (Some(true), 1));
            assert!(model.asked()[0].starts_with("restart for 1 agent, found by name:host-*."));
            let again = model.problem("execute_plan", execution(&plan)).await;
            assert_eq!(again["code"], "not-found");
        }
        assert_eq!(commands(&world).await, json!([]));
        let discarded = audit(&world).iter().filter(|entry| entry[3].contains("discarded")).count();
        assert_eq!(discarded, 3);
    }
}

#[tokio::test]
async fn given_a_client_that_cannot_ask_when_it_executes_then_the_console_is_named_and_nothing_is_done() {
    for revision in BOTH {
        let world = World::new().await;
        world.poll(&Reporter::new(1).full()).await;
        let model = world.model("", revision, Person::Absent).await;
        let plan = plan(&model, "name:host-1").await;
        let told = model.call("execute_plan", execution(&plan)).await;
        assert_eq!(told["status"], "approval_required");
        let id = plan["plan_id"].as_str().unwrap();
        let url = format!("http://{}/plans/{id}", world.server.operators);
        assert_eq!((&told["approval"]["url"], &plan["url"]), (&json!(url), &json!(url)));
        assert_eq!(commands(&world).await, json!([]));
        let page = world.get(&format!("/plans/{id}")).await.expect(200);
        assert_eq!((&page["reason"], &page["client"]), (&json!("the output hangs"), &json!("testclient 9")));
        let typed = json!({"hash": page["hash"], "confirmation": page["confirmation"]});
        let done = world.post(&format!("/plans/{id}/actions/execute"), typed).await.expect(202);
        let news = model.call("execute_plan", execution(&plan)).await;
        assert_eq!((&news["status"], &news["operation_id"]), (&json!("started"), &done["id"]));
    }
}

#[tokio::test]
async fn given_a_plan_when_the_fleet_moved_or_it_is_another_then_it_is_refused_before_anyone_is_asked() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    let model = world.model("", Revision::Current, Person::Types("restart 1")).await;
    let moved = plan(&model, "name:host-*").await;
    let planned = &audit(&world)[0][3];
    assert!(
        planned.contains("restart for 1 agent;") || planned.ends_with("restart for 1 agent"),
        "{planned}"
    );
    let mut forged = execution(&moved);
    forged["plan_hash"] = json!("0".repeat(64));
    assert_eq!(model.problem("execute_plan", forged).await["code"], "conflict");
    let mut silent = execution(&moved);
    silent["reason"] = json!("because");
    assert_eq!(model.problem("execute_plan", silent).await["code"], "invalid");
    world.poll(&Reporter::new(2).full()).await;
    let problem = model.problem("execute_plan", execution(&moved)).await;
    assert_eq!(problem["code"], "stale");
    assert!(problem["detail"].as_str().unwrap().contains("1 came, 0 went"), "{problem:#}");
    assert_eq!((model.asked().len(), commands(&world).await), (0, json!([])));
}

#[tokio::test]
async fn given_commands_that_cannot_be_planned_then_each_says_why() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world
        .poll(&Reporter::new(2).without(tidegate_opamp::AgentCapabilities::ACCEPTS_RESTART_COMMAND).full())
        .await;
    let model = world.model("", Revision::Current, Person::Types("send to 2")).await;
    for (order, code) in [
        (json!({"q": "", "command": "restart"}), "invalid"),
        (json!({"q": "name:nobody", "command": "restart"}), "no-agent-matches"),
        (json!({"q": "name:host-2", "command": "restart"}), "unsupported"),
        (json!({"q": "name:*", "command": "restart", "data": {}}), "invalid"),
        (json!({"q": "name:*", "command": "com.example.own", "type": "x"}), "invalid"),
        (json!({"q": "name:*", "command": NULL}), "invalid"),
        (json!({"q": "name:*", "command": NULL, "type": "Other"}), "invalid"),
    ] {
        assert_eq!(model.problem("plan_command", order.clone()).await["code"], code, "{order}");
    }
    let some = plan(&model, "name:host-*").await;
    assert_eq!((&some["targets"], &some["refused"]), (&json!(1), &json!(1)));
    let order =
        json!({"q": "name:host-*", "command": NULL, "type": "Null Command", "data": {"dummyValue": "x"}});
    let message = model.call("plan_command", order).await;
    assert_eq!(message["confirmation"], "send to 2");
    assert_eq!(model.call("execute_plan", execution(&message)).await["status"], "started");
    let sent = world.poll(&agent.heartbeat()).await.custom_message.unwrap();
    assert_eq!((&*sent.capability, &sent.data[..]), (NULL, &b"{\"dummyValue\":\"x\"}"[..]));
}

//! One agent looked at closely: what it reported, what happened to it, what may be sent to it.

use serde_json::{Value, json};
use tidegate_opamp::{AgentToServer, CustomCapabilities};

use crate::report::{NULL, Reporter, effective};
use crate::world::World;

/// A time that the API told.
fn at(value: &Value) -> jiff::Timestamp {
    value.as_str().unwrap().parse().unwrap()
}

/// C085: what an agent sends with its secrets is shown without them; the names are those of the protocol.
#[tokio::test]
async fn given_reports_when_looked_at_raw_then_every_part_is_there_as_it_was_sent_but_for_secrets() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let body = b"[OUTPUT]\n    Name http\n    HTTP_Passwd hunter2\n";
    let report = AgentToServer {
        effective_config: Some(effective([("a.conf", &body[..])])),
        ..agent.health(false, 5, "cannot connect")
    };
    world.poll(&report).await;
    let path = format!("/agents/{}/report", agent.uid);
    let answer = world.get(&path).await;
    assert!(!String::from_utf8_lossy(&answer.body).contains("hunter2"));
    let told = answer.expect(200);
    assert_eq!((&told["sequence_num"], &told["sequence_exact"]), (&json!(report.sequence_num), &json!(true)));
    assert_eq!(told["capabilities"], json!(agent.capabilities));
    let health = &told["parts"]["health"];
    assert_eq!(
        (&health["message"]["healthy"], &health["message"]["last_error"]),
        (&json!(false), &json!("cannot connect"))
    );
    assert!(health["bytes"].as_u64().unwrap() > 10 && health["observed_at"].is_string(), "{health}");
    let shown =
        told["parts"]["effective_config"]["message"]["config_map"]["a.conf"]["body"].as_str().unwrap();
    assert!(shown.contains("Name http") && shown.contains("redacted-"), "{shown}");
    let description = &told["parts"]["agent_description"]["message"];
    assert_eq!(description["non_identifying_attributes"]["host.name"], "host-1", "{description}");
    assert!(told["parts"].get("package_statuses").is_none(), "it never sent any");
    world.get("/agents/x/report").await.problem(422, "invalid");
    world.get("/agents/11111111-1111-1111-1111-111111111111/report").await.problem(404, "not-found");
}

fn kinds(items: &Value) -> Vec<String> {
    let word = |item: &Value| match item["kind"].as_str().unwrap() {
        "event" => format!("event {}", item["event"]["kind"].as_str().unwrap()),
        kind => kind.to_owned(),
    };
    items.as_array().unwrap().iter().map(word).collect()
}

#[tokio::test]
async fn given_a_life_when_its_timeline_is_read_then_events_commands_and_pushes_are_one_list_in_pages() {
    let world = World::new().await;
    let (mut agent, mut other) = (Reporter::new(1), Reporter::new(2));
    world.poll(&agent.full()).await;
    world.poll(&other.full()).await;
    world.push("name:host-2", "other").await;
    let push = world.push("name:host-1", "a").await;
    let command = world.command(&agent, json!({"kind": "restart"})).await;
    world.poll(&agent.health(false, 5, "broken")).await;
    let path = format!("/agents/{}/timeline", agent.uid);
    let whole = world.get(&path).await.expect(200);
    let told = kinds(&whole["items"]);
    for (kind, count) in
        [("push", 1), ("command", 1), ("event agent-added", 1), ("event config", 1), ("event health", 1)]
    {
        assert_eq!(told.iter().filter(|told| *told == kind).count(), count, "{kind}: {told:?}");
    }
    assert!(!told.contains(&"event command".to_owned()), "the command itself is there: {told:?}");
    let find =
        |kind: &str| whole["items"].as_array().unwrap().iter().find(|item| item["kind"] == kind).unwrap();
    assert_eq!(find("command")["command"]["id"], command["id"]);
    assert_eq!(
        (&find("push")["push"]["id"], &find("push")["push"]["state"]),
        (&push["id"], &json!("pending"))
    );
    let times: Vec<_> = whole["items"].as_array().unwrap().iter().map(|item| at(&item["at"])).collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "newest first: {times:?}");
    assert_eq!(whole["total"], json!({"value": times.len(), "exact": true}));

    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("{path}?limit=2{cursor}")).await.expect(200);
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(pages), whole["items"]);
    let foreign = format!("/agents/{}/timeline?limit=2{cursor}", other.uid);
    world.get(&foreign).await.problem(422, "invalid");
    world.get(&format!("{path}?limit=0")).await.problem(422, "invalid");
}

#[tokio::test]
async fn given_capabilities_when_asked_what_may_be_sent_then_known_ones_have_forms_and_others_are_named() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let report = AgentToServer {
        custom_capabilities: Some(CustomCapabilities {
            capabilities: [NULL, "com.example.own", "io.tidegate.metrics"].map(Into::into).into(),
            ..CustomCapabilities::default()
        }),
        ..agent.full()
    };
    world.poll(&report).await;
    let told = world.get(&format!("/agents/{}/capabilities", agent.uid)).await.expect(200);
    assert_eq!((&told["restart"], &told["remote_config"]), (&json!(true), &json!(true)));
    let items = told["items"].as_array().unwrap();
    let named = |name: &str| items.iter().find(|item| item["name"] == name);
    assert!(named("io.tidegate.metrics").is_none(), "nothing may be sent to it");
    let own = named("com.example.own").unwrap();
    assert_eq!((&own["known"], &own["messages"]), (&json!(false), &json!([])));
    let known = named(NULL).unwrap();
    assert_eq!((&known["known"], &known["answers"]), (&json!(true), &json!(false)));
    let message = &known["messages"][0];
    assert_eq!(message["arguments"]["properties"]["dummyValue"]["type"], "string");
    // What the form says is what may be sent.
    let order =
        json!({"kind": "custom", "capability": NULL, "type": message["type"], "data": {"dummyValue": "x"}});
    world.command(&agent, order).await;
}

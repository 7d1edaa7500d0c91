//! What queries may go on with.

use serde_json::{Value, json};

use crate::report::Reporter;
use crate::world::World;

fn texts(found: &Value) -> Vec<(String, Option<u64>)> {
    let text = |item: &Value| (item["text"].as_str().unwrap().to_owned(), item["count"].as_u64());
    found["items"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn given_a_fleet_when_a_query_is_being_written_then_its_keys_values_and_names_are_proposed_with_counts()
{
    let world = World::new().await;
    for index in 1..=3 {
        world.poll(&Reporter::new(index).full()).await;
    }
    for (index, ring) in [(1, "one"), (2, "one"), (3, "three")] {
        let (uid, action) = (Reporter::new(index).uid, json!({"kind": "label", "labels": {"ring": ring}}));
        let order = json!({"q": format!("uid:{uid}"), "expected_count": 1, "action": action});
        world.post("/bulk-operations", order).await.expect(201);
    }
    let ask = async |q: &str| world.get(&format!("/agents/completions?{q}")).await.expect(200);
    let found = ask("q=hea").await;
    assert_eq!(
        (&found["from"], &found["to"], &found["items"][0]),
        (&json!(0), &json!(3), &json!({"kind": "key", "text": "health:"}))
    );
    assert!(texts(&ask("q=rin").await).contains(&("label.ring:".into(), Some(3))), "by its short name too");
    assert_eq!(texts(&ask("q=label.ring:").await), [("one".into(), Some(2)), ("three".into(), Some(1))]);
    assert_eq!(texts(&ask("q=label.ring:T").await), [("three".into(), Some(1))], "whatever the case");
    assert_eq!(texts(&ask("q=label.ring:%20name:host-3&at=11").await), [("three".into(), Some(1))]);
    // Words that no agent has now are proposed as well.
    let health = texts(&ask("q=health:un").await);
    assert!(
        health.contains(&("unknown".into(), Some(3))) && health.contains(&("unhealthy".into(), Some(0))),
        "{health:?}"
    );
    let agents = ask("q=host-").await;
    let named = agents["items"].as_array().unwrap().iter().filter(|item| item["kind"] == "agent").count();
    assert_eq!(named, 3, "{agents}");
    assert_eq!(texts(&ask("q=last_seen:").await), []);
    world.get("/agents/completions?at=-1").await.problem(400, "parameters");
    world.get(&format!("/agents/completions?q={}", "x".repeat(16 * 1024 + 1))).await.problem(422, "invalid");
}

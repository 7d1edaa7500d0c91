//! What in the fleet calls for a person, in sentences.

use serde_json::{Value, json};
use tidegate_opamp::ComponentHealth;

use crate::report::Reporter;
use crate::world::World;

/// An agent's first report, with a health.
async fn report(world: &World, index: u16, healthy: bool) {
    let mut report = Reporter::new(index).full();
    report.health = Some(ComponentHealth { healthy, ..ComponentHealth::default() });
    world.poll(&report).await;
}

async fn attention(world: &World, q: &str) -> Value {
    world.get(&format!("/fleet/attention?q={q}")).await.expect(200)["items"].clone()
}

#[tokio::test]
async fn given_agents_that_are_ill_then_a_sentence_counts_them_and_its_query_finds_them() {
    let world = World::new().await;
    report(&world, 1, true).await;
    assert_eq!(attention(&world, "health:healthy").await, json!([]));
    report(&world, 2, false).await;
    report(&world, 3, false).await;
    let ill = json!({"level": "act", "sentence": "2 agents are unhealthy", "query": "health:unhealthy", "count": 2});
    assert_eq!(attention(&world, "").await, json!([ill]));
    let some = attention(&world, "name:host-1,host-2").await;
    assert_eq!((some[0]["count"].as_u64(), some.as_array().map(Vec::len)), (Some(1), Some(1)), "{some}");
    let q = some[0]["query"].as_str().unwrap();
    let found = world.post("/agents/search", json!({"q": q})).await.expect(200);
    assert_eq!(found["items"][0]["name"], "host-2", "{q}");
    // A query about the axis itself leaves only what it asks for.
    assert_eq!(attention(&world, "health:healthy").await, json!([]));
}

#[tokio::test]
async fn given_a_query_that_cannot_be_read_then_it_is_refused_with_its_place() {
    let world = World::new().await;
    world.get("/fleet/attention?q=colour:red").await.problem(422, "invalid-query");
    world.get("/fleet/attention?query=x").await.problem(400, "parameters");
}

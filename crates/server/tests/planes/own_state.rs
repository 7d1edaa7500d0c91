//! What the server says of itself.

use serde_json::json;

use crate::report::Reporter;
use crate::world::{World, task};

#[tokio::test]
async fn given_agents_of_both_transports_when_asked_then_the_server_tells_its_connections_messages_and_store()
{
    let world = World::new().await;
    let empty = world.get("/server").await.expect(200);
    assert_eq!((&empty["transports"], &empty["messages"]["total"]), (&json!({}), &json!(0)));
    let (mut one, mut other) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut one).await;
    world.poll(&other.full()).await;
    let told = world.get("/server").await.expect(200);
    assert_eq!(told["transports"], json!({"websocket": 1, "http": 1}));
    assert_eq!((&told["connections"], &told["messages"]["total"]), (&json!(1), &json!(2)));
    assert!(told["started_at"].as_str().unwrap() <= told["tasks"][0]["last"]["at"].as_str().unwrap_or("9"));

    // A push is answered once it is stored: its commit is told.
    let before = told["store"]["transactions"].as_u64().unwrap();
    world.push("name:host-*", "a").await;
    let told = world.get("/server").await.expect(200);
    let store = &told["store"];
    assert!(
        store["transactions"].as_u64().unwrap() > before && store["bytes"].as_u64().unwrap() > 4096,
        "{store}"
    );
    assert!(store["last_commit"]["took_ms"].as_f64().unwrap() > 0.0, "{store}");

    // Rates follow within a second or two, and are told by the task as well.
    for _ in 0..20 {
        socket.exchange(&one.heartbeat()).await;
    }
    let rate = |server: &serde_json::Value, name: &str| server["messages"][name].as_f64().unwrap();
    let told = world.eventually("/server", |server| rate(server, "per_second_10s") > 1.0).await;
    assert!(rate(&told, "per_second_60s") > 1.0, "{told}");
    assert!(task(&told, "message-rates")["last"]["result"].as_str().unwrap().ends_with("a second"));
}

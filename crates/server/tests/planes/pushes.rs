//! Pushes through the API: what is refused, and why.

use serde_json::{Value, json};
use tidegate_opamp::AgentCapabilities;

use crate::report::Reporter;
use crate::world::World;

fn push(q: &str, files: &Value) -> Value {
    json!({"q": q, "files": files})
}

fn named(name: &str) -> Value {
    json!([{"name": name, "body": "a"}])
}

/// S103, S105: nothing goes out by accident, and names stay inside their folder.
#[tokio::test]
async fn given_wrong_pushes_when_made_then_each_is_refused_and_nothing_is_sent() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let q = "name:host-1";
    let many: Vec<_> = (0..65).map(|n| json!({"name": n.to_string(), "body": "a"})).collect();
    let twice = json!([{"name": "a", "body": "1"}, {"name": "a", "body": "2"}]);
    let cases = [
        ("empty query", push("", &named("a")), 422, "invalid", "/q"),
        ("blank query", push("  ", &named("a")), 422, "invalid", "/q"),
        ("no file", push(q, &json!([])), 422, "invalid", "/files"),
        ("65 files", push(q, &json!(many)), 422, "invalid", "/files"),
        (
            "8 MiB and a byte",
            push(q, &json!([{"name": "a", "body": "x".repeat(8 * 1024 * 1024 + 1)}])),
            422,
            "invalid",
            "/files",
        ),
        ("two of a name", push(q, &twice), 422, "invalid", "/files/1/name"),
        ("empty body", push(q, &json!([{"name": "a", "body": ""}])), 422, "invalid", "/files/0/body"),
        ("blank body", push(q, &json!([{"name": "a", "body": " \n\t"}])), 422, "invalid", "/files/0/body"),
        ("no name", push(q, &named("")), 422, "invalid", "/files/0/name"),
        ("absolute", push(q, &named("/etc/passwd")), 422, "invalid", "/files/0/name"),
        ("upwards", push(q, &named("a/../../b")), 422, "invalid", "/files/0/name"),
        ("backslash", push(q, &named("a\\b")), 422, "invalid", "/files/0/name"),
        ("control", push(q, &named("a\u{1b}[2Jb")), 422, "invalid", "/files/0/name"),
        ("too long", push(q, &named(&"n".repeat(256))), 422, "invalid", "/files/0/name"),
        ("no such agent", push("name:nobody", &named("a")), 404, "no-agent-matches", ""),
        ("wrong count", json!({"q": q, "files": named("a"), "expected_count": 2}), 409, "conflict", ""),
        ("unknown key", push("colour:red", &named("a")), 422, "invalid-query", "q"),
        ("unknown field", json!({"q": q, "files": named("a"), "dry_run": true}), 400, "json", ""),
        ("no files at all", json!({"q": q}), 400, "json", ""),
        ("bytes for text", push(q, &json!([{"name": "a", "body": 1}])), 400, "json", ""),
    ];
    for (case, order, status, code, pointer) in cases {
        let problem = world.post("/pushes", order).await.problem(status, code);
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{case}");
        }
    }
    socket.quiet().await;
    assert_eq!(world.agent(&agent).await["config"]["value"], "unmanaged");
    world.get("/pushes/nonsense").await.problem(404, "not-found");
}

#[tokio::test]
async fn given_the_expected_count_when_it_holds_then_the_push_is_made_and_can_be_found() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    world.poll(&Reporter::new(2).full()).await;
    let order = json!({"q": "name:host-*", "files": named("a.yaml"), "expected_count": 2});
    let answer = world.post("/pushes", order).await;
    let push = answer.expect(201);
    let place = answer.header("location").unwrap();
    assert_eq!(place, format!("/api/v1/pushes/{}", push["id"].as_str().unwrap()));
    assert_eq!(world.get(place.strip_prefix("/api/v1").unwrap()).await.expect(200), push);
    assert_eq!((&push["summary"]["pending"], &push["summary"]["total"]), (&json!(2), &json!(2)));
}

/// S008: agents that take no config are listed with the reason, and the others are served.
#[tokio::test]
async fn given_agents_of_which_one_takes_no_config_when_pushed_to_then_it_is_listed_as_refused() {
    let world = World::new().await;
    let mut refuses = Reporter::new(2).without(AgentCapabilities::ACCEPTS_REMOTE_CONFIG);
    world.poll(&Reporter::new(1).full()).await;
    world.poll(&refuses.full()).await;
    let push = world.push("name:host-*", "a").await;
    assert_eq!((&push["summary"]["refused"], &push["summary"]["pending"]), (&json!(1), &json!(1)));
    let agents = push["agents"].as_array().unwrap();
    let refused = agents.iter().find(|agent| agent["uid"] == refuses.uid.to_string()).unwrap();
    assert_eq!(refused["state"], "refused");
    assert!(refused["reason"].as_str().unwrap().contains("does not accept remote config"));
}

/// The largest push goes through: eight mebibytes of text that JSON must escape.
#[tokio::test]
async fn given_the_largest_push_when_its_text_is_escaped_then_it_is_still_taken() {
    let world = World::with(|settings| settings.limits.max_message_bytes = 16 * 1024 * 1024).await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let body = "\"\n".repeat(4 * 1024 * 1024);
    world.push("name:host-1", &body).await;
    let offered = world.poll(&agent.heartbeat()).await.remote_config.unwrap().config.unwrap();
    assert!(offered.config_map["fluent-bit.yaml"].body == body.as_bytes());
}

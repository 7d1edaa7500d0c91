//! Lists of the fleet: order, cursors, facets, streams and labels.

use serde_json::{Value, json};

use crate::http::{self, Answer, Request};
use crate::report::Reporter;
use crate::socket::Socket;
use crate::world::World;

/// Agents host-1 to host-`count`, connected while the socket is kept; the third of each three is ill.
pub(crate) async fn fleet(world: &World, count: u16) -> (Vec<Reporter>, Socket) {
    let mut agents: Vec<_> = (1..=count).map(Reporter::new).collect();
    let mut socket = world.socket().await;
    for (index, agent) in agents.iter_mut().enumerate() {
        assert_eq!(socket.exchange(&agent.full()).await.error_response, None);
        if index % 3 == 2 {
            socket.exchange(&agent.health(false, 1, "disk full")).await;
        }
    }
    (agents, socket)
}

pub(crate) async fn call(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let mut request = Request::new(method, &format!("/api/v1{path}"))
        .header("Authorization", &format!("Bearer {}", world.token));
    for (name, value) in headers {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    http::call(world.server.operators, &request).await
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|agent| agent["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn given_an_order_when_listed_page_by_page_then_pages_join_in_that_order() {
    let world = World::new().await;
    let _fleet = fleet(&world, 7).await;
    for (sort, expected) in [
        ("name", ["host-1", "host-2", "host-3", "host-4", "host-5", "host-6", "host-7"]),
        ("-name", ["host-7", "host-6", "host-5", "host-4", "host-3", "host-2", "host-1"]),
        ("-attention,-name", ["host-6", "host-3", "host-7", "host-5", "host-4", "host-2", "host-1"]),
    ] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = world.get(&format!("/agents?sort={sort}&limit=3{cursor}")).await.expect(200);
            assert_eq!(page["total"], json!({"value": 7, "exact": true}));
            seen.extend(names(&page).into_iter().map(ToOwned::to_owned));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, expected, "{sort}");
    }
}

/// A cursor of another query, another run, or nobody's.
#[tokio::test]
async fn given_cursors_that_cannot_be_used_when_listed_then_each_says_why() {
    let world = World::new().await;
    let _fleet = fleet(&world, 3).await;
    let page = world.get("/agents?q=host&limit=1").await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    world.get(&format!("/agents?q=host&cursor={cursor}")).await.expect(200);
    for path in [
        format!("/agents?q=name:host-*&cursor={cursor}"),
        format!("/agents?q=host&sort=name&cursor={cursor}"),
        format!("/agents?q=host&cursor={}", &cursor[..cursor.len() - 4]),
        "/agents?cursor=nonsense".to_owned(),
    ] {
        let problem = world.get(&path).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], "cursor", "{path}");
    }
    let world = world.restart().await;
    world.get(&format!("/agents?q=host&cursor={cursor}")).await.problem(410, "cursor-expired");
}

#[tokio::test]
async fn given_facets_when_listed_then_values_are_counted_beside_the_filter_on_their_own_key() {
    let world = World::new().await;
    let _fleet = fleet(&world, 7).await;
    let list = world.get("/agents?q=health:unhealthy&facets=health,service,arch&limit=1").await.expect(200);
    assert_eq!(list["total"]["value"], 2);
    let health = json!({
        "values": [{"value": "unknown", "count": 5}, {"value": "unhealthy", "count": 2}],
        "other": 0,
        "missing": 0,
    });
    assert_eq!(list["facets"]["health"], health, "its own filter does not empty it");
    assert_eq!(list["facets"]["service"]["values"], json!([{"value": "fluent-bit", "count": 2}]));
    assert_eq!(list["facets"]["arch"]["missing"], 2);
    let summary = world.get("/fleet/summary").await.expect(200);
    assert_eq!((&summary["total"], &summary["by"]["health"]), (&json!(7), &health));
    assert_eq!(summary["by"]["connection"]["values"], json!([{"value": "connected", "count": 7}]));
    for (parameters, pointer) in [
        ("facets=nothing", "facets"),
        ("facets=last_seen", "facets"),
        ("fields=colour", "fields"),
        ("sort=word", "sort"),
    ] {
        let problem = world.get(&format!("/agents?{parameters}")).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{parameters}");
    }
}

#[tokio::test]
async fn given_fields_or_a_long_query_when_listed_then_only_they_come() {
    let world = World::new().await;
    let (agents, _socket) = fleet(&world, 3).await;
    let list = world.get("/agents?fields=name,labels&limit=1&sort=name").await.expect(200);
    let uid = agents[0].uid.to_string();
    assert_eq!(list["items"], json!([{"uid": uid, "name": "host-1", "labels": {}}]));
    let many: Vec<_> = (0..300).map(|n| format!("host-{n}")).collect();
    let body = json!({"q": format!("name:{}", many.join(",")), "sort": "-name", "fields": "name"});
    let list = world.post("/agents/search", body).await.expect(200);
    assert_eq!(names(&list), ["host-3", "host-2", "host-1"]);
    world.post("/agents/search", json!({"query": "x"})).await.problem(400, "json");
}

#[tokio::test]
async fn given_a_call_for_lines_when_listed_then_every_agent_is_streamed_one_a_line() {
    let world = World::new().await;
    let _fleet = fleet(&world, 230).await;
    let headers = [("Accept", "application/x-ndjson")];
    let answer = call(&world, "GET", "/agents?q=host&sort=-name&fields=name", &headers, None).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")));
    let text = String::from_utf8(answer.body).unwrap();
    // Sizes of chunks stand between.
    let lines = text.lines().filter(|line| line.starts_with('{'));
    let lines: Vec<Value> = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 230);
    assert_eq!((&lines[0]["name"], &lines[229]["name"]), (&json!("host-99"), &json!("host-1")));
}

/// Read, changed where it is as believed, found, told, and there again after a restart.
#[tokio::test]
async fn given_labels_when_patched_then_they_are_found_and_survive_a_restart() {
    let world = World::new().await;
    let (agents, _socket) = fleet(&world, 3).await;
    let path = format!("/agents/{}/labels", agents[1].uid);
    let first = call(&world, "GET", &path, &[], None).await;
    let tag = first.header("etag").unwrap().to_owned();
    let unchanged = call(&world, "GET", &path, &[("If-None-Match", &tag)], None).await;
    assert_eq!((unchanged.status, unchanged.body.len()), (304, 0));
    let patch = json!({"env": "prod", "ring": "2"});
    call(&world, "PATCH", &path, &[], Some(patch.clone())).await.problem(428, "precondition-required");
    let dry =
        call(&world, "PATCH", &format!("{path}?dry_run=all"), &[("If-Match", &tag)], Some(patch.clone()))
            .await;
    assert_eq!(dry.expect(200), patch);
    assert_eq!(world.get(&path).await.expect(200), json!({}), "tried, not done");
    let set = call(&world, "PATCH", &path, &[("If-Match", &tag)], Some(patch.clone())).await;
    assert_ne!(set.header("etag"), Some(&*tag));
    assert_eq!(set.expect(200), patch);
    let stale = call(&world, "PATCH", &path, &[("If-Match", &tag)], Some(json!({"env": null}))).await;
    stale.problem(412, "stale");
    assert_eq!(stale.header("etag"), set.header("etag"), "what is there now");
    let again =
        call(&world, "PATCH", &path, &[("If-Match", "*")], Some(json!({"env": null, "zone": "a"}))).await;
    assert_eq!(again.expect(200), json!({"ring": "2", "zone": "a"}));
    let events = world.get("/events?q=label.zone:a").await.expect(200);
    let texts: Vec<_> =
        events["items"].as_array().unwrap().iter().map(|event| event["text"].clone()).collect();
    assert!(texts.contains(&json!("labels set by admin: ring=2 zone=a")), "{texts:?}");
    let world = world.restart().await;
    let list = world.get("/agents?q=label.ring:%3E1%20-label.env:").await.expect(200);
    assert_eq!(names(&list), ["host-2"]);
    assert_eq!(list["items"][0]["labels"], json!({"ring": "2", "zone": "a"}));
}

#[tokio::test]
async fn given_labels_that_cannot_be_when_patched_then_the_problem_names_the_key() {
    let world = World::new().await;
    let (agents, _socket) = fleet(&world, 1).await;
    let path = format!("/agents/{}/labels", agents[0].uid);
    for (patch, pointer) in [
        (json!({"Env": "prod"}), "/labels/Env"),
        (json!({"a/B": "prod"}), "/labels/a~1B"),
        (json!({"env": "two words"}), "/labels/env"),
        (json!({"env": "\u{1b}[2J"}), "/labels/env"),
    ] {
        let problem =
            call(&world, "PATCH", &path, &[("If-Match", "*")], Some(patch)).await.problem(422, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer);
    }
    call(&world, "PATCH", &path, &[("If-Match", "*")], Some(json!({"env": 1}))).await.problem(400, "json");
    let unknown = "/agents/11111111-1111-1111-1111-111111111111/labels";
    call(&world, "PATCH", unknown, &[("If-Match", "*")], Some(json!({}))).await.problem(404, "not-found");
}

/// Many at once: refused where the world is another one, then done, with an outcome for each.
#[tokio::test]
async fn given_a_query_when_labelled_in_bulk_then_each_target_has_an_outcome() {
    let world = World::new().await;
    let _fleet = fleet(&world, 7).await;
    let order = |count: u64, tolerance: u64| {
        let action = json!({"kind": "label", "labels": {"ring": "1"}});
        json!({"q": "health:unhealthy", "expected_count": count, "tolerance": tolerance, "action": action})
    };
    world.post("/bulk-operations", order(3, 0)).await.problem(409, "conflict");
    let nobody = json!({"q": "", "expected_count": 7, "action": {"kind": "label", "labels": {}}});
    world.post("/bulk-operations", nobody).await.problem(422, "invalid");
    let tried = world.post("/bulk-operations?dry_run=all", order(3, 1)).await.expect(200);
    assert_eq!((&tried["total"], &tried["succeeded"]), (&json!(2), &json!(2)));
    assert_eq!(world.get("/agents?q=label.ring:*").await.expect(200)["total"]["value"], 0);
    let answer = world.post("/bulk-operations", order(2, 0)).await;
    let location = answer.header("location").unwrap().to_owned();
    let operation = answer.expect(201);
    assert_eq!(operation["targets"].as_array().unwrap().len(), 2);
    assert_eq!(world.get(location.strip_prefix("/api/v1").unwrap()).await.expect(200), operation);
    let labelled = world.get("/agents?q=label.ring:1&sort=name").await.expect(200);
    assert_eq!(names(&labelled), ["host-3", "host-6"]);
    world.get("/operations/nonsense").await.problem(404, "not-found");
}

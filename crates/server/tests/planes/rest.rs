//! The REST API as a whole: who may call, what is no call, and pages.

use serde_json::{Value, json};

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::world::{World, new_key};

#[tokio::test]
async fn given_no_token_or_a_wrong_one_when_called_then_everything_but_the_probes_is_refused() {
    let world = World::new().await;
    let wrong = [
        None,
        Some("Bearer wrong".to_owned()),
        Some(format!("Basic {}", world.token)),
        Some(world.token.clone()),
        Some("Bearer".to_owned()),
        Some("Bearer ".to_owned()),
        Some(format!("Bearer {}", &world.token[1..])),
        Some(format!("Bearer {}0", world.token)),
        Some(format!("Bearer {}", world.token.to_uppercase())),
    ];
    let calls = [
        ("GET", "/api/v1/agents"),
        ("GET", "/api/v1/watch"),
        ("POST", "/api/v1/pushes"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/nowhere"),
        ("DELETE", "/api/v1/agents"),
        ("POST", "/"),
    ];
    for authorization in &wrong {
        for (method, path) in calls {
            let mut request = Request::new(method, path);
            if let Some(value) = authorization {
                request = request.header("Authorization", value);
            }
            let answer = http::call(world.server.operators, &request).await;
            answer.problem(401, "unauthenticated");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(&world.token));
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(http::call(world.server.operators, &Request::new("GET", path)).await.status, 200);
    }
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let request = Request::new("GET", "/api/v1/agents")
            .header("Authorization", &format!("{scheme} {}", world.token));
        assert_eq!(http::call(world.server.operators, &request).await.status, 200, "{scheme}");
    }
}

#[tokio::test]
async fn given_paths_and_methods_that_are_not_there_when_called_then_404_or_405_say_so() {
    let world = World::new().await;
    for (method, path, status, code) in [
        ("GET", "", 404, "no-route"),
        ("GET", "/nowhere", 404, "no-route"),
        ("GET", "/agents/", 404, "no-route"),
        ("GET", "/agents/a/b/c", 404, "no-route"),
        ("GET", "/../../etc/passwd", 404, "no-route"),
        ("POST", "/agents", 405, "no-method"),
        ("DELETE", "/agents", 405, "no-method"),
        ("PUT", "/pushes", 405, "no-method"),
        ("POST", "/watch", 405, "no-method"),
    ] {
        world.call(method, path, None).await.problem(status, code);
    }
}

/// Each of these is wrong at one place, and the answer names it.
#[tokio::test]
async fn given_wrong_parameters_when_listing_then_the_problem_names_the_place() {
    let world = World::new().await;
    let long = format!("/agents?q={}", "x".repeat(16 * 1024 + 1));
    let cases: [(&str, u16, &str, &str, Option<u64>); 24] = [
        ("/agents?limit=0", 422, "invalid", "limit", None),
        ("/agents?limit=501", 422, "invalid", "limit", None),
        ("/commands?limit=501", 422, "invalid", "limit", None),
        ("/events?limit=0", 422, "invalid", "limit", None),
        ("/agents?limit=-1", 400, "parameters", "", None),
        ("/agents?limit=many", 400, "parameters", "", None),
        ("/agents?colour=red", 400, "parameters", "", None),
        ("/agents?cursor=nonsense", 422, "invalid", "cursor", None),
        ("/agents?q=healthy:yes", 422, "invalid-query", "q", Some(1)),
        ("/agents?q=health:healthy%20%20foo:bar", 422, "invalid-query", "q", Some(17)),
        ("/agents?q=name:", 422, "invalid-query", "q", Some(1)),
        ("/agents?q=name:%22open", 422, "invalid-query", "q", Some(6)),
        (&long, 422, "invalid-query", "q", Some(16 * 1024)),
        ("/events?q=foo:bar", 422, "invalid-query", "q", Some(1)),
        ("/watch?q=foo:bar", 422, "invalid-query", "q", Some(1)),
        ("/watch?kinds=agents,dreams", 422, "invalid", "kinds", None),
        ("/watch?ids=web", 422, "invalid", "ids", None),
        ("/watch?ids=", 422, "invalid", "ids", None),
        ("/commands?cursor=nonsense", 422, "invalid", "cursor", None),
        ("/events?cursor=nonsense", 422, "invalid", "cursor", None),
        ("/pushes?cursor=nonsense", 422, "invalid", "cursor", None),
        ("/pushes?limit=0", 422, "invalid", "limit", None),
        ("/pushes?q=a", 400, "parameters", "", None),
        ("/commands?state=sleeping", 422, "invalid", "state", None),
    ];
    for (path, status, code, pointer, column) in cases {
        let problem = world.get(path).await.problem(status, code);
        if !pointer.is_empty() {
            assert_eq!(problem["errors"][0]["pointer"], pointer, "{path:.60}");
            assert_eq!(problem["errors"][0]["column"].as_u64(), column, "{path:.60}");
        }
    }
}

#[tokio::test]
async fn given_uids_when_looked_up_then_malformed_and_unknown_ones_are_told_apart() {
    let world = World::new().await;
    for (uid, status, code) in [
        ("nonsense", 422, "invalid"),
        ("00000000-0000-0000-0000-000000000000", 422, "invalid"),
        ("11111111-1111-1111-1111-1111111111", 422, "invalid"),
        ("%1b%5b2J", 422, "invalid"),
        ("11111111-1111-1111-1111-111111111111", 404, "not-found"),
    ] {
        world.get(&format!("/agents/{uid}")).await.problem(status, code);
    }
}

#[tokio::test]
async fn given_bodies_that_are_no_json_when_posted_then_400_names_the_place() {
    let world = World::new().await;
    let authorization = format!("Bearer {}", world.token);
    let post = |body: Vec<u8>| {
        Request::new("POST", "/api/v1/pushes")
            .header("Authorization", &authorization)
            .header("Idempotency-Key", &new_key())
            .body(body)
    };
    let nested = [b"[".repeat(10_000), b"]".repeat(10_000)].concat();
    for body in [&b""[..], b"{", b"\xFF\xFE", b"{\"q\": \"a\",\n \"files\": }", b"[]", b"null", &nested] {
        let problem = http::call(world.server.operators, &post(body.to_vec())).await.problem(400, "json");
        assert!(problem["detail"].as_str().unwrap().contains("line"), "{problem:#}");
    }
    let answer = http::call(world.server.operators, &post(vec![b' '; 20 * 1024 * 1024 + 1])).await;
    answer.problem(413, "body");
}

/// 250 agents in pages of 100, 100 and 50: each once, in order, while new ones come.
#[tokio::test]
async fn given_250_agents_when_listed_page_by_page_then_each_is_there_once() {
    let world = World::new().await;
    let mut agents: Vec<_> = (0..250).map(|index| Reporter::new(2 * index + 1)).collect();
    let mut socket = world.socket().await;
    let reports: Vec<_> = agents.iter_mut().map(Reporter::full).collect();
    socket.send_all(&reports).await;
    for _ in &reports {
        assert_eq!(socket.message().await.error_response, None);
    }
    let (mut seen, mut sizes, mut path) = (Vec::new(), Vec::new(), "/agents".to_owned());
    loop {
        let page = world.get(&path).await.expect(200);
        assert_eq!(page["total"]["exact"], true);
        let items = page["items"].as_array().unwrap();
        sizes.push(items.len());
        seen.extend(items.iter().map(|agent| agent["uid"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/agents?cursor={cursor}");
        // One that comes before the cursor is not seen any more and shifts nothing.
        assert_eq!(socket.exchange(&Reporter::new(0).full()).await.error_response, None);
    }
    assert_eq!(sizes, [100, 100, 50]);
    let expected: Vec<_> = agents.iter().map(|agent| agent.uid.to_string()).collect();
    assert_eq!(seen, expected);
    let narrow = world.get("/agents?q=name:host-49*&limit=2").await.expect(200);
    // host-49, and the odd ones from host-491 to host-499.
    assert_eq!((&narrow["total"]["value"], narrow["items"].as_array().unwrap().len()), (&json!(6), 2));
}

/// What was asked for by query is what is found.
#[tokio::test]
async fn given_queries_when_listing_then_they_select() {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut first).await;
    socket.exchange(&first.health(false, 1, "broken")).await;
    world.poll(&second.full()).await;
    for (q, expected) in [
        ("", 2),
        ("name:host-1", 1),
        ("name:HOST-*", 2),
        ("health:unhealthy", 1),
        ("health:unknown", 1),
        ("transport:http", 1),
        ("transport:websocket%20health:unhealthy", 1),
        ("transport:http%20health:unhealthy", 0),
        ("attr.host.name:host-2", 1),
        ("service:fluent-bit", 2),
        ("host", 2),
        ("connection:departed", 0),
        ("(health:unhealthy%20OR%20name:host-2)%20-transport:http", 1),
        ("service=fluent-bit%20-label.env:", 2),
        ("error:brok", 1),
        ("last_seen:%3C1h", 2),
        ("last_seen:%3E1h", 0),
    ] {
        let list: Value = world.get(&format!("/agents?q={q}")).await.expect(200);
        assert_eq!(list["total"], json!({"value": expected, "exact": true}), "{q}");
    }
}

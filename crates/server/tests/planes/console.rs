//! Logging in as a browser does, and the console's page.

use serde_json::json;
use tokio::net::TcpSocket;

use crate::http::{self, Answer, Request};
use crate::report::Reporter;
use crate::watch::Watch;
use crate::world::{World, new_key};

const SESSION: &str = "/api/v1/session";

async fn call(world: &World, request: Request) -> Answer {
    http::call(world.server.operators, &request).await
}

/// A code that lets in once.
async fn code(world: &World) -> String {
    let link = world.post("/login-links", json!({})).await.expect(201);
    link["path"].as_str().unwrap().strip_prefix("/login#").unwrap().to_owned()
}

async fn log_in(world: &World, body: &serde_json::Value) -> Answer {
    call(world, Request::new("POST", SESSION).body(body.to_string())).await
}

/// The `Cookie` header of somebody who has just logged in.
async fn cookie(world: &World) -> String {
    let answer = log_in(world, &json!({"code": code(world).await})).await;
    answer.expect(201);
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn given_a_link_when_used_then_it_lets_in_once_by_a_cookie_that_no_script_sees() {
    let world = World::new().await;
    let code = code(&world).await;
    let answer = log_in(&world, &json!({"code": code})).await;
    let told = answer.expect(201);
    assert_eq!(told["actor"], "admin");
    assert!(told["expires_at"].is_string());
    let set = answer.header("set-cookie").unwrap();
    for part in ["; HttpOnly", "; SameSite=Strict", "; Path=/", "; Max-Age=43"] {
        assert!(set.contains(part), "{part} in {set}");
    }
    assert!(!set.contains("; Secure"), "there is no TLS here");
    let cookie = set.split(';').next().unwrap();
    assert!(!cookie.contains(&code) && !cookie.contains(&world.token));
    let get = |path: &str| Request::new("GET", path).header("Cookie", &format!("theme=dark; {cookie}; x=y"));
    assert_eq!(call(&world, get("/api/v1/agents")).await.status, 200);
    assert_eq!(call(&world, get(SESSION)).await.expect(200)["actor"], "admin");
    log_in(&world, &json!({"code": code})).await.problem(401, "unauthenticated");

    let request = Request::new("DELETE", SESSION).header("Cookie", cookie);
    let out = call(&world, request.header("Sec-Fetch-Site", "same-origin")).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("tidegate_session=; "), "the browser forgets it");
    call(&world, get("/api/v1/agents")).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn given_what_does_not_let_in_then_it_is_refused_and_the_token_itself_does() {
    let world = World::new().await;
    for wrong in [
        json!({"code": "0".repeat(64)}),
        json!({"code": ""}),
        json!({"code": "x".repeat(100_000)}),
        json!({"token": "wrong"}),
        json!({"token": &world.token[1..]}),
    ] {
        let answer = log_in(&world, &wrong).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("set-cookie"), None);
    }
    log_in(&world, &json!({})).await.problem(422, "invalid");
    log_in(&world, &json!({"code": "a", "token": "b"})).await.problem(422, "invalid");
    log_in(&world, &json!({"password": "b"})).await.problem(400, "json");
    log_in(&world, &json!({"token": world.token})).await.expect(201);
    let bearer = world.get("/session").await.expect(200);
    assert_eq!((bearer["actor"].as_str(), bearer["expires_at"].is_null()), (Some("admin"), true));
}

/// Logs in from an address of this machine.
async fn log_in_from(world: &World, address: [u8; 4], body: &serde_json::Value) -> Answer {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((address, 0).into()).unwrap();
    let stream = socket.connect(world.server.operators).await.unwrap();
    http::send_over(stream, &Request::new("POST", SESSION).body(body.to_string()).bytes()).await
}

#[tokio::test]
async fn given_many_wrong_codes_then_even_the_right_one_has_to_wait_there_and_bearers_and_others_do_not() {
    let world = World::new().await;
    let code = code(&world).await;
    let (here, there) = ([127, 0, 0, 1], [127, 0, 0, 2]);
    for _ in 0..30 {
        let answer = log_in_from(&world, here, &json!({"code": "wrong"})).await;
        answer.problem(401, "unauthenticated");
    }
    let answer = log_in_from(&world, here, &json!({"code": code})).await;
    answer.problem(429, "too-many");
    let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(world.get("/agents").await.status, 200);
    log_in_from(&world, there, &json!({"code": code})).await.expect(201);
}

/// Whoever logs out sees nothing more, in another tab either; streams of other sessions and of tokens go on.
#[tokio::test]
async fn given_streams_of_a_session_when_it_ends_then_they_end_and_those_of_others_go_on() {
    let world = World::new().await;
    let (mine, yours) = (cookie(&world).await, cookie(&world).await);
    let by = |cookie: &str| format!("Cookie: {cookie}\r\n");
    let mut first = Watch::open_as(&world, "", &by(&mine)).await;
    let mut second = Watch::open_as(&world, "?kinds=events", &by(&mine)).await;
    let mut other = Watch::open_as(&world, "", &by(&yours)).await;
    let mut bearer = Watch::open(&world, "", None).await;
    for watch in [&mut first, &mut second, &mut other, &mut bearer] {
        watch.expect("bookmark").await;
    }
    let request = Request::new("DELETE", SESSION).header("Cookie", &mine);
    assert_eq!(call(&world, request.header("Sec-Fetch-Site", "same-origin")).await.status, 204);
    assert_eq!((first.next().await, second.next().await), (None, None));
    world.poll(&Reporter::new(1).full()).await;
    for watch in [&mut other, &mut bearer] {
        watch.expect("happened").await;
    }
}

/// Acts come from the console's own pages alone, whatever cookie the browser sends along.
#[tokio::test]
async fn given_a_session_when_another_site_makes_the_browser_act_then_it_is_refused() {
    let world = World::new().await;
    let cookie = cookie(&world).await;
    let act = || {
        let body = json!({"q": "name:none", "files": [{"name": "a.yaml", "body": "x: 1"}]}).to_string();
        let request = Request::new("POST", "/api/v1/pushes").header("Cookie", &cookie).body(body);
        request.header("Idempotency-Key", &new_key())
    };
    for headers in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "http://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "http://server.evil.example")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "http://server")],
    ] {
        let request = headers.iter().fold(act(), |request, (name, value)| request.header(name, value));
        call(&world, request).await.problem(403, "cross-site");
    }
    for (name, value) in [("Sec-Fetch-Site", "same-origin"), ("Origin", "http://server")] {
        let answer = call(&world, act().header(name, value)).await;
        answer.problem(404, "no-agent-matches");
    }
    // Nobody is logged in by another site either.
    let body = json!({"code": code(&world).await}).to_string();
    let request = Request::new("POST", SESSION).header("Sec-Fetch-Site", "cross-site").body(body);
    call(&world, request).await.problem(403, "cross-site");
    // A wrong bearer is not made right by a cookie.
    let request = Request::new("GET", "/api/v1/agents").header("Cookie", &cookie);
    call(&world, request.header("Authorization", "Bearer wrong")).await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn given_a_page_of_the_console_when_asked_for_then_it_comes_without_a_login_and_may_do_nothing_else() {
    let world = World::new().await;
    let mut policies = Vec::new();
    for path in ["/", "/agents?q=name:x", "/login", "/index.html"] {
        let answer = call(&world, Request::new("GET", path)).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        assert!(
            policy.contains("default-src 'self'; script-src 'self'; style-src 'self' 'nonce-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        let page = String::from_utf8(answer.body).unwrap();
        assert!(page.contains("Tidegate") && !page.contains("{{nonce}}"), "{page}");
        policies.push(policy);
    }
    policies.dedup();
    assert_eq!(policies.len(), 4, "each has a nonce of its own");
    let head = call(&world, Request::new("HEAD", "/")).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(call(&world, Request::new("GET", "/assets/nothing.js")).await.status, 404);
    assert_eq!(call(&world, Request::new("GET", "/assets/../admin-token")).await.status, 404);
    call(&world, Request::new("GET", "/api/v1/nowhere")).await.problem(401, "unauthenticated");
}

/// Any name can be made to lead here, and the pages under it are of the server's own origin then.
#[tokio::test]
async fn given_a_name_that_is_not_the_servers_when_a_browser_uses_it_then_no_session_and_no_login_count() {
    let world = World::with(|settings| settings.operators.names = vec!["tidegate.example".into()]).await;
    let at = |method: &str, path: &str, host: &str| {
        let request = Request::new(method, path).with_host(host);
        request.header("Sec-Fetch-Site", "same-origin")
    };
    let body = json!({"code": code(&world).await}).to_string();
    for host in ["evil.example", "server", "127.0.0.1.evil.example:80"] {
        let answer = call(&world, at("POST", SESSION, host).body(body.clone())).await;
        let problem = answer.problem(403, "cross-site");
        assert!(problem["detail"].as_str().unwrap().contains(host), "{problem}");
    }
    // The code was not spent.
    let answer = call(&world, at("POST", SESSION, "Tidegate.Example:8443").body(body)).await;
    answer.expect(201);
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let look = |host: &str| at("GET", "/api/v1/agents", host).header("Cookie", &cookie);
    call(&world, look("evil.example")).await.problem(403, "cross-site");
    for host in ["127.0.0.1:1", "localhost", "[::1]:4321", "tidegate.example"] {
        assert_eq!(call(&world, look(host)).await.status, 200, "{host}");
    }
    // Who shows the token is no browser.
    let bearer = at("GET", "/api/v1/agents", "evil.example");
    let bearer = bearer.header("Authorization", &format!("Bearer {}", world.token));
    assert_eq!(call(&world, bearer).await.status, 200);
}

/// Audit entries say by which face an act came.
#[tokio::test]
async fn given_an_act_in_the_console_then_its_audit_entry_says_so() {
    let world = World::new().await;
    let cookie = cookie(&world).await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let path = format!("/api/v1/agents/{}/labels", agent.uid);
    let request = Request::new("PATCH", &path).header("Cookie", &cookie).header("If-Match", "*");
    let request = request.header("Sec-Fetch-Site", "same-origin").body(json!({"ring": "x"}).to_string());
    call(&world, request).await.expect(200);
    let store = rusqlite::Connection::open(world.folder.path().join("tidegate.db")).unwrap();
    let face: String =
        store.query_row("SELECT face FROM audit ORDER BY number DESC LIMIT 1", [], |row| row.get(0)).unwrap();
    assert_eq!(face, "console");
}

//! Acts under a key are done once, and calls have ids.

use serde_json::{Value, json};

use crate::http::{self, Answer, Request};
use crate::report::Reporter;
use crate::world::{World, new_key};

impl World {
    pub(crate) async fn keyed(&self, path: &str, key: &str, body: &Value) -> Answer {
        let request = Request::new("POST", &format!("/api/v1{path}"))
            .header("Authorization", &format!("Bearer {}", self.token))
            .header("Idempotency-Key", key)
            .body(body.to_string());
        http::call(self.server.operators, &request).await
    }
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

/// The answer is stored with the act: a server that crashed after the act gives it too, and does nothing twice.
#[tokio::test]
async fn given_acts_when_asked_for_again_under_their_keys_then_the_first_answers_come_and_nothing_is_done() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let commands = format!("/agents/{}/commands", agent.uid);
    let restart = json!({"kind": "restart"});
    let first = world.keyed(&commands, &new_key(), &restart).await.expect(202);
    let acts = [
        (commands, restart),
        ("/pushes".to_owned(), json!({"q": "name:*", "files": [{"name": "a.yaml", "body": "service: {}"}]})),
        (
            "/bulk-operations".to_owned(),
            json!({"q": "name:*", "expected_count": 1, "action": {"kind": "label", "labels": {"env": "a"}}}),
        ),
        (format!("/commands/{}/actions/cancel", first["id"].as_str().unwrap()), json!({})),
    ];
    let mut answers = Vec::new();
    for (path, body) in acts {
        let key = new_key();
        let answer = world.keyed(&path, &key, &body).await;
        assert!(answer.status < 300 && !is_replayed(&answer), "{path}: {answer:?}");
        answers.push((path, key, body, answer));
    }
    // The state moves on; the answers do not.
    world.poll(&agent.heartbeat()).await;
    let before = world.get("/commands").await.expect(200)["total"]["value"].clone();
    let world = world.crashed().await;
    for (path, key, body, first) in &answers {
        let again = world.keyed(path, &key.to_uppercase(), body).await;
        assert!(is_replayed(&again), "{path}: {again:?}");
        assert_eq!((again.status, &again.body), (first.status, &first.body), "{path}");
        for header in ["location", "content-type"] {
            assert_eq!(again.header(header), first.header(header), "{path}");
        }
        world.keyed(path, key, &json!({"q": "another"})).await.problem(422, "key-reused");
        world.keyed("/pushes?x=y", key, body).await.problem(422, "key-reused");
    }
    assert_eq!(world.get("/commands").await.expect(200)["total"]["value"], before);
    let push = answers[1].3.expect(201);
    assert_eq!(push["agents"][0]["state"], "pending", "{push:#}");
    assert_eq!(world.agent(&agent).await["config"]["push"], push["id"]);
}

#[tokio::test]
async fn given_no_key_or_one_that_is_no_uuid_when_acting_then_400_says_what_to_send() {
    let world = World::new().await;
    let acts = ["/pushes", "/bulk-operations", "/agents/x/commands"];
    let cancels = ["/commands/x/actions/cancel", "/operations/x/actions/cancel"];
    for path in acts.into_iter().chain(cancels) {
        let request = Request::new("POST", &format!("/api/v1{path}"))
            .header("Authorization", &format!("Bearer {}", world.token))
            .body("{}");
        let problem = http::call(world.server.operators, &request).await.problem(400, "idempotency-key");
        assert!(problem["detail"].as_str().unwrap().contains("UUID"), "{problem:#}");
        for key in ["", "1", &"a".repeat(4000)] {
            world.keyed(path, key, &json!({})).await.problem(400, "idempotency-key");
        }
    }
}

/// What was refused was not done, and may be asked for again under its key.
#[tokio::test]
async fn given_a_refused_act_when_asked_for_again_then_it_is_tried_again() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let (key, path) = (new_key(), format!("/agents/{}/commands", agent.uid));
    let restart = json!({"kind": "restart"});
    world.keyed(&path, &key, &restart).await.problem(404, "not-found");
    world.poll(&agent.full()).await;
    assert!(!is_replayed(&world.keyed(&path, &key, &restart).await));
    assert!(is_replayed(&world.keyed(&path, &key, &restart).await));
}

/// Twenty callers at once: one acts, the others are told to wait or are given its answer.
#[tokio::test]
async fn given_the_same_call_many_times_at_once_when_carried_out_then_one_command_is_queued() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let (key, path) = (new_key(), format!("/agents/{}/commands", agent.uid));
    let restart = json!({"kind": "restart"});
    let calls = (0..20).map(|_| world.keyed(&path, &key, &restart));
    let mut acted = 0;
    for answer in futures_util::future::join_all(calls).await {
        match answer.status {
            202 if is_replayed(&answer) => {}
            202 => acted += 1,
            _ => drop(answer.problem(409, "key-in-use")),
        }
    }
    assert_eq!(acted, 1);
    assert_eq!(world.get("/commands").await.expect(200)["total"]["value"], 1);
}

#[tokio::test]
async fn given_calls_when_answered_then_each_has_an_id_and_a_problem_names_it() {
    let world = World::new().await;
    let get = async |path: &str, id: Option<&str>| {
        let mut request =
            Request::new("GET", path).header("Authorization", &format!("Bearer {}", world.token));
        if let Some(id) = id {
            request = request.header("X-Request-Id", id);
        }
        http::call(world.server.operators, &request).await
    };
    assert_eq!(get("/healthz", Some("mine-1")).await.header("x-request-id"), Some("mine-1"));
    let answer = get("/api/v1/nowhere", Some("mine-2")).await;
    assert_eq!(answer.header("x-request-id"), Some("mine-2"));
    assert_eq!(answer.problem(404, "no-route")["trace_id"], "mine-2");
    for id in [None, Some("two words"), Some(""), Some(&*"x".repeat(129))] {
        let answer = get("/api/v1/nowhere", id).await;
        let made = answer.header("x-request-id").unwrap();
        assert_eq!(made.len(), 36, "{id:?}: {made}");
        assert_eq!(answer.problem(404, "no-route")["trace_id"], made);
    }
    let unauthenticated = http::call(world.server.operators, &Request::new("GET", "/api/v1/agents")).await;
    let problem = unauthenticated.problem(401, "unauthenticated");
    assert_eq!(Some(problem["trace_id"].as_str().unwrap()), unauthenticated.header("x-request-id"));
}

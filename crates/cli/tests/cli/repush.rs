//! `retry push` and `roll-back push`.

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request, problem};
use super::program::run;
use super::values::{DB, WEB, push};

/// A push of another id.
fn named(id: &str, agents: &[(&str, &str, &str)]) -> Value {
    let mut push = push(agents);
    push["id"] = id.into();
    push
}

/// Acts answer `tried` and then `done`, and a look at a push gives it settled as this.
fn server(tried: Value, done: Value, settled: fn(&str) -> Value) -> Canned {
    Canned::new(move |request: &Request| match (request.method.as_str(), request.query.as_str()) {
        ("POST", "dry_run=all") => Reply::Json(200, tried.clone()),
        ("POST", _) => Reply::Json(201, done.clone()),
        _ => Reply::Json(200, settled(request.path.trim_start_matches("/pushes/"))),
    })
}

fn lines(server: &Canned) -> Vec<(String, String, Value)> {
    server.asked().into_iter().map(|request| (request.line(), request.query, request.body)).collect()
}

const RETRY: &str = "POST /pushes/p0/actions/retry";
const ROLL_BACK: &str = "POST /pushes/p0/actions/roll-back";

fn retries() -> Canned {
    let waiting = &[("a", "pending", ""), ("b", "pending", "")];
    server(named("", waiting), named("p1", waiting), |id| {
        named(id, &[("a", "proven", ""), ("b", "failed", "the port is in use")])
    })
}

#[test]
fn given_agents_that_failed_when_retried_then_they_are_counted_first_and_followed_to_the_end() {
    let server = retries();
    let ran = run(&server, &["retry", "push", "p0", "--yes"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(ran.out.starts_with("push p1: 2 agents: 1 proven, 1 failed\nfailed     b "), "{ran:?}");
    assert!(ran.err.starts_with("push p1 is on its way\n"), "{ran:?}");
    assert!(ran.err.contains("tidegate roll-back push p1"), "what follows is told: {ran:?}");
    assert_eq!(
        lines(&server),
        [
            (RETRY.into(), "dry_run=all".into(), json!({})),
            (RETRY.into(), String::new(), json!({"expected_count": 2})),
            ("GET /pushes/p1".into(), String::new(), Value::Null),
        ]
    );
    let ran = run(&server, &["retry", "push", "p0", "--yes", "--no-wait"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "p1\n"), "{ran:?}");
}

#[test]
fn given_a_retry_or_a_way_back_for_several_when_nobody_can_be_asked_or_it_is_only_tried_then_nothing_is_done()
{
    for (verb, call, server) in [("retry", RETRY, retries()), ("roll-back", ROLL_BACK, roll_backs())] {
        let ran = run(&server, &[verb, "push", "p0"]);
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(ran.err.contains("2 agents of push p0") && ran.err.contains("--yes"), "{ran:?}");
        let ran = run(&server, &[verb, "push", "p0", "--dry-run"]);
        assert!(ran.out.contains("again        a (0190aaaa)\n") || ran.out.contains("to config"), "{ran:?}");
        let asked = lines(&server);
        assert_eq!(asked.len(), 2, "{asked:?}");
        assert!(asked.iter().all(|(line, query, _)| line == call && query == "dry_run=all"), "{asked:?}");
    }
}

/// Two agents go back, each by a push of its own, and one has nowhere to go.
fn roll_backs() -> Canned {
    let back = |done: bool| {
        let agent = |uid: &str, name: &str, push: &str| {
            json!({"uid": uid, "name": name, "way": "back", "config": "aabbccddeeff0011",
                   "push": done.then_some(push)})
        };
        let listed = |id: &str| {
            json!({"id": if done { id } else { "" }, "config": "aa", "q": "name:*", "actor": "admin",
                   "at": "2026-03-04T05:06:07Z", "roll_back_of": "p0", "total": 1, "refused": 0})
        };
        json!({
            "roll_back_of": "p0", "summary": {"back": 2, "nowhere": 1, "superseded": 0, "left": 3},
            "pushes": [listed("p1"), listed("p2")],
            "agents": [agent(WEB, "web", "p1"), agent(DB, "db", "p2"),
                       {"uid": DB, "name": "new\u{1b}[2J", "way": "nowhere", "reason": "no config is known"}],
        })
    };
    server(back(false), back(true), |id| named(id, &[("web", "proven", "")]))
}

#[test]
fn given_agents_that_go_back_to_several_configs_when_rolled_back_then_each_push_is_followed_and_who_stays_is_told()
 {
    let server = roll_backs();
    let ran = run(&server, &["roll-back", "push", "p0", "--all", "--yes"]);
    assert_eq!(ran.code, 9, "one has nowhere to go: {ran:?}");
    let expected = "push p1: 1 agent: 1 proven\npush p2: 1 agent: 1 proven\n\
                    nowhere      new\\u{1b}[2J (0190bbbb): no config is known\n3 agents have not failed and stay\n";
    assert_eq!(ran.out, expected);
    let asked = lines(&server);
    assert_eq!(asked[0], (ROLL_BACK.into(), "dry_run=all".into(), json!({"agents": "all"})));
    assert_eq!(asked[1], (ROLL_BACK.into(), String::new(), json!({"agents": "all", "expected_count": 2})));

    let ran = run(&server, &["roll-back", "push", "p0", "--yes", "-o", "json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["pushes"][1]["summary"]["proven"], 1, "{told}");
    assert_eq!((&told["roll_back_of"], &told["summary"]["left"]), (&json!("p0"), &json!(3)));

    let ran = run(&server, &["roll-back", "push", "p0", "--yes", "--no-wait"]);
    assert_eq!((ran.code, ran.out.as_str()), (9, "p1\np2\n"), "{ran:?}");
    let ran = run(&server, &["roll-back", "push", "p0", "--dry-run"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(ran.out.starts_with("back         web (0190aaaa): to config aabbccddeeff\n"), "{ran:?}");
}

#[test]
fn given_acts_that_are_refused_or_do_not_settle_then_the_code_tells_why() {
    let refused = Canned::new(|_: &Request| problem(409, "no agent of this push has failed"));
    for verb in ["retry", "roll-back"] {
        let ran = run(&refused, &[verb, "push", "p0", "--yes"]);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.err.contains("no agent of this push has failed"), "{ran:?}");
        let missing = Canned::new(|_: &Request| problem(404, "there is no such push"));
        assert_eq!(run(&missing, &[verb, "push", "p0", "--yes"]).code, 3);
        let ran = run(&missing, &[verb, "push", "../agents", "--yes"]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert_eq!(missing.asked().len(), 1, "what is no id is never asked for");
    }
    let one = named("p1", &[("a", "pending", "agent offline")]);
    let slow = server(one.clone(), one, |id| named(id, &[("a", "pending", "agent offline")]));
    let ran = run(&slow, &["retry", "push", "p0", "--timeout", "300ms"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(ran.err.contains("still missing: 1 of 1 (a pending: agent offline)"), "{ran:?}");
}

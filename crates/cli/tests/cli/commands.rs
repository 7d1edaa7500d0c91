//! `restart agent` and `send agent`.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request, problem};
use super::program::{file, run};
use super::values::{DB, WEB, agent, command, list, operation};

fn agents(request: &Request) -> Option<Reply> {
    let uid = request.path.strip_prefix("/agents/")?;
    Some(match uid {
        WEB => Reply::Json(200, agent(WEB, "web-1")),
        DB => Reply::Json(200, agent(DB, "db-1")),
        _ => return None,
    })
}

/// Commands are named after their agent and end in these states at the second look.
fn commands(web: &'static str, db: &'static str) -> Canned {
    let looks = AtomicUsize::new(0);
    Canned::new(move |request| {
        if let Some(reply) = agents(request) {
            return reply;
        }
        match request.line().as_str() {
            line if line == format!("POST /agents/{WEB}/commands") => {
                Reply::Json(202, command("c-web", WEB, "queued", ""))
            }
            line if line == format!("POST /agents/{DB}/commands") => {
                Reply::Json(202, command("c-db", DB, "queued", ""))
            }
            "GET /commands/c-web" if looks.fetch_add(1, Ordering::SeqCst) == 0 => {
                Reply::Json(200, command("c-web", WEB, "sent", ""))
            }
            "GET /commands/c-web" => Reply::Json(200, command("c-web", WEB, web, "")),
            "GET /commands/c-db" => Reply::Json(200, command("c-db", DB, db, "it \u{1b}[31mbroke")),
            _ => problem(404, "no such thing"),
        }
    })
}

#[test]
fn given_an_agent_when_restarted_then_the_outcome_is_awaited() {
    let server = commands("succeeded", "failed");
    let ran = run(&server, &["restart", "agent", WEB]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "succeeded    web-1 (0190aaaa)\n"), "{ran:?}");
    assert_eq!(ran.err, "1 agent: 1 queued …\n1 agent: 1 sent …\n1 agent: 1 succeeded\n");
    let order = server.asked().into_iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(order.body, json!({"kind": "restart", "deadline_seconds": 60}));
}

#[test]
fn given_several_agents_when_one_fails_then_it_is_partial_success() {
    let server = commands("succeeded", "failed");
    let ran = run(&server, &["restart", "agent", WEB, DB, &WEB.to_uppercase()]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert_eq!(ran.out, "succeeded    web-1 (0190aaaa)\nfailed       db-1 (0190bbbb): it \\u{1b}[31mbroke\n");
    assert!(ran.err.ends_with("error: 1 of 2 agents did not succeed\n"), "{}", ran.err);
    assert_eq!(server.asked().iter().filter(|request| request.method == "POST").count(), 2);
}

#[test]
fn given_restarts_that_do_not_succeed_then_the_code_tells_how() {
    for (state, code) in [("failed", 10), ("cancelled", 10), ("expired", 7), ("unknown", 7), ("sent", 7)] {
        let server = commands(state, state);
        let ran = run(&server, &["restart", "agent", WEB, "--timeout", "500ms"]);
        assert_eq!(ran.code, code, "{state}: {ran:?}");
        assert!(ran.out.starts_with(state), "{state}: {ran:?}");
    }
}

#[test]
fn given_one_name_that_is_wrong_when_restarted_then_nothing_is_queued() {
    let server = commands("succeeded", "succeeded");
    let ran = run(&server, &["restart", "agent", WEB, "0190cccc-0000-7000-8000-000000000003"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(server.asked().iter().all(|request| request.method == "GET"));
}

#[test]
fn given_no_wait_when_restarted_then_the_id_is_printed() {
    let server = commands("succeeded", "succeeded");
    let ran = run(&server, &["restart", "agent", WEB, "--no-wait"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "c-web\n", ""), "{ran:?}");
    let order = server.asked().into_iter().find(|request| request.method == "POST").unwrap();
    assert_eq!(order.body, json!({"kind": "restart"}));
}

#[test]
fn given_an_agent_that_cannot_restart_then_a_refusal_stops_no_other() {
    let refuse = |request: &Request| {
        agents(request).unwrap_or_else(|| match request.line().as_str() {
            line if line == format!("POST /agents/{WEB}/commands") => {
                Reply::Json(202, command("c-web", WEB, "succeeded", ""))
            }
            _ => problem(409, "db-1 does not accept restarts"),
        })
    };
    let ran = run(&Canned::new(refuse), &["restart", "agent", DB, WEB]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(
        ran.out.starts_with("failed       db-1 (0190bbbb): db-1 does not accept restarts\n"),
        "{}",
        ran.out
    );
    let ran = run(&Canned::new(refuse), &["restart", "agent", DB]);
    assert_eq!((ran.code, ran.err.as_str()), (5, "error: db-1 does not accept restarts\n"), "{ran:?}");
}

/// Two agents match; their restarts are queued, and at the second look they stand so.
fn bulk(web: &'static str, db: &'static str) -> Canned {
    let looks = AtomicUsize::new(0);
    Canned::new(move |request| match request.line().as_str() {
        "GET /agents" => Reply::Json(200, list(&[agent(WEB, "web-1"), agent(DB, "db-1")])),
        "POST /bulk-operations" if request.query == "dry_run=all" => {
            Reply::Json(200, operation(&[(WEB, "web-1", "succeeded"), (DB, "db-1", "refused")]))
        }
        "POST /bulk-operations" => {
            Reply::Json(202, operation(&[(WEB, "web-1", "queued"), (DB, "db-1", "queued")]))
        }
        "GET /operations/o1" if looks.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::Json(200, operation(&[(WEB, "web-1", "sent"), (DB, "db-1", db)]))
        }
        "GET /operations/o1" => Reply::Json(200, operation(&[(WEB, "web-1", web), (DB, "db-1", db)])),
        "POST /operations/o1/actions/cancel" => {
            Reply::Json(200, operation(&[(WEB, "web-1", "cancelled"), (DB, "db-1", "sent")]))
        }
        _ => problem(404, "no such thing"),
    })
}

const MANY: [&str; 5] = ["restart", "agents", "-q", "name:*", "--timeout"];

#[test]
fn given_a_query_when_restarted_then_it_is_one_act_for_as_many_as_were_counted_and_its_outcome_is_awaited() {
    let server = bulk("succeeded", "succeeded");
    let ran = run(&server, &[&MANY[..], &["20s", "--yes"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out, "succeeded    web-1 (0190aaaa)\nsucceeded    db-1 (0190bbbb)\n");
    assert!(ran.err.ends_with("2 agents: 2 succeeded\n"), "{}", ran.err);
    let orders: Vec<_> = server.asked().into_iter().filter(|request| request.method == "POST").collect();
    assert_eq!(orders.len(), 1);
    let action = json!({"kind": "restart", "deadline_seconds": 20});
    let order = json!({"q": "name:*", "expected_count": 2, "tolerance": 0, "action": action});
    assert_eq!(orders[0].body, order);
}

#[test]
fn given_a_query_when_its_restarts_end_otherwise_then_the_code_tells_how() {
    for (web, db, code) in [
        ("succeeded", "failed", 9),
        ("succeeded", "sent", 9),
        ("failed", "refused", 10),
        ("sent", "failed", 7),
        ("unknown", "expired", 7),
    ] {
        let ran = run(&bulk(web, db), &[&MANY[..], &["500ms", "--yes"]].concat());
        assert_eq!(ran.code, code, "{web} {db}: {ran:?}");
    }
}

#[test]
fn given_a_query_when_not_confirmed_tried_or_not_awaited_then_nothing_else_is_asked() {
    let server = bulk("succeeded", "succeeded");
    let ran = run(&server, &["restart", "agents", "-q", "name:*"]);
    assert_eq!((ran.code, ran.out.as_str()), (8, ""), "{ran:?}");
    assert!(server.asked().iter().all(|request| request.method == "GET"));
    let ran = run(&server, &["restart", "agents", "-q", "name:*", "--dry-run"]);
    assert_eq!(ran.out, "1 agent would be restarted\nrefused      db-1 (0190bbbb)\n", "{ran:?}");
    assert_eq!(ran.code, 9);
    let ran = run(&server, &["restart", "agents", "-q", "name:*", "--yes", "--no-wait"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "o1\n"), "{ran:?}");
    assert!(server.asked().iter().all(|request| !request.path.starts_with("/operations")));
}

#[test]
fn given_an_operation_when_cancelled_then_it_is_said_how_many_were_withdrawn() {
    let ran = run(&bulk("sent", "sent"), &["cancel", "operation", "o1"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "operation o1: cancelled for 1 agent\n"), "{ran:?}");
    assert_eq!(run(&bulk("sent", "sent"), &["cancel", "operation", "../x"]).code, 2);
}

/// Answers every custom message so.
fn answering(state: &'static str, answer: Value) -> Canned {
    Canned::new(move |request| {
        agents(request).unwrap_or_else(|| {
            let mut command = command("c1", WEB, state, if state == "succeeded" { "" } else { "no luck" });
            if !answer.is_null() {
                command["answer"] = json!({"type": "reply", "data": answer});
            }
            Reply::Json(202, command)
        })
    })
}

const SEND: [&str; 7] = ["send", "agent", WEB, "--capability", "com.example.echo", "--type", "ping"];

#[test]
fn given_a_message_when_answered_then_the_data_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "data.json", "{\"a\": 1}");
    let from_file = format!("@{}", path.display());
    for data in ["{\"a\": 1}", from_file.as_str()] {
        let server = answering("succeeded", json!({"b": "\u{1b}[2J"}));
        let ran = run(&server, &[&SEND[..], &["--data", data]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, "{\n  \"b\": \"\\u001b[2J\"\n}\n"), "{ran:?}");
        assert_eq!(ran.err, "web-1 answered reply\n");
        let order = server.asked().into_iter().find(|request| request.method == "POST").unwrap();
        let expected = json!({
            "kind": "custom", "capability": "com.example.echo", "type": "ping", "data": {"a": 1},
            "deadline_seconds": 30,
        });
        assert_eq!(order.body, expected);
    }
}

#[test]
fn given_a_message_when_it_ends_otherwise_then_state_and_reason_are_printed() {
    for (state, code) in [("failed", 10), ("expired", 7), ("unknown", 7), ("sent", 7)] {
        let ran = run(&answering(state, Value::Null), &[&SEND[..], &["--timeout", "300ms"]].concat());
        assert_eq!(ran.code, code, "{state}: {ran:?}");
        assert_eq!(ran.out, format!("{state:<12} web-1 (0190aaaa): no luck\n"));
    }
    let ran = run(&answering("succeeded", json!("text\nof \u{7}two")), &SEND);
    assert_eq!(ran.out, "text\nof \\u{7}two\n");
    let ran = run(&answering("failed", json!("x")), &[&SEND[..], &["-o", "json"]].concat());
    let json: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((ran.code, &json["state"], &json["answer"]["data"]), (10, &json!("failed"), &json!("x")));
}

#[test]
fn given_data_that_is_no_json_then_nothing_is_sent() {
    let server = answering("succeeded", Value::Null);
    let ran = run(&server, &[&SEND[..], &["--data", "text"]].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(server.asked().is_empty());
}

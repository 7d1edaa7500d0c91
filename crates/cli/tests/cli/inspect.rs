//! `logs agent`, `validate` and `diagnose agent`.

use serde_json::{Value, json};

use super::canned::{Canned, Reply, problem};
use super::program::{file, run};
use super::values::{WEB, agent, command};

/// A server whose agent answers at once.
fn answering(state: &'static str, kind: &'static str, data: Value) -> Canned {
    Canned::new(move |request| match request.line().as_str() {
        line if line == format!("GET /agents/{WEB}") => Reply::Json(200, agent(WEB, "web-1")),
        line if line == format!("POST /agents/{WEB}/commands") => {
            let mut command = command("c", WEB, state, "it said no");
            command["answer"] = json!({"type": kind, "data": data});
            Reply::Json(202, command)
        }
        _ => problem(404, "no such thing"),
    })
}

fn asked(server: &Canned) -> Value {
    server.asked().into_iter().find(|request| request.method == "POST").unwrap().body
}

#[test]
fn given_an_agent_when_its_log_is_asked_for_then_its_lines_are_shown_safely() {
    let data = json!({"lines": ["one", "two \u{1b}[2J"], "truncated": true});
    let server = answering("succeeded", "result", data);
    let ran = run(&server, &["logs", "agent", WEB, "-n", "2"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "one\ntwo \\u{1b}[2J\n"), "{ran:?}");
    assert!(ran.err.contains("older lines were left out"), "{}", ran.err);
    let expected = json!({"kind": "custom", "capability": "io.tidegate.logs", "type": "request",
                          "data": {"lines": 2}, "deadline_seconds": 30});
    assert_eq!(asked(&server), expected);
    assert_eq!(run(&server, &["logs", "agent", WEB, "-n", "501"]).code, 2);
}

#[test]
fn given_a_config_when_validated_then_the_exit_code_tells_the_verdict() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "main.yaml", "pipeline:\n  inputs: []\n");
    let path = path.to_str().unwrap();
    let accepted = json!({"accepted": true, "errors": [], "warnings": ["a port was replaced"]});
    let server = answering("succeeded", "result", accepted);
    let ran = run(&server, &["validate", path, "--on-agent", WEB]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out, "web-1 accepts the config\nwarning: a port was replaced\n");
    let files = asked(&server)["data"]["files"].clone();
    assert_eq!((&files[0]["name"], &files[0]["role"]), (&json!("main.yaml"), &json!("main")));
    let refused =
        json!({"accepted": false, "proof": "dry-run", "errors": ["main.yaml:2:1: no\u{7}"], "warnings": []});
    let ran = run(&answering("succeeded", "result", refused), &["validate", path, "--on-agent", WEB]);
    assert_eq!(ran.code, 6, "{ran:?}");
    assert_eq!(ran.out, "web-1 does not accept the config\nerror: main.yaml:2:1: no\\u{7}\n");
    assert!(
        ran.err.ends_with("error: the config would not be applied: dry-run proof failed\n"),
        "{}",
        ran.err
    );
}

#[test]
fn given_an_agent_when_diagnosed_then_the_parts_are_json_and_a_failure_has_its_reason() {
    let server = answering("succeeded", "result", json!({"diagnostics": {"disk": 1}}));
    let ran = run(&server, &["diagnose", "agent", WEB]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "{\n  \"disk\": 1\n}\n"), "{ran:?}");
    let server = answering("failed", "failure", json!({"err_msg": "the agent's supervision is busy"}));
    let ran = run(&server, &["diagnose", "agent", WEB]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(ran.out, "failed       web-1 (0190aaaa): the agent's supervision is busy\n");
}

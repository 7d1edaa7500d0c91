//! Heartbeats and connection settings.

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request, problem};
use super::program::{file, run};
use super::values::{WEB, agent, list};

fn rule(name: &str, body: &Value) -> Value {
    let mut rule = body.clone();
    let summary = json!({
        "total": 12, "pending": 2, "offered": 0, "acknowledged": 10, "failed": 0, "unsupported": 0,
    });
    let more = json!({"name": name, "revision": 1, "actor": "admin", "at": "2026-03-04T05:06:07Z", "agents": summary});
    rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    rule
}

/// A server that has one rule, or none, and takes what is written.
fn server(stored: Option<Value>) -> Canned {
    Canned::new(move |request: &Request| match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/connection-settings") => Reply::Json(200, list(stored.as_slice())),
        ("GET", "/agents") => Reply::Json(200, list(&[agent(WEB, "web-1")])),
        ("GET", path) if path.starts_with("/connection-settings/") => match &stored {
            Some(stored) if path.ends_with(stored["name"].as_str().unwrap()) => {
                Reply::Json(200, stored.clone())
            }
            _ => Reply::Json(
                404,
                json!({
                    "type": "urn:tidegate:problem:not-found", "title": "x", "status": 404, "detail": "no rule",
                    "code": "not-found",
                }),
            ),
        },
        ("GET", _) => Reply::Json(200, agent(WEB, "web-1")),
        ("PUT", path) => {
            Reply::Json(200, rule(path.trim_start_matches("/connection-settings/"), &request.body))
        }
        ("DELETE", _) => Reply::Json(200, json!({})),
        _ => problem(405, "no"),
    })
}

fn written(server: &Canned) -> Vec<Request> {
    server.asked().into_iter().filter(|request| request.method != "GET").collect()
}

#[test]
fn given_a_target_when_a_heartbeat_is_set_then_one_rule_is_written_for_it() {
    for (args, path, target) in [
        (&["--all"][..], "heartbeat-all", json!({"all": true})),
        (&["-q", "a"], "heartbeat-q-af63dc4c8601ec8c", json!({"q": "a"})),
        (&[WEB], &format!("heartbeat-{WEB}"), json!({"agent": WEB})),
    ] {
        let server = server(None);
        let ran = run(&server, &[&["set", "heartbeat", "10s"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.contains("heartbeat every 10s for "), "{ran:?}");
        assert!(ran.out.contains("12 agents: 10 acknowledged, 2 pending"), "{ran:?}");
        let written = written(&server);
        assert_eq!(written.len(), 1);
        assert_eq!(written[0].line(), format!("PUT /connection-settings/{path}"));
        assert_eq!(written[0].header("if-none-match"), Some("*"));
        let expected = json!({"target": target, "priority": 0, "heartbeat": {"interval_seconds": 10}});
        assert_eq!(written[0].body, expected);
    }
}

#[test]
fn given_a_rule_with_more_in_it_when_its_heartbeat_changes_then_the_rest_stays() {
    let body = json!({
        "target": {"all": true}, "priority": 3, "heartbeat": {"interval_seconds": 5},
        "own_logs": {"endpoint": "https://x/v1/logs", "headers": {"A": "(redacted)"}},
    });
    let more = server(Some(rule("heartbeat-all", &body)));
    assert_eq!(run(&more, &["set", "heartbeat", "off", "--all", "--force"]).code, 0);
    let request = written(&more).remove(0);
    assert_eq!(request.header("if-match"), Some("\"1\""));
    assert_eq!(request.body["heartbeat"], json!({"off": true, "force": true}));
    assert_eq!((&request.body["own_logs"], &request.body["priority"]), (&body["own_logs"], &json!(3)));
    assert_eq!(run(&more, &["unset", "heartbeat", "--all"]).code, 0);
    let request = written(&more).remove(0);
    assert_eq!((request.method.as_str(), request.body.get("heartbeat")), ("PUT", None));

    let alone = json!({"target": {"all": true}, "priority": 0, "heartbeat": {"interval_seconds": 5}});
    let alone = server(Some(rule("heartbeat-all", &alone)));
    let ran = run(&alone, &["unset", "heartbeat", "--all"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "heartbeat-all: unset\n"), "{ran:?}");
    assert_eq!(written(&alone)[0].line(), "DELETE /connection-settings/heartbeat-all");
    assert_eq!(run(&server(None), &["unset", "heartbeat", "--all"]).code, 2);
}

#[test]
fn given_command_lines_that_name_no_or_two_targets_then_they_are_refused() {
    for args in [
        &["set", "heartbeat", "10s"][..],
        &["set", "heartbeat", "10s", "--all", "-q", "a"],
        &["set", "heartbeat", "10s", "--all", "web-1"],
        &["set", "heartbeat", "10", "--all"],
        &["set", "heartbeat", "1500ms", "--all"],
        &["set", "heartbeat", "25h", "--all"],
        &["unset", "heartbeat"],
        &["set", "settings", "a"],
        &["delete", "settings"],
    ] {
        let server = server(None);
        assert_eq!(run(&server, args).code, 2, "{args:?}");
        assert!(server.asked().is_empty(), "{args:?}");
    }
}

#[test]
fn given_rules_when_listed_then_a_table_or_their_names_are_printed() {
    let body = json!({
        "target": {"q": "service:fluent-bit"}, "priority": 2, "heartbeat": {"off": true},
        "opamp": {"endpoint": "wss://b.example/v1/opamp"}, "other_connections": {"d\u{1b}b": {"endpoint": "x"}},
    });
    let full = server(Some(rule("edge", &body)));
    let ran = run(&full, &["get", "settings", "--no-headers"]);
    let expected = "edge   service:fluent-bit   2   12 agents: 10 acknowledged, 2 pending   heartbeat off, opamp \
        wss://b.example/v1/opamp, connection d\\u{1b}b\n";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{ran:?}");
    assert_eq!(run(&full, &["get", "settings", "-o", "name"]).out, "edge\n");
    let ran = run(&server(None), &["get", "settings"]);
    assert!(ran.code == 0 && ran.out.is_empty() && ran.err.contains("There are no rules"), "{ran:?}");
}

#[test]
fn given_a_file_when_settings_are_set_then_it_is_the_rule_and_a_wrong_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "rule.yaml", "target: {all: true}\nown_logs:\n  endpoint: https://x/v1/logs\n");
    let bad = file(&folder, "bad.yaml", "target: {all: true}\nbeat: 1\n");
    let server = server(None);
    let ran = run(&server, &["set", "settings", "otlp", "-f", good.to_str().unwrap()]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let request = written(&server).remove(0);
    assert_eq!(request.line(), "PUT /connection-settings/otlp");
    assert_eq!(request.body["own_logs"], json!({"endpoint": "https://x/v1/logs"}));
    let ran = run(&server, &["set", "settings", "otlp", "-f", bad.to_str().unwrap()]);
    assert!(ran.code == 2 && ran.err.contains("bad.yaml") && ran.err.contains("beat"), "{ran:?}");
    assert!(written(&server).is_empty());
    assert_eq!(run(&server, &["delete", "settings", "otlp"]).code, 2);
}

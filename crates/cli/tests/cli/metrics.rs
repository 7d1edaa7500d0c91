//! Metrics of an agent.

use serde_json::json;

use super::canned::{Canned, Reply, Request};
use super::program::run;
use super::values::{WEB, agent, list};

fn server() -> Canned {
    Canned::new(|request: &Request| match request.path.as_str() {
        "/agents" => Reply::Json(200, list(&[agent(WEB, "web-1")])),
        path if path.ends_with("/metrics") => Reply::Json(
            200,
            json!({"agent": WEB, "reason": "no digest has come", "components": {}, "left_out": 0}),
        ),
        _ => Reply::Json(200, agent(WEB, "web-1")),
    })
}

#[test]
fn given_an_agent_without_metrics_when_asked_then_the_reason_is_told() {
    let server = server();
    let done = run(&server, &["metrics", "agent", "web-1"]);
    assert_eq!((done.code, done.out.as_str()), (0, "no digest has come\n"), "{}", done.err);
}

#[test]
fn given_a_span_when_asked_then_it_goes_to_the_server_as_times() {
    let server = server();
    let line = [
        "metrics",
        "agent",
        "web-1",
        "--since",
        "2h",
        "--step",
        "5m",
        "--component",
        "output:a b",
        "-o",
        "json",
    ];
    let done = run(&server, &line);
    assert_eq!(done.code, 0, "{}", done.err);
    let asked = server.asked();
    let query = &asked.iter().find(|request| request.path.ends_with("/metrics")).unwrap().query;
    let mut names: Vec<_> = query.split('&').map(|pair| pair.split('=').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["component", "from", "step", "to"]);
    assert!(query.contains("step=300s"), "{query}");
    assert_eq!(run(&server, &["metrics", "agent", "web-1", "--step", "5m"]).code, 2);
}

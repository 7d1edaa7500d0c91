//! `push`.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request};
use super::program::{Ran, file, run};
use super::values::{WEB, agent, list, push};

const CONFIG: &str = "pipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: stdout\n";

/// So many agents match, and a push goes through these states, a look each; the last one stays.
fn server(count: usize, steps: Vec<Value>) -> Canned {
    let look = AtomicUsize::new(0);
    Canned::new(move |request: &Request| {
        if request.path == "/agents" {
            let mut page = list(&[agent(WEB, "web-1")]);
            page["total"]["value"] = count.into();
            return Reply::Json(200, page);
        }
        let step = look.fetch_add(1, Ordering::SeqCst).min(steps.len() - 1);
        Reply::Json(if request.method == "POST" { 201 } else { 200 }, steps[step].clone())
    })
}

fn run_push(server: &Canned, config: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let path = file(&folder, "edge.yaml", config).display().to_string();
    run(server, &[&["push", &path, "-q", "name:*"], args].concat())
}

fn posted(server: &Canned) -> Option<Value> {
    server.asked().into_iter().find(|request| request.method == "POST").map(|request| request.body)
}

#[test]
fn given_a_push_when_every_agent_proves_it_then_progress_is_told_and_it_succeeds() {
    let steps = vec![
        push(&[("a", "pending", ""), ("b", "pending", "")]),
        push(&[("a", "proven", ""), ("b", "applying", "")]),
        push(&[("a", "proven", ""), ("b", "unproven", "")]),
    ];
    let server = server(2, steps);
    let ran = run_push(&server, CONFIG, &["--yes"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "push p1: 2 agents: 1 proven, 1 unproven\n"), "{ran:?}");
    let told: Vec<_> = ran.err.lines().collect();
    assert_eq!(
        told,
        [
            "push p1 is on its way",
            "2 agents: 2 pending …",
            "2 agents: 1 proven, 1 applying …",
            "2 agents: 1 proven, 1 unproven",
        ]
    );
    let expected = json!({
        "q": "name:*", "expected_count": 2,
        "files": [{"name": "edge.yaml", "role": "main", "body": CONFIG}],
    });
    assert_eq!(posted(&server), Some(expected));
}

#[test]
fn given_a_push_when_agents_fail_then_each_has_its_line_and_the_code_tells_how_many() {
    let some = push(&[("a", "proven", ""), ("b\u{1b}[2J", "failed", "line 3:\nno such plugin")]);
    let ran = run_push(&server(2, vec![some]), CONFIG, &["--yes"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert_eq!(
        ran.out,
        "push p1: 2 agents: 1 proven, 1 failed\nfailed     b\\u{1b}[2J (0190aaaa): line 3:\n    no such plugin\n"
    );
    let all = push(&[("a", "refused", "it takes no config"), ("b", "failed", "")]);
    let ran = run_push(&server(2, vec![all]), CONFIG, &["--yes"]);
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(ran.out.lines().count(), 3, "{ran:?}");
}

#[test]
fn given_a_push_that_does_not_settle_then_it_times_out_and_names_what_is_missing() {
    let steps = vec![push(&[("a", "failed", ""), ("b", "pending", "agent offline since 09:12")])];
    let ran = run_push(&server(2, steps), CONFIG, &["--yes", "--timeout", "300ms"]);
    assert_eq!(ran.code, 7, "{ran:?}");
    assert!(
        ran.err.contains("timed out after 0.3 s; still missing: 1 of 2 (b pending: agent offline"),
        "{ran:?}"
    );
}

#[test]
fn given_several_agents_and_nobody_to_ask_then_nothing_is_pushed_without_yes() {
    let several = server(12, vec![push(&[])]);
    let ran = run_push(&several, CONFIG, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (8, ""), "{ran:?}");
    assert!(ran.err.contains("12 agents match") && ran.err.contains("--yes"), "{}", ran.err);
    assert_eq!(posted(&several), None);

    let one = server(1, vec![push(&[("a", "proven", "")])]);
    assert_eq!(run_push(&one, CONFIG, &[]).code, 0);
    assert_eq!(posted(&one).unwrap()["expected_count"], 1);
}

#[test]
fn given_no_agent_that_matches_then_nothing_is_pushed() {
    let server = server(0, vec![push(&[])]);
    let ran = run_push(&server, CONFIG, &["--yes"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(posted(&server), None);
}

#[test]
fn given_a_config_with_errors_then_it_is_refused_with_its_place_unless_forced() {
    let server = server(1, vec![push(&[("a", "proven", "")])]);
    let broken = "service:\n  flush: 1\npipeline: [\n";
    let ran = run_push(&server, broken, &["--yes"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    let first = ran.err.lines().next().unwrap();
    assert!(first.starts_with("edge.yaml:") && first.contains(": error: "), "{}", ran.err);
    assert!(server.asked().is_empty());

    let ran = run_push(&server, broken, &["--yes", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(posted(&server).unwrap()["files"][0]["body"], broken);
}

#[test]
fn given_several_files_and_a_name_then_the_first_is_the_main_one() {
    let server = server(1, vec![push(&[("a", "pending", "")])]);
    let folder = tempfile::tempdir().unwrap();
    let main = file(&folder, "edge.yaml", CONFIG).display().to_string();
    let script = file(&folder, "redact.lua", "return 1").display().to_string();
    let ran = run(&server, &["push", &main, &script, "-q", "a", "--name", "main.yaml", "--no-wait"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "p1\n"), "{ran:?}");
    let expected = json!([
        {"name": "main.yaml", "role": "main", "body": CONFIG},
        {"name": "redact.lua", "body": "return 1"},
    ]);
    assert_eq!(posted(&server).unwrap()["files"], expected);
}

#[test]
fn given_files_or_queries_that_cannot_be_used_then_nothing_is_asked() {
    let server = server(1, vec![push(&[])]);
    let folder = tempfile::tempdir().unwrap();
    let good = file(&folder, "a.yaml", CONFIG).display().to_string();
    let binary = folder.path().join("b.yaml");
    std::fs::write(&binary, b"\xff\xfe").unwrap();
    let binary = binary.display().to_string();
    for args in
        [["push", "/nonexistent/a.yaml", "-q", "a"], ["push", &binary, "-q", "a"], ["push", &good, "-q", " "]]
    {
        assert_eq!(run(&server, &args).code, 2, "{args:?}");
    }
    assert_eq!(run(&server, &["push", &good, &good, "-q", "a"]).code, 2);
    assert!(server.asked().is_empty());
}

//! Plans of assistants, for a person to confirm or to discard.

use serde_json::{Value, json};

use super::canned::{Canned, Reply, Request, problem};
use super::program::run;
use super::values::{AT, DB, WEB, operation};

const PLAN: &str = "pl_abcdefghijkl";

fn plan() -> Value {
    json!({
        "id": PLAN, "hash": "h1", "state": "waiting", "action": {"kind": "restart"}, "summary": "restart",
        "q": "name:*", "count": 2, "refused": 1, "confirmation": "restart 2", "actor": "admin",
        "agents": [{"uid": WEB, "name": "web-1"}, {"uid": DB, "name": "db\u{9b}1"}],
        "refused_agents": [{"uid": DB, "name": "old", "reason": "it takes no restart"}],
        "client": "assistant 1", "reason": "the output hangs", "made_at": AT, "expires_at": AT,
    })
}

fn server() -> Canned {
    Canned::new(|request: &Request| match request.line().as_str() {
        "GET /plans/pl_abcdefghijkl" => Reply::Json(200, plan()),
        "POST /plans/pl_abcdefghijkl/actions/execute" if request.query == "dry_run=all" => {
            Reply::Json(200, operation(&[(WEB, "web-1", "succeeded"), (DB, "db-1", "succeeded")]))
        }
        "POST /plans/pl_abcdefghijkl/actions/execute" => {
            Reply::Json(202, operation(&[(WEB, "web-1", "queued"), (DB, "db-1", "queued")]))
        }
        "GET /operations/o1" => {
            Reply::Json(200, operation(&[(WEB, "web-1", "succeeded"), (DB, "db-1", "failed")]))
        }
        "POST /plans/pl_abcdefghijkl/actions/discard" => Reply::Json(200, plan()),
        _ => problem(404, "there is no such plan"),
    })
}

/// The bodies of what was really to be done.
fn executions(server: &Canned) -> Vec<Value> {
    let asked = server.asked();
    let real = asked.iter().filter(|asked| asked.path.ends_with("execute") && asked.query.is_empty());
    real.map(|asked| asked.body.clone()).collect()
}

#[test]
fn given_a_plan_when_described_then_it_tells_what_would_happen_to_whom() {
    let ran = run(&server(), &["describe", "plan", PLAN]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in [
        "Does           restart\n",
        "Reason         the output hangs\n",
        "Confirmation   restart 2\n",
        "\nAgents (2)\n  web-1 (0190aaaa)\n  db\\u{9b}1 (0190bbbb)\n",
        "\nCannot do it (1)\n  old (0190bbbb): it takes no restart\n",
    ] {
        assert!(ran.out.contains(part), "{part:?} is not in {}", ran.out);
    }
    assert_eq!(run(&server(), &["describe", "plan", "pl_other"]).code, 3);
    assert_eq!(run(&server(), &["describe", "plan", "../agents"]).code, 2);
}

#[test]
fn given_a_plan_when_executed_then_only_with_its_confirmation_and_the_outcome_is_awaited() {
    let server = server();
    let unasked = run(&server, &["execute", "plan", PLAN]);
    assert_eq!(unasked.code, 8, "{unasked:?}");
    assert!(unasked.err.contains("give --confirm \"restart 2\""), "{unasked:?}");
    assert_eq!(run(&server, &["execute", "plan", PLAN, "--confirm", "restart 3"]).code, 8);
    let tried = run(&server, &["execute", "plan", PLAN, "--dry-run"]);
    assert_eq!((tried.code, tried.out.as_str()), (0, "2 of 2 agents would be told\n"), "{tried:?}");
    assert_eq!(executions(&server), [] as [Value; 0], "nothing was done so far");
    let done =
        run(&server, &["execute", "plan", PLAN, "--confirm", "restart 2", "--reason", "it hangs again"]);
    assert_eq!(done.code, 9, "{done:?}");
    assert!(done.out.contains("failed       db-1 (0190bbbb)\n"), "{done:?}");
    let expected = json!({"hash": "h1", "confirmation": "restart 2", "reason": "it hangs again"});
    assert_eq!(executions(&server), [expected]);
    let started = run(&server, &["execute", "plan", PLAN, "--confirm", "restart 2", "--no-wait"]);
    assert_eq!((started.code, started.out.as_str()), (0, "o1\n"), "{started:?}");
}

#[test]
fn given_a_plan_when_discarded_then_it_is_said() {
    let ran = run(&server(), &["discard", "plan", PLAN]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "plan pl_abcdefghijkl discarded\n"), "{ran:?}");
}

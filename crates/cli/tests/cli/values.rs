//! The API's values, as a server would give them.

use serde_json::{Value, json};

pub(super) const WEB: &str = "0190aaaa-0000-7000-8000-000000000001";
pub(super) const DB: &str = "0190bbbb-0000-7000-8000-000000000002";
pub(super) const AT: &str = "2026-03-04T05:06:07Z";

pub(super) fn axis(value: &str) -> Value {
    json!({"value": value, "observed_at": AT})
}

pub(super) fn agent(uid: &str, name: &str) -> Value {
    json!({
        "uid": uid, "name": name, "service": {"name": "fluent-bit", "version": "5.1.1"},
        "connection": axis("connected"), "health": axis("healthy"), "config": axis("in-sync"),
        "attention": {"level": "ok"}, "transport": "websocket", "first_seen": AT, "last_seen": AT,
        "attributes": {"os.type": "linux"}, "capabilities": ["ReportsStatus"], "custom_capabilities": [],
    })
}

pub(super) fn list(items: &[Value]) -> Value {
    json!({"items": items, "total": {"value": items.len(), "exact": true}})
}

pub(super) fn command(id: &str, agent: &str, state: &str, reason: &str) -> Value {
    json!({
        "id": id, "agent": agent, "kind": "restart", "state": state, "reason": reason, "actor": "admin",
        "ended": !matches!(state, "queued" | "sent" | "acknowledged"), "created_at": AT, "deadline": AT,
    })
}

/// A restart of many; each agent is a uid, a name and an outcome.
pub(super) fn operation(agents: &[(&str, &str, &str)]) -> Value {
    let count = |words: &[&str]| agents.iter().filter(|agent| words.contains(&agent.2)).count();
    let targets: Vec<Value> = agents
        .iter()
        .map(|(uid, name, outcome)| json!({"uid": uid, "name": name, "outcome": outcome}))
        .collect();
    json!({
        "id": "o1", "kind": "restart", "q": "name:*", "actor": "admin", "at": AT, "total": agents.len(),
        "succeeded": count(&["succeeded"]), "refused": count(&["refused"]),
        "pending": count(&["queued", "sent"]), "failed": count(&["failed", "cancelled", "expired", "unknown"]),
        "targets": targets,
    })
}

/// A push; each agent is a name, a state and a reason.
pub(super) fn push(agents: &[(&str, &str, &str)]) -> Value {
    let count = |state: &str| agents.iter().filter(|agent| agent.1 == state).count();
    let rows: Vec<Value> = agents
        .iter()
        .map(|(name, state, reason)| {
            json!({"uid": WEB, "name": name, "state": state, "reason": reason, "connection": axis("connected")})
        })
        .collect();
    json!({
        "id": "p1", "config": "aabb", "q": "name:*", "actor": "admin", "at": AT, "agents": rows,
        "summary": {
            "total": agents.len(), "proven": count("proven"), "unproven": count("unproven"),
            "pending": count("pending"), "applying": count("applying"), "failed": count("failed"),
            "superseded": count("superseded"), "refused": count("refused"),
        },
    })
}

pub(super) fn event(number: u64, text: &str) -> Value {
    json!({"number": number, "at": AT, "kind": "health", "agent": WEB, "name": "web-1", "text": text})
}

/// An event as the stream carries it.
pub(super) fn happened(number: u64, text: &str) -> String {
    format!("event: happened\nid: {number}\ndata: {}\n\n", event(number, text))
}

pub(super) fn bookmark(number: u64) -> String {
    format!("event: bookmark\nid: {number}\ndata: {{}}\n\n")
}

//! What a supervisor weighs, how fast it applies, and what is lost meanwhile.

mod host;
mod lines;

use std::time::{Duration, Instant};

use super::super::figure::Figure;
use super::super::plan::Plan;
use super::super::process::{Usage, resident};
use super::super::subject::Subject;
use super::Tools;
use crate::fleet::{Agent, yaml};
use host::Host;

/// Agents beside the first, for what each weighs.
const FURTHER: u32 = 4;
/// How often the way from an offer to its status is timed; the median counts.
const TIMED: u32 = 5;

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let program = tools.beside("tidegate-supervisor")?;
    let bytes = std::fs::metadata(&program).map_err(|error| error.to_string())?.len();
    let mut figures =
        vec![Figure::new("supervisor-size", "stripped supervisor", megabytes(bytes), "MB", 8.0)];
    let (cert, server) = tools.tls_server("supervised")?;
    let fake = tools.beside("fake-fluent-bit")?;
    let one = Host::start(tools, "one", &program, &fake, &server, &cert, 1)?;
    one.wait_healthy(&server, 1)?;
    std::thread::sleep(plan.idle);
    let idle = resident(one.pid())?;
    figures.push(Figure::new(
        "supervisor-idle",
        "supervisor of one agent, TLS, idle",
        megabytes(idle),
        "MB",
        12.0,
    ));
    let (used, begun) = (Usage::of(one.pid())?, Instant::now());
    // The kernel counts in hundredths of a second: over less than a minute there is nothing to see.
    std::thread::sleep(plan.idle * 4);
    let used = Usage::of(one.pid())?.since(used).total().as_secs_f64() * 60.0 / begun.elapsed().as_secs_f64();
    figures.push(Figure::told(
        "supervisor-cpu",
        "  its CPU, idle, with a heartbeat in 30 s",
        used * 1e3,
        "ms/min",
    ));
    for number in 0..plan.applies {
        apply(&server, "one-0", &yaml(&format!("apply_{number}"), ""))?;
    }
    let what = format!("  after {} applies (fake agent)", plan.applies);
    figures.push(Figure::new("supervisor-applies", what, megabytes(resident(one.pid())?), "MB", 12.0));
    drop(one);

    let many = Host::start(tools, "many", &program, &fake, &server, &cert, FURTHER + 1)?;
    many.wait_healthy(&server, FURTHER + 1)?;
    std::thread::sleep(plan.idle);
    let further = resident(many.pid())?.saturating_sub(idle) / u64::from(FURTHER);
    let what = format!("  each further agent, of {FURTHER}");
    figures.push(Figure::new("supervisor-further", what, megabytes(further), "MB", 1.5));
    drop(many);

    let (agent, real) = match Agent::real() {
        Some(agent) => (agent.binary, true),
        None => (fake, false),
    };
    let timed = Host::start(tools, "timed", &program, &agent, &server, &cert, 1)?;
    timed.wait_healthy(&server, 1)?;
    let mut times = Vec::new();
    for number in 0..TIMED {
        times.push(apply(&server, "timed-0", &yaml(&format!("timed_{number}"), ""))?.as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let median = times.get(times.len() / 2).copied().ok_or("nothing was timed")?;
    let which = if real { "real Fluent Bit" } else { "fake agent" };
    figures.push(Figure::new(
        "offer-to-applied",
        format!("push to proven, probation 0, {which}"),
        median,
        "s",
        3.0,
    ));
    drop(timed);
    if real {
        figures.extend(lines::run(tools, &program, &agent, &server, &cert)?);
    }
    Ok(figures)
}

/// Pushes a config to the agent of this name and waits until it is proven; gives how long that took.
fn apply(server: &Subject, name: &str, body: &str) -> Result<Duration, String> {
    let mut rest = server.rest()?;
    let request = serde_json::json!({
        "q": format!("name:{name}*"), "expected_count": 1, "files": [{"name": "fluent-bit.yaml", "body": body}],
    });
    let begun = Instant::now();
    let answer = rest.post("/api/v1/pushes", &request.to_string())?;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    let push: serde_json::Value = serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
    let id = push["id"].as_str().ok_or(said)?.to_owned();
    loop {
        let answer = rest.get(&format!("/api/v1/pushes/{id}"))?;
        let push: serde_json::Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let agent = &push["agents"][0];
        match agent["state"].as_str() {
            Some("proven") => return Ok(begun.elapsed()),
            Some("pending" | "applying") if begun.elapsed() < Duration::from_secs(60) => {}
            _ => return Err(format!("a config was not proven: {agent}")),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^52 bytes")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

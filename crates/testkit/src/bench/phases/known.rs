//! Many known agents: lists, filters and facets over REST, and a start with all of them.

use super::super::figure::{Figure, p95};
use super::super::plan::Plan;
use super::super::process::resident;
use super::super::rest::Rest;
use super::super::subject::Subject;
use super::super::swarm::SwarmProcess;
use super::Tools;

/// Known agents of one socket.
const MUX: u32 = 1_000;

/// Calls of each kind.
const CALLS: usize = 60;

/// Filters that people use, percent-encoded.
const FILTERS: [&str; 6] = [
    "connection:connected",
    "name:node-0012*",
    "version:5.1.1%20health:healthy",
    "attr.cloud.region:eu-*",
    "node-000077",
    "attr.team:team-03%20attr.deployment.environment.name:staging",
];

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("known", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &["--patience", "10m"])?;
    let (known, report) = (plan.known, &plan.known_report);
    let filled = swarm.obey(&format!("connect {known} {report} mux {MUX}"))?;
    swarm.obey(&format!("idle {}s", plan.idle.as_secs()))?;
    let mut rest = server.rest()?;
    let total = total(&mut rest)?;
    if total != u64::from(known) {
        return Err(format!("the server knows {total} of {known} agents"));
    }
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52 bytes")]
    let megabytes = resident(server.pid())? as f64 / 1024.0 / 1024.0;
    let mut figures = vec![
        Figure::told("known-rate", "first reports taken a second", f64::from(known) / filled.seconds, "/s"),
        Figure::told("known-memory", format!("memory with {known} known agents"), megabytes, "MB"),
        time("list-p95", "a page of the list, p95", 50.0, list(&mut rest)),
        time(
            "filter-p95",
            "a page of a filtered list, p95",
            50.0,
            repeat(&mut rest, |call| format!("/api/v1/agents?limit=100&q={}", FILTERS[call % FILTERS.len()])),
        ),
        time(
            "sort-p95",
            "a sorted page, p95",
            50.0,
            repeat(&mut rest, |call| {
                let filter = FILTERS[call % FILTERS.len()];
                format!("/api/v1/agents?limit=100&sort={}&q={filter}", ["name", "-last_seen"][call % 2])
            }),
        ),
        time(
            "facets-p95",
            "facets of a list, p95",
            100.0,
            repeat(&mut rest, |call| {
                let filter = FILTERS[call % FILTERS.len()];
                format!("/api/v1/agents?limit=1&facets=health,version,os&q={}", ["", filter][call % 2])
            }),
        ),
    ];
    drop((rest, swarm));
    match restart(server, tools, known) {
        Ok((start, stop, stored)) => figures.extend([
            Figure::new("start", format!("start with {known} known agents"), start, "s", 2.0),
            Figure::told("stop", "  the stop in order before it", stop, "s"),
            Figure::told("stored", "  bytes of the database", stored, "MB"),
        ]),
        Err(why) => figures.push(Figure::failed("start", "start with known agents", why)),
    }
    Ok(figures)
}

fn restart(server: Subject, tools: &Tools, known: u32) -> Result<(f64, f64, f64), String> {
    let stop = server.stop()?;
    let again = tools.server("known", &[])?;
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52 bytes")]
    let stored = again.stored()? as f64 / 1024.0 / 1024.0;
    let total = total(&mut again.rest()?)?;
    if total != u64::from(known) {
        return Err(format!("after the start the server knows {total} of {known} agents"));
    }
    Ok((again.ready_after.as_secs_f64(), stop.as_secs_f64(), stored))
}

fn time(key: &'static str, what: &str, goal: f64, millis: Result<Vec<f64>, String>) -> Figure {
    match millis {
        Ok(millis) => Figure::new(key, what, p95(millis), "ms", goal),
        Err(why) => Figure::failed(key, what, why),
    }
}

/// Page after page from the start.
fn list(rest: &mut Rest) -> Result<Vec<f64>, String> {
    let (mut millis, mut cursor) = (Vec::new(), String::new());
    while millis.len() < CALLS {
        let (took, page) = call(rest, &format!("/api/v1/agents?limit=100{cursor}"))?;
        millis.push(took);
        cursor = page["next_cursor"].as_str().map(|next| format!("&cursor={next}")).unwrap_or_default();
    }
    Ok(millis)
}

fn repeat(rest: &mut Rest, path: impl Fn(usize) -> String) -> Result<Vec<f64>, String> {
    (0..CALLS).map(|number| Ok(call(rest, &path(number))?.0)).collect()
}

fn total(rest: &mut Rest) -> Result<u64, String> {
    let (_, page) = call(rest, "/api/v1/agents?limit=1")?;
    page["total"]["value"].as_u64().ok_or_else(|| format!("no total in {page}"))
}

/// Milliseconds, and the answer's body.
fn call(rest: &mut Rest, path: &str) -> Result<(f64, serde_json::Value), String> {
    let answer = rest.get(path)?;
    if answer.status != 200 {
        let why = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(format!("{path} was answered with {}: {why}", answer.status));
    }
    let page = serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))?;
    Ok((answer.took.as_secs_f64() * 1e3, page))
}

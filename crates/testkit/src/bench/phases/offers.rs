//! From the edit of a config to the last connected agent's receipt of it.

use std::time::{SystemTime, UNIX_EPOCH};

use super::super::figure::Figure;
use super::super::plan::Plan;
use super::super::swarm::SwarmProcess;
use super::Tools;

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("offers", &[])?;
    // Agents answer at once that they apply, and later that they have: as real ones do.
    let more = ["--accept-least", "1s", "--accept-most", "5s"];
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &more)?;
    swarm.obey(&format!("connect {} full", plan.offered))?;
    swarm.obey(&format!("idle {}s", plan.idle.as_secs().min(5)))?;
    swarm.obey("mark")?;
    let wait = format!("wait-offers {} 120s", plan.offered);
    swarm.begin(&wait)?;
    let mut rest = server.rest()?;
    let body = serde_json::json!({
        "q": "name:*",
        "files": [{ "name": "fluent-bit.yaml", "body": config() }],
    });
    let begun = unix_micros();
    let answer = rest.post("/api/v1/pushes", &body.to_string())?;
    if answer.status != 201 {
        let why = String::from_utf8_lossy(&answer.body).into_owned();
        return Err(format!("the push was answered with {}: {why}", answer.status));
    }
    let report = swarm.end(&wait)?.report;
    #[expect(clippy::cast_precision_loss, reason = "it is far below 2^52 µs")]
    let seconds = report.last_offer_unix_micros.saturating_sub(begun) as f64 / 1e6;
    let settled = swarm.obey(&format!("wait-settled {} 120s", plan.offered))?.report.counts;
    if settled.failed > 0 || settled.unavailable > 0 {
        return Err(format!("agents were not heard: {settled:?}"));
    }
    let agents = plan.offered;
    Ok(vec![
        Figure::new("edit-to-offered", format!("edit to the last of {agents} agents"), seconds, "s", 1.0),
        Figure::told("push-answer", "  until the push itself is answered", answer.took.as_secs_f64(), "s"),
    ])
}

/// A config of 4 KB: what people write.
fn config() -> String {
    let mut text = "service:\n  flush: 1\npipeline:\n  inputs:\n".to_owned();
    for number in 0.. {
        if text.len() > 4_000 {
            break;
        }
        text.push_str(&format!(
            "    - name: tail\n      path: /var/log/app-{number}/*.log\n      tag: app.{number}\n"
        ));
    }
    text + "  outputs:\n    - name: \"null\"\n      match: \"*\"\n"
}

fn unix_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

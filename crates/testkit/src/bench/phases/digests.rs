//! Agents that send digests of their metrics: CPU and memory of the server.

use std::thread::sleep;
use std::time::Duration;

use super::super::figure::{Figure, median};
use super::super::plan::Plan;
use super::super::process::{Usage, resident};
use super::super::swarm::SwarmProcess;
use super::{Tools, cost};

/// An agent's digests are this far apart: the server takes one in five seconds.
const APART: u32 = 6;

/// Digests of each agent before memory is read: the last two, and some on their way to the history.
const DIGESTS: u32 = 4;

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("digests", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &[])?;
    swarm.obey(&format!("connect {} small", plan.agents))?;
    sleep(plan.idle);
    let before = resident(server.pid())?;
    let rate = (plan.agents / APART).min(plan.rate).max(1);
    let turn = Duration::from_secs((plan.agents / rate).max(APART).into());
    let mut spend = |kind: &str| {
        swarm.obey("mark")?;
        let used = Usage::of(server.pid())?;
        let report = swarm.obey(&format!("{kind} {rate} {}s", turn.as_secs()))?.report;
        let (total, user, _) = cost(Usage::of(server.pid())?.since(used), report.counts.replies)?;
        Ok::<_, String>((total, user))
    };
    let (mut digests, mut heartbeats) = (Vec::new(), Vec::new());
    for _ in 0..DIGESTS {
        digests.push(spend("digests")?);
        heartbeats.push(spend("heartbeats")?);
    }
    #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^52")]
    let grown = resident(server.pid())?.saturating_sub(before) as f64 / f64::from(plan.agents);
    let of = |costs: &[(f64, f64)], part: fn(&(f64, f64)) -> f64| median(costs.iter().map(part).collect());
    Ok(vec![
        Figure::told("digest-cpu", "CPU per digest with reply", of(&digests, |cost| cost.0), "µs"),
        Figure::told("digest-user", "  of it in user mode", of(&digests, |cost| cost.1), "µs"),
        Figure::told("digest-beat", "  a heartbeat's, as rarely", of(&heartbeats, |cost| cost.0), "µs"),
        Figure::told("digest-beat-user", "    of it in user mode", of(&heartbeats, |cost| cost.1), "µs"),
        Figure::told("digest-memory", "memory per agent that sends them", grown, "B"),
    ])
}

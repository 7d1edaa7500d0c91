//! CPU per poll over plain HTTP on connections that are kept.

use super::super::figure::{Figure, median};
use super::super::plan::Plan;
use super::super::process::Usage;
use super::super::swarm::SwarmProcess;
use super::{Tools, cost};

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("polls", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("http"), &[])?;
    swarm.obey(&format!("connect {} full", plan.pollers))?;
    swarm.obey(&format!("heartbeats {} 1s", plan.rate))?;
    let (mut totals, mut users) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        swarm.obey("mark")?;
        let before = Usage::of(server.pid())?;
        let report = swarm.obey(&format!("heartbeats {} {}s", plan.rate, plan.time.as_secs()))?.report;
        let counts = report.counts;
        if counts.lost + counts.rejected + counts.bad_requests > 0 {
            return Err(format!("not every poll was answered: {counts:?}"));
        }
        let (total, user, _) = cost(Usage::of(server.pid())?.since(before), counts.replies)?;
        totals.push(total);
        users.push(user);
    }
    Ok(vec![
        Figure::new("poll-cpu", "CPU per poll, HTTP keep-alive", median(totals), "µs", 15.0),
        Figure::told("poll-user", "  of it in user mode", median(users), "µs"),
    ])
}

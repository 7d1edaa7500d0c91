//! CPU per WebSocket connect with a small first report, and connects a second.

use super::super::figure::Figure;
use super::super::plan::Plan;
use super::super::process::Usage;
use super::super::swarm::SwarmProcess;
use super::{Tools, cost};

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("connects", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &[])?;
    // The first hundred bring code and tables into memory.
    swarm.obey("connect 100 small")?;
    swarm.obey("mark")?;
    let before = Usage::of(server.pid())?;
    let done = swarm.obey(&format!("connect {} small", plan.agents))?;
    let (total, user, _) = cost(Usage::of(server.pid())?.since(before), done.report.counts.connects)?;
    let rate = f64::from(plan.agents) / done.seconds.max(1e-3);
    Ok(vec![
        Figure::new("connect-cpu", "CPU per connect with a small first report", total, "µs", 90.0),
        Figure::told("connect-cpu-user", "  of it in user mode", user, "µs"),
        Figure::told("connect-rate", "connects a second, swarm and server on one machine", rate, "/s"),
        Figure::told("connect-p99", "  handshake, p99", done.report.connect_latency.p99_ms, "ms"),
    ])
}

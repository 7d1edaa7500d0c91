//! Agents that send digests of their metrics: CPU and memory of the server, and what reaches its disk.

use std::thread::sleep;
use std::time::Duration;

use super::super::figure::{Figure, median};
use super::super::plan::Plan;
use super::super::process::{Usage, resident, written};
use super::super::swarm::SwarmProcess;
use super::{Tools, cost};

/// An agent's digests are this far apart: the server takes one in five seconds.
const APART: u32 = 6;

/// Digests of each agent before memory is read: the last two, and some on their way to the history.
const DIGESTS: u32 = 4;

/// The history is written every five seconds.
const FLUSH: Duration = Duration::from_secs(6);

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("digests", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &[])?;
    swarm.obey(&format!("connect {} small", plan.agents))?;
    sleep(plan.idle);
    let (before, disk) = (resident(server.pid())?, written(server.pid())?);
    let rate = (plan.agents / APART).min(plan.rate).max(1);
    let turn = Duration::from_secs((plan.agents / rate).max(APART).into());
    let (mut totals, mut users) = (Vec::new(), Vec::new());
    let mut sent = 0;
    for _ in 0..DIGESTS {
        swarm.obey("mark")?;
        let used = Usage::of(server.pid())?;
        let report = swarm.obey(&format!("digests {rate} {}s", turn.as_secs()))?.report;
        let (total, user, _) = cost(Usage::of(server.pid())?.since(used), report.counts.replies)?;
        totals.push(total);
        users.push(user);
        sent += report.counts.replies;
    }
    sleep(FLUSH);
    #[expect(clippy::cast_precision_loss, reason = "bytes and counts are far below 2^52")]
    let each = |bytes: u64, count: u64| bytes as f64 / count.max(1) as f64;
    let grown = resident(server.pid())?.saturating_sub(before);
    let disk = written(server.pid())?.saturating_sub(disk);
    Ok(vec![
        Figure::told("digest-cpu", "CPU per digest with reply", median(totals), "µs"),
        Figure::told("digest-user", "  of it in user mode", median(users), "µs"),
        Figure::told(
            "digest-memory",
            "memory per agent that sends them",
            each(grown, plan.agents.into()),
            "B",
        ),
        Figure::told("digest-disk", "bytes written to disk per digest", each(disk, sent), "B"),
    ])
}

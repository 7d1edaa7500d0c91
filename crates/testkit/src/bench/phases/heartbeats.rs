//! Agents that are connected and send heartbeats: memory, CPU beside the bare loop's, bytes written.

use super::super::figure::{Figure, median};
use super::super::plan::Plan;
use super::super::process::{Usage, written};
use super::super::subject::Subject;
use super::super::swarm::{BareProcess, SwarmProcess};
use super::memory::Memory;
use super::{Tools, cost};

/// What a server spends on a heartbeat, in microseconds.
struct Cost {
    total: f64,
    user: f64,
    system: f64,
    p99_ms: f64,
}

pub(super) fn run(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let server = tools.server("heartbeats", &[])?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("ws"), &[])?;
    let memory = Memory::measure(plan, &server, &mut swarm)?;
    let mut figures = vec![
        Figure::new(
            "idle-plain",
            "memory per idle agent, plain, after a 32 KB report",
            memory.each(),
            "KB",
            6.0,
        ),
        Figure::told("empty", "  the server before any agent", memory.empty_mb(), "MB"),
    ];
    figures.extend(heartbeats(plan, tools, &server, &mut swarm)?);
    Ok(figures)
}

fn heartbeats(
    plan: &Plan,
    tools: &Tools,
    server: &Subject,
    swarm: &mut SwarmProcess,
) -> Result<Vec<Figure>, String> {
    let bare = BareProcess::start(&tools.swarm)?;
    let mut bare_swarm = SwarmProcess::start(&tools.swarm, &bare.endpoint(), &[])?;
    bare_swarm.obey(&format!("connect {} small", plan.agents))?;
    // One after the other, so that both see the same machine; a first short round warms both.
    let warm = format!("heartbeats {} 1s", plan.rate);
    swarm.obey(&warm)?;
    bare_swarm.obey(&warm)?;
    let (disk, stored) = (written(server.pid())?, server.stored()?);
    let (mut ours, mut bares) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        bares.push(round(plan, bare.pid(), &mut bare_swarm)?);
        ours.push(round(plan, server.pid(), swarm)?);
    }
    let (disk, stored_after) = (written(server.pid())? - disk, server.stored()?);
    let of = |costs: &[Cost], part: fn(&Cost) -> f64| median(costs.iter().map(part).collect());
    let (total, bare_total) = (of(&ours, |c| c.total), of(&bares, |c| c.total));
    #[expect(clippy::cast_precision_loss, reason = "bytes are far below 2^52")]
    let bytes = |count: u64| count as f64;
    Ok(vec![
        Figure::new(
            "heartbeat-ratio",
            "CPU per heartbeat beside the bare loop's",
            total / bare_total,
            "x",
            1.3,
        ),
        Figure::told("heartbeat-cpu", "  CPU per heartbeat with reply", total, "µs"),
        Figure::told("bare-cpu", "  the bare loop's", bare_total, "µs"),
        Figure::new("heartbeat-user", "  of ours in user mode", of(&ours, |c| c.user), "µs", 1.5),
        Figure::told("heartbeat-system", "  of ours in the kernel", of(&ours, |c| c.system), "µs"),
        Figure::told("bare-user", "  of the bare loop's in user mode", of(&bares, |c| c.user), "µs"),
        Figure::told("heartbeat-p99", "  answer, p99", of(&ours, |c| c.p99_ms), "ms"),
        Figure::new("heartbeat-disk", "bytes written to disk by heartbeats", bytes(disk), "B", 0.0),
        Figure::new(
            "heartbeat-stored",
            "bytes by which they change the database's files",
            bytes(stored_after.abs_diff(stored)),
            "B",
            0.0,
        ),
    ])
}

fn round(plan: &Plan, pid: u32, swarm: &mut SwarmProcess) -> Result<Cost, String> {
    swarm.obey("mark")?;
    let before = Usage::of(pid)?;
    let report = swarm.obey(&format!("heartbeats {} {}s", plan.rate, plan.time.as_secs()))?.report;
    let (total, user, system) = cost(Usage::of(pid)?.since(before), report.counts.replies)?;
    let wanted = u64::from(plan.rate) * plan.time.as_secs();
    if report.counts.replies * 10 < wanted * 9 {
        return Err(format!(
            "{} of {wanted} heartbeats were answered: lower BENCH_RATE",
            report.counts.replies
        ));
    }
    Ok(Cost { total, user, system, p99_ms: report.reply_latency.p99_ms })
}

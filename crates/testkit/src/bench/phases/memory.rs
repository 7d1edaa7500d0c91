//! Memory per idle agent.

use super::super::figure::Figure;
use super::super::plan::Plan;
use super::super::process::{Usage, resident};
use super::super::subject::Subject;
use super::super::swarm::SwarmProcess;
use super::{Tools, cost};

/// The server's own memory, and what its agents add once they are left alone.
pub(super) struct Memory {
    pub(super) empty: u64,
    pub(super) full: u64,
    pub(super) agents: u32,
}

impl Memory {
    /// Connects agents that report all they have, leaves them alone, and looks.
    pub(super) fn measure(plan: &Plan, server: &Subject, swarm: &mut SwarmProcess) -> Result<Self, String> {
        let empty = resident(server.pid())?;
        swarm.obey(&format!("connect {} full", plan.agents))?;
        swarm.obey(&format!("idle {}s", plan.idle.as_secs()))?;
        let counts = swarm.counted()?.counts;
        if counts.lost + counts.unavailable + counts.bad_requests > 0 {
            return Err(format!("not every agent was taken: {counts:?}"));
        }
        Ok(Self { empty, full: resident(server.pid())?, agents: plan.agents })
    }

    /// KB of 1,024 bytes that an agent adds.
    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
    pub(super) fn each(&self) -> f64 {
        self.full.saturating_sub(self.empty) as f64 / 1024.0 / f64::from(self.agents)
    }

    #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
    pub(super) fn empty_mb(&self) -> f64 {
        self.empty as f64 / 1024.0 / 1024.0
    }
}

/// The same by TLS.
pub(super) fn tls(plan: &Plan, tools: &Tools) -> Result<Vec<Figure>, String> {
    let (cert, server) = tools.tls_server("tls")?;
    let mut swarm = SwarmProcess::start(&tools.swarm, &server.endpoint("wss"), &["--ca", &cert])?;
    let before = Usage::of(server.pid())?;
    let memory = Memory::measure(plan, &server, &mut swarm)?;
    let (connect, _, _) = cost(Usage::of(server.pid())?.since(before), u64::from(plan.agents))?;
    Ok(vec![
        Figure::new(
            "idle-tls",
            "memory per idle agent, TLS, after a 32 KB report",
            memory.each(),
            "KB",
            18.0,
        ),
        Figure::told("connect-tls-cpu", "CPU per connect by TLS with a full first report", connect, "µs"),
    ])
}

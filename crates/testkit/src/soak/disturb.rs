//! What happens to a host while a config is on its way.

use crate::swarm::random::Random;

/// A disturbance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Disturbance {
    /// Nothing.
    None,
    /// SIGKILL to the agent.
    AgentKilled,
    /// SIGSTOP to the agent.
    AgentStopped,
    /// SIGKILL to the supervisor, and another one in its place.
    SupervisorKilled,
    /// SIGKILL to the server, and another one in its place.
    ServerKilled,
    /// The connection breaks.
    Cut,
    /// A restart is ordered.
    Restart,
    /// Two more configs follow at once.
    Burst,
}

impl Disturbance {
    /// All, the first being none at all.
    pub const ALL: [Self; 8] = [
        Self::None,
        Self::AgentKilled,
        Self::AgentStopped,
        Self::SupervisorKilled,
        Self::ServerKilled,
        Self::Cut,
        Self::Restart,
        Self::Burst,
    ];

    /// Draws one; half of the time none. Supervisors are spared where memory is to be compared.
    pub(super) fn draw(random: &mut Random, spare_supervisor: bool) -> Self {
        if random.chance(0.5) {
            return Self::None;
        }
        let at = 1 + usize::try_from(random.below(7)).unwrap_or_default();
        match Self::ALL[at % Self::ALL.len()] {
            Self::SupervisorKilled if spare_supervisor => Self::Cut,
            other => other,
        }
    }

    /// True when it may make a good config fail: what ended the process is not told from what the config did.
    pub(super) const fn may_fail_a_good_config(self) -> bool {
        matches!(self, Self::AgentKilled | Self::AgentStopped | Self::SupervisorKilled)
    }

    /// In words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::AgentKilled => "agent killed",
            Self::AgentStopped => "agent stopped",
            Self::SupervisorKilled => "supervisor killed",
            Self::ServerKilled => "server killed",
            Self::Cut => "connection cut",
            Self::Restart => "restart ordered",
            Self::Burst => "two more configs",
        }
    }
}

//! What a supervisor tells that its agent can do, by what its host allows.

use tidegate_opamp::AgentCapabilities;

/// The capabilities that go with what a supervisor allows.
#[must_use]
pub fn capabilities(remote_config: bool, restart: bool) -> AgentCapabilities {
    AgentCapabilities::REPORTS_STATUS
        .with(AgentCapabilities::REPORTS_EFFECTIVE_CONFIG)
        .with(AgentCapabilities::REPORTS_HEALTH)
        .with(AgentCapabilities::REPORTS_HEARTBEAT)
        .with_if(AgentCapabilities::ACCEPTS_REMOTE_CONFIG, remote_config)
        .with_if(AgentCapabilities::REPORTS_REMOTE_CONFIG, remote_config)
        .with_if(AgentCapabilities::ACCEPTS_RESTART_COMMAND, restart)
}

//! What may be sent to an agent.

use tidegate_custom::Capability;
use tidegate_fleet::Actor;
use tidegate_opamp::{AgentCapabilities, InstanceUid};

use super::{Control, ControlError};

/// What an agent can be told to do.
#[derive(Debug)]
pub(crate) struct Sendable {
    /// It can be restarted.
    pub(crate) restart: bool,
    /// It takes configs.
    pub(crate) remote_config: bool,
    /// Its custom capabilities by bare name, with what is known of them.
    pub(crate) custom: Vec<(String, Option<&'static Capability>)>,
}

impl Control {
    /// What may be sent to an agent, by the capabilities that it lists.
    pub(crate) fn sendable(&self, actor: &Actor, uid: &InstanceUid) -> Result<Sendable, ControlError> {
        let agent = self.agent(actor, uid)?.agent;
        let mut names = agent.custom_capabilities();
        names.sort_unstable();
        names.dedup();
        let custom = names.into_iter().map(|name| {
            let known = tidegate_custom::describe(&name);
            (name, known)
        });
        Ok(Sendable {
            restart: agent.capabilities.contains(AgentCapabilities::ACCEPTS_RESTART_COMMAND),
            remote_config: agent.capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG),
            custom: custom.collect(),
        })
    }
}

//! The configs of one agent side by side: what it should run, what it runs, what it would go back to.

use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::difference::Change;
use tidegate_fleet::{Actor, Agent, Timestamp};
use tidegate_opamp::{AgentConfigMap, InstanceUid};

use super::difference::ConfigDifference;
use super::{Control, ControlError};

/// The configs of one agent. Secrets are marks everywhere; those of the assigned config and of the former one are made
/// under one key, so that they can be compared.
#[derive(Debug)]
pub(crate) struct ConfigView {
    pub(crate) difference: ConfigDifference,
    /// Why it is not in sync although nothing differs, or why nothing can be compared; else what the axis says.
    pub(crate) reason: String,
    pub(crate) desired: Option<Version>,
    pub(crate) former: Option<Version>,
    /// What it reports, and when it was heard.
    pub(crate) effective: Option<(Timestamp, AgentConfigMap)>,
}

/// A config that an agent was given.
#[derive(Debug)]
pub(crate) struct Version {
    pub(crate) hash: String,
    pub(crate) push: String,
    pub(crate) since: Timestamp,
    pub(crate) files: AgentConfigMap,
}

impl Control {
    /// The configs of an agent side by side.
    pub(crate) fn agent_config(&self, actor: &Actor, uid: &InstanceUid) -> Result<ConfigView, ControlError> {
        let difference = self.difference(actor, uid)?;
        let agent = &difference.view.agent;
        let desired = agent.desired().map(|desired| version(agent, desired.assignment()));
        let former = agent.desired().and_then(Desired::former).map(|former| version(agent, former));
        let effective = agent.reported().effective_config.as_ref().and_then(|fact| {
            let map = fact.get().config_map?;
            Some((fact.observed_at, agent.without_secrets(&map)))
        });
        let reason = reason(&difference);
        Ok(ConfigView { reason, desired, former, effective, difference })
    }
}

fn version(agent: &Agent, assignment: &Assignment) -> Version {
    Version {
        hash: assignment.config.hash.to_string(),
        push: assignment.push.0.clone(),
        since: assignment.since,
        files: agent.without_secrets(&assignment.config.files),
    }
}

fn reason(difference: &ConfigDifference) -> String {
    let said = &difference.view.config.reason;
    if difference.view.agent.desired().is_none() || difference.in_sync() {
        return said.clone();
    }
    let why = if !difference.compared {
        "it does not report what it runs, so there is nothing to compare"
    } else if difference.files.iter().all(|(_, change)| *change == Change::Same) {
        "its files differ from the assigned ones in nothing but spaces at the ends of lines and the ends themselves"
    } else {
        return said.clone();
    };
    if said.is_empty() { why.to_owned() } else { format!("{said}; {why}") }
}

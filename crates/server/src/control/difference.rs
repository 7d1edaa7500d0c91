//! How what an agent runs differs from what it should run.

use tidegate_fleet::agent::axes::ConfigState;
use tidegate_fleet::difference::{self, Change};
use tidegate_fleet::{Action, Actor, authorize};
use tidegate_opamp::InstanceUid;

use super::agents::{AgentView, not_found};
use super::{Control, ControlError};
use crate::state::Entry;

/// What an agent should run beside what it runs.
#[derive(Debug)]
pub(crate) struct ConfigDifference {
    /// The agent.
    pub(crate) view: AgentView,
    /// Each file by name; empty where there is nothing to compare, which the config axis explains.
    pub(crate) files: Vec<(String, Change)>,
    /// Whether there was anything to compare: a config is assigned, and the agent reports what it runs.
    pub(crate) compared: bool,
}

impl ConfigDifference {
    /// True where the server knows that the agent runs what it should.
    pub(crate) fn in_sync(&self) -> bool {
        self.view.config.value == ConfigState::InSync
    }
}

impl Control {
    /// How the files that an agent runs differ from those that it should run; secrets are marks on both sides.
    pub(crate) fn difference(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
    ) -> Result<ConfigDifference, ControlError> {
        authorize(actor, Action::Read)?;
        let look =
            |entry: &Entry| actor.scope.covers(&entry.agent).then(|| AgentView::of(&self.core, &entry.agent));
        let view = self.core.registry.look(uid, look).flatten().ok_or_else(|| not_found(uid))?;
        let effective =
            view.agent.reported().effective_config.as_ref().and_then(|fact| fact.get().config_map);
        let files = view
            .agent
            .desired()
            .zip(effective)
            .map(|(desired, effective)| difference::difference(&desired.config, &effective));
        let compared = files.is_some();
        Ok(ConfigDifference { view, files: files.unwrap_or_default(), compared })
    }
}

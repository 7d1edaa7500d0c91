//! Offers that are taken up again: those whose apply an earlier supervisor did not finish (hard-cases.md, 16).

use tidegate_opamp::{AgentConfigMap, AgentConfigObject, AgentRemoteConfig, RemoteConfigStatuses};

use super::Task;
use crate::{
    apply,
    hex::unhex,
    kind::ComponentState,
    state::{Entry, StateDir},
};

/// How often an apply may be begun without an end before the offer is given up.
const TRIES: u32 = 2;

impl Task {
    /// The offer whose apply an earlier supervisor did not finish: it is applied anew.
    pub(super) fn interrupted(&mut self) -> Option<AgentRemoteConfig> {
        let entry = self.journal.candidate.clone().filter(|_| self.settings.allow_remote_config)?;
        if self.journal.begun >= TRIES {
            self.give_up(&entry, "the supervisor did not survive applying it twice");
            return None;
        }
        match offer_of(&self.machine.state, &entry) {
            Ok(offer) => Some(offer),
            Err(error) => {
                tracing::warn!(error, "an interrupted offer cannot be taken up again");
                self.give_up(
                    &entry,
                    "the supervisor ended while it applied this config, and its files are gone",
                );
                None
            }
        }
    }

    /// Reports an interrupted offer as failed and does not take it up again.
    fn give_up(&mut self, entry: &Entry, why: &'static str) {
        self.journal.drop_candidate();
        self.machine.config_state = ComponentState::failing("failed", why);
        let hash = unhex(&entry.hash).unwrap_or_default();
        self.say(&hash, RemoteConfigStatuses::Failed, why);
        self.machine.publish_health();
    }

    /// An apply that is broken off by an order is not one that the supervisor did not survive.
    pub(super) fn ends_in_order(&mut self) {
        if self.journal.begun == 0 {
            return;
        }
        self.journal.begun = 0;
        if let Err(error) = self.machine.state.save_journal(&self.journal) {
            tracing::warn!(%error, "the end of an unfinished apply could not be written down");
        }
    }
}

/// A stored offer as the server made it.
pub(super) fn offer_of(state: &StateDir, entry: &Entry) -> Result<AgentRemoteConfig, String> {
    let offered = apply::load(state, &entry.content)?;
    let object = |file: apply::OfferedFile| {
        let object = AgentConfigObject {
            body: file.body,
            content_type: file.content_type,
            role: file.role,
            ..AgentConfigObject::default()
        };
        (file.name, object)
    };
    Ok(AgentRemoteConfig {
        config: Some(AgentConfigMap {
            config_map: offered.files.into_iter().map(object).collect(),
            ..AgentConfigMap::default()
        }),
        config_hash: unhex(&entry.hash).unwrap_or_default().into(),
        ..AgentRemoteConfig::default()
    })
}

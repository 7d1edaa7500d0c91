//! Secrets of a push that stand there as the marks which operators are shown: put back where they are known.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::{Actor, Agent};
use tidegate_fluent::redact::Restorer;
use tidegate_opamp::{AgentConfigMap, ConfigHash, InstanceUid};

use super::push_files::PushedFile;
use super::{Control, ControlError};
use crate::state::Entry;

/// Most configs that are searched for secrets: enough for any fleet whose configs are not all different.
const MAX_CONFIGS: usize = 10_000;

/// Most agents of the push whose own reports are searched.
const MAX_REPORTS: usize = 100;

type Given = (Arc<Assignment>, Option<Arc<Assignment>>);

impl Control {
    /// Puts secrets in the places of their marks: those of configs that agents whom the actor may see were given, or that
    /// agents of this push report. So what was read here can be changed and pushed without anybody having seen them.
    pub(super) async fn restore_secrets(
        &self,
        actor: &Actor,
        targets: &[InstanceUid],
        pushed: &[PushedFile],
        mut map: AgentConfigMap,
    ) -> Result<AgentConfigMap, ControlError> {
        let mut restorer = Restorer::default();
        for file in pushed {
            restorer.want(&file.body);
        }
        if restorer.is_empty() {
            return Ok(map);
        }
        let given = self.given(actor);
        let agent = |entry: &Entry| actor.scope.covers(&entry.agent).then(|| entry.agent.clone());
        let reporting: Vec<Agent> = targets
            .iter()
            .take(MAX_REPORTS)
            .filter_map(|uid| self.core.registry.look(uid, agent).flatten())
            .collect();
        // Reading many configs takes a while.
        let searched = tokio::task::spawn_blocking(move || search(restorer, &given, &reporting));
        let restorer = searched
            .await
            .map_err(|error| ControlError::Conflict(format!("the search for secrets broke off: {error}")))?;
        for (index, file) in pushed.iter().enumerate() {
            let body = restorer.restore(&file.body).map_err(|line| unknown(index, file, line))?;
            if let Some(object) = map.config_map.get_mut(&file.name) {
                object.body = body.into_bytes().into();
            }
        }
        Ok(map)
    }

    /// What agents that the actor may see were given, each pair of configs once.
    fn given(&self, actor: &Actor) -> Vec<Given> {
        let mut given: BTreeMap<(ConfigHash, Option<ConfigHash>), Given> = BTreeMap::new();
        self.core.registry.for_each(|entry| {
            let Some(desired) = entry.agent.desired().filter(|_| actor.scope.covers(&entry.agent)) else {
                return;
            };
            let former = desired.former();
            let key = (desired.config.hash, former.map(|former| former.config.hash));
            if given.len() < MAX_CONFIGS || given.contains_key(&key) {
                given.entry(key).or_insert_with(|| pair(desired));
            }
        });
        given.into_values().collect()
    }
}

fn pair(desired: &Desired) -> Given {
    (Arc::clone(desired.assignment()), desired.former().cloned())
}

fn search(mut restorer: Restorer, given: &[Given], reporting: &[Agent]) -> Restorer {
    for (desired, former) in given {
        if restorer.is_done() {
            return restorer;
        }
        // An agent's configs are all shown under the key of the one that it should run.
        let key = desired.config.key();
        let files = [Some(desired), former.as_ref()].into_iter().flatten();
        for file in files.flat_map(|assignment| assignment.config.files.config_map.values()) {
            if let Ok(text) = std::str::from_utf8(&file.body) {
                restorer.learn(text, &key);
            }
        }
    }
    for agent in reporting {
        if restorer.is_done() {
            return restorer;
        }
        agent.tell_secrets(&mut restorer);
    }
    restorer
}

fn unknown(index: usize, file: &PushedFile, line: usize) -> ControlError {
    let message = format!(
        "line {line} of {} has the mark of a secret that this server does not know; write the secret itself, or \
         ${{NAME}} for a variable of the host",
        file.name
    );
    ControlError::invalid(format!("/files/{index}/body"), message)
}

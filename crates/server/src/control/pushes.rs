//! Pushing a config to the agents that match a query.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_fleet::agent::axes::{ConfigState, Proof};
use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::{Action, Actor, AuditEntry, Config, Event, EventKind, Push, PushId, authorize};
use tidegate_opamp::{AgentCapabilities, AgentConfigMap, AgentConfigObject, InstanceUid};
use tidegate_store::{Transaction, Write};

use super::agents::AgentView;
use super::{Control, ControlError, Record};
use crate::state::Entry;

/// Files of one push.
const MAX_FILES: usize = 64;

/// Bytes of one push, all files together.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Agents that are assigned a config without a pause.
const BREATHER: usize = 500;

/// Pushes that are kept in memory.
const KEPT: usize = 100;

/// A file to push.
#[derive(Clone, Debug)]
pub(crate) struct PushedFile {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) role: String,
    pub(crate) body: String,
}

/// What to push to whom.
#[derive(Clone, Debug)]
pub(crate) struct PushOrder {
    pub(crate) query: String,
    pub(crate) files: Vec<PushedFile>,
    pub(crate) expected_count: Option<u64>,
}

/// How far one agent has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PushState {
    Pending,
    Applying,
    Proven,
    Unproven,
    Failed,
    Superseded,
    Refused,
}

/// A push with each agent's state, its reason, and the agent itself.
#[derive(Debug)]
pub(crate) struct PushView {
    pub(crate) push: Push,
    pub(crate) agents: Vec<(PushState, String, AgentView)>,
}

impl Control {
    /// What a push would be now, and how far each agent would be; nothing is pushed.
    pub(crate) async fn plan_push(&self, actor: &Actor, order: PushOrder) -> Result<PushView, ControlError> {
        let (push, assignment) = self.plan(actor, order).await?;
        Ok(self.push_view(actor, push, Some(&assignment)))
    }

    async fn plan(&self, actor: &Actor, order: PushOrder) -> Result<(Push, Arc<Assignment>), ControlError> {
        authorize(actor, Action::PushConfig)?;
        if order.query.trim().is_empty() {
            return Err(ControlError::invalid("/q", "name the agents; name:* says all of them"));
        }
        let now = self.core.now();
        let config = Config::new(files(&order.files)?, now);
        let uids = self.select(actor, Action::PushConfig, &order.query).await?;
        if uids.is_empty() {
            return Err(ControlError::NoAgentMatches(order.query));
        }
        if let Some(expected) = order.expected_count.filter(|expected| *expected != uids.len() as u64) {
            let message =
                format!("the query matches {} agents, {expected} were expected; look again", uids.len());
            return Err(ControlError::Conflict(message));
        }
        let (targets, refused): (Vec<_>, Vec<_>) = uids.into_iter().partition(|uid| self.takes_config(uid));
        let refusal = |uid| {
            (uid, "this agent does not accept remote config; allow `remote-config` in its supervisor".into())
        };
        let push = Push {
            id: PushId(self.core.new_id()),
            config: config.hash,
            query: order.query,
            actor: actor.name.clone(),
            at: now,
            targets,
            refused: refused.into_iter().map(refusal).collect(),
        };
        let assignment = Arc::new(Assignment { config, push: push.id.clone(), since: now });
        Ok((push, assignment))
    }

    /// Pushes a config: it is stored when this returns, and on its way to every agent that is connected.
    pub(crate) async fn push(
        &self,
        actor: &Actor,
        order: PushOrder,
        record: Record<PushView>,
    ) -> Result<PushView, ControlError> {
        let (push, assignment) = self.plan(actor, order).await?;
        let (config, now) = (&assignment.config, push.at);
        let assign = |uid: &InstanceUid| Write::Assign {
            agent: *uid,
            config: config.hash,
            push: push.id.clone(),
            since: now,
        };
        let mut writes = vec![Write::Config(config.clone()), Write::Push(push.clone())];
        writes.extend(push.targets.iter().map(assign));
        let detail = format!("config {} to {} agents", config.hash, push.targets.len());
        let audit = AuditEntry::new(now, actor, Action::PushConfig, push.query.clone(), detail);
        let (control, actor) = (self.clone(), actor.clone());
        Self::to_the_end(async move {
            let _pushing = control.core.pushing.lock().await;
            writes.extend(control.unstored(&push.targets));
            let view = control.push_view(&actor, push.clone(), Some(&assignment));
            writes.extend(record(&view));
            control.core.store.commit(Transaction::intent(audit, writes)).await?;
            control.assign(&push, &assignment).await;
            control.remember(push);
            Ok(view)
        })
        .await
    }

    /// A push as it is now.
    pub(crate) fn push_state(&self, actor: &Actor, id: &str) -> Result<PushView, ControlError> {
        authorize(actor, Action::Read)?;
        let push = self.core.pushes.lock().get(&PushId(id.to_owned())).cloned();
        let push = push.ok_or_else(|| ControlError::NotFound { kind: "push", id: id.to_owned() })?;
        Ok(self.push_view(actor, push, None))
    }

    /// The pushes that are kept, newest first.
    pub(crate) fn pushes(&self, actor: &Actor) -> Result<Vec<Push>, ControlError> {
        authorize(actor, Action::Read)?;
        Ok(self.core.pushes.lock().values().rev().cloned().collect())
    }

    fn takes_config(&self, uid: &InstanceUid) -> bool {
        let takes =
            |capabilities: AgentCapabilities| capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG);
        self.core.registry.look(uid, |entry| takes(entry.agent.capabilities)).unwrap_or(false)
    }

    /// Makes the stored assignment true in memory and wakes the connections.
    async fn assign(&self, push: &Push, assignment: &Arc<Assignment>) {
        let text = format!("config {:.12} pushed by {}", push.config.to_string(), push.actor);
        for (index, uid) in push.targets.iter().enumerate() {
            if index % BREATHER == BREATHER - 1 {
                // Followers of the fleet must get their turn before the log has gone past them.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.core.registry.with(uid, |entry| {
                entry.stored = true;
                entry.agent.assign(Some(Desired::new(Arc::clone(assignment))));
            });
            self.core.nudge(uid);
            self.core.changed(*uid);
            let event = Event { at: push.at, kind: EventKind::Config, agent: *uid, text: text.clone() };
            self.core.stream.publish(vec![event]);
        }
    }

    fn remember(&self, push: Push) {
        let mut pushes = self.core.pushes.lock();
        pushes.insert(push.id.clone(), push);
        // Ids rise with time: the first is the oldest.
        while pushes.len() > KEPT {
            pushes.pop_first();
        }
    }

    /// How far each agent has come; or how far it will be once it has this assignment.
    fn push_view(&self, actor: &Actor, push: Push, assignment: Option<&Arc<Assignment>>) -> PushView {
        let view = |entry: &Entry| {
            let Some(assignment) = assignment else { return AgentView::of(&self.core, &entry.agent) };
            let mut agent = entry.agent.clone();
            agent.assign(Some(Desired::new(Arc::clone(assignment))));
            AgentView::of(&self.core, &agent)
        };
        let target = |uid: &InstanceUid| {
            let look = |entry: &Entry| actor.scope.covers(&entry.agent).then(|| view(entry));
            let view = self.core.registry.look(uid, look).flatten()?;
            let (state, reason) = state(&push.id, &view);
            Some((state, reason, view))
        };
        let refused = |(uid, reason): &(InstanceUid, String)| {
            Some((PushState::Refused, reason.clone(), self.view(actor, uid)?))
        };
        let agents =
            push.targets.iter().filter_map(target).chain(push.refused.iter().filter_map(refused)).collect();
        PushView { push, agents }
    }
}

fn state(push: &PushId, view: &AgentView) -> (PushState, String) {
    if view.agent.desired().is_none_or(|desired| desired.push != *push) {
        return (PushState::Superseded, "it has been given another config since".into());
    }
    let state = match (view.config.value, view.proof) {
        (ConfigState::Pending, _) => PushState::Pending,
        (ConfigState::Applying, _) => PushState::Applying,
        (ConfigState::InSync, Some(Proof::Proven)) => PushState::Proven,
        (ConfigState::InSync | ConfigState::Unverifiable, _) => PushState::Unproven,
        (ConfigState::Failed | ConfigState::Drifted, _) => PushState::Failed,
        (ConfigState::Unmanaged, _) => PushState::Refused,
    };
    (state, view.config.reason.clone())
}

/// Checks the files and makes the map that is offered.
fn files(files: &[PushedFile]) -> Result<AgentConfigMap, ControlError> {
    if files.is_empty() || files.len() > MAX_FILES {
        return Err(ControlError::invalid("/files", format!("give 1 to {MAX_FILES} files")));
    }
    let bytes: usize = files.iter().map(|file| file.body.len()).sum();
    if bytes > MAX_BYTES {
        return Err(ControlError::invalid(
            "/files",
            format!("the files have {bytes} bytes, at most {MAX_BYTES} are taken"),
        ));
    }
    let mut map = AgentConfigMap::default();
    for (index, file) in files.iter().enumerate() {
        check_name(&file.name)
            .map_err(|message| ControlError::invalid(format!("/files/{index}/name"), message))?;
        if file.body.trim().is_empty() {
            let message = format!("{} is empty: an agent would run nothing", file.name);
            return Err(ControlError::invalid(format!("/files/{index}/body"), message));
        }
        let content_type = if file.content_type.is_empty() {
            guess_type(&file.name).to_owned()
        } else {
            file.content_type.clone()
        };
        let object = AgentConfigObject {
            body: Bytes::copy_from_slice(file.body.as_bytes()),
            content_type,
            role: file.role.clone(),
            ..AgentConfigObject::default()
        };
        if map.config_map.insert(file.name.clone(), object).is_some() {
            let message = format!("two files are named {:?}", file.name);
            return Err(ControlError::invalid(format!("/files/{index}/name"), message));
        }
    }
    Ok(map)
}

/// Names become file names on hosts: no way out of a folder, nothing that a shell or a terminal would act on.
fn check_name(name: &str) -> Result<(), String> {
    let parts_are_plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
    if name.len() > 255
        || !parts_are_plain
        || name.contains(['\\', ':'])
        || name.chars().any(char::is_control)
    {
        return Err(format!("{name:?} is no plain relative file name of at most 255 bytes"));
    }
    Ok(())
}

fn guess_type(name: &str) -> &'static str {
    let yaml = [".yaml", ".yml"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
    if yaml { "text/yaml" } else { "text/plain" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_names_when_checked_then_only_plain_ones_pass() {
        for name in ["fluent-bit.yaml", "parsers/a.conf", "ünicode.conf"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in
            ["", "/etc/passwd", "../x", "a/../b", "a//b", "a\\b", "C:x", "a\nb", "a\u{1b}b", &"x".repeat(256)]
        {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }
}

//! Pushing a config to the agents that match a query.

use std::sync::Arc;
use std::time::Duration;

use tidegate_fleet::agent::axes::{ConfigState, Proof};
use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::plan::agents;
use tidegate_fleet::{Action, Actor, AuditEntry, Config, Event, EventKind, Origin, Push, PushId, authorize};
use tidegate_opamp::{AgentCapabilities, ConfigHash, InstanceUid};
use tidegate_store::{Transaction, Write};

use super::agents::AgentView;
use super::push_files::{PushedFile, files};
use super::{Control, ControlError, PushWarning, Record};
use crate::state::Entry;

/// Agents that are assigned a config without a pause.
const BREATHER: usize = 500;

/// Pushes that are kept in memory.
const KEPT: usize = 100;

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

/// Pushes that are ready to be stored, and what comes of them.
pub(super) struct Prepared<T> {
    pub(super) pushes: Vec<(Push, Arc<Assignment>)>,
    pub(super) audit: AuditEntry,
    pub(super) answer: T,
}

/// A push with each agent's state, its reason, and the agent itself.
#[derive(Debug)]
pub(crate) struct PushView {
    pub(crate) push: Push,
    pub(crate) agents: Vec<(PushState, String, AgentView)>,
    /// What the builds of its agents will not understand, as it was found when it was made.
    pub(crate) warnings: Vec<PushWarning>,
}

impl Control {
    /// What a push would be now, and how far each agent would be; nothing is pushed.
    pub(crate) async fn plan_push(&self, actor: &Actor, order: PushOrder) -> Result<PushView, ControlError> {
        let (push, assignment) = self.plan(actor, order).await?;
        let warnings = self.check_against_schemas(&push.targets, &assignment.config).await;
        Ok(PushView { warnings, ..self.push_view(actor, push, Some(&assignment)) })
    }

    async fn plan(&self, actor: &Actor, order: PushOrder) -> Result<(Push, Arc<Assignment>), ControlError> {
        authorize(actor, Action::PushConfig)?;
        if order.query.trim().is_empty() {
            return Err(ControlError::invalid("/q", "name the agents; name:* says all of them"));
        }
        let now = self.core.now();
        let map = files(&order.files)?;
        let uids = self.select(actor, Action::PushConfig, &order.query).await?;
        if uids.is_empty() {
            return Err(ControlError::NoAgentMatches(order.query));
        }
        if let Some(expected) = order.expected_count.filter(|expected| *expected != uids.len() as u64) {
            let message =
                format!("the query matches {}, {expected} were expected; look again", agents(uids.len()));
            return Err(ControlError::Conflict(message));
        }
        let map = self.restore_secrets(actor, &uids, &order.files, map).await?;
        let config = Config::new(map, now);
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
            origin: Origin::Config,
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
        let warnings = self.check_against_schemas(&push.targets, &assignment.config).await;
        let detail = format!("config {} to {}", push.config, agents(push.targets.len()));
        let audit = AuditEntry::new(push.at, actor, Action::PushConfig, push.query.clone(), detail);
        let actor = actor.clone();
        let prepare = move |control: &Self| {
            let answer = PushView { warnings, ..control.push_view(&actor, push.clone(), Some(&assignment)) };
            Ok(Prepared { pushes: vec![(push, assignment)], audit, answer })
        };
        self.carry_out(prepare, record).await
    }

    /// Stores pushes, their audit entry and what is to be kept with them in one transaction, and sends them on their way.
    /// No other push is made from `prepare` on.
    pub(super) async fn carry_out<T: Send + 'static>(
        &self,
        prepare: impl FnOnce(&Self) -> Result<Prepared<T>, ControlError> + Send + 'static,
        record: Record<T>,
    ) -> Result<T, ControlError> {
        let control = self.clone();
        Self::to_the_end(async move {
            let _pushing = control.core.pushing.lock().await;
            let Prepared { pushes, audit, answer } = prepare(&control)?;
            let mut writes = Vec::new();
            let mut formers = Vec::with_capacity(pushes.len());
            for (push, assignment) in &pushes {
                let (config, since) = (assignment.config.hash, assignment.since);
                writes.push(Write::Config(assignment.config.clone()));
                writes.push(Write::Push(push.clone()));
                let mut of_push = Vec::with_capacity(push.targets.len());
                for agent in &push.targets {
                    writes.push(Write::Assign { agent: *agent, config, push: push.id.clone(), since });
                    let (former, is_new) = control.former(agent, &config);
                    if is_new {
                        writes.push(Write::Former { agent: *agent, former: former.clone() });
                    }
                    of_push.push(former);
                }
                writes.extend(control.unstored(&push.targets));
                formers.push(of_push);
            }
            writes.extend(record(&answer));
            control.core.store.commit(Transaction::intent(audit, writes)).await?;
            for ((push, assignment), formers) in pushes.into_iter().zip(formers) {
                control.assign(&push, &assignment, formers).await;
                control.remember(push);
            }
            Ok(answer)
        })
        .await
    }

    /// What an agent goes back to from a config that it is to be given, and whether that is another than before.
    fn former(&self, uid: &InstanceUid, next: &ConfigHash) -> (Option<Arc<Assignment>>, bool) {
        let look = |entry: &Entry| {
            let former = entry.agent.former_for(next);
            let is_new = entry.agent.desired().and_then(Desired::former) != former.as_ref();
            (former, is_new)
        };
        self.core.registry.look(uid, look).unwrap_or_default()
    }

    /// A push as it is now.
    pub(crate) fn push_state(&self, actor: &Actor, id: &str) -> Result<PushView, ControlError> {
        Ok(self.push_view(actor, self.known_push(actor, id)?, None))
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
    async fn assign(&self, push: &Push, assignment: &Arc<Assignment>, formers: Vec<Option<Arc<Assignment>>>) {
        let act = match push.origin {
            Origin::Config => "pushed",
            Origin::Retry(_) => "pushed again",
            Origin::RollBack(_) => "brought back",
        };
        let text = format!("config {:.12} {act} by {}", push.config.to_string(), push.actor);
        for (index, (uid, former)) in push.targets.iter().zip(formers).enumerate() {
            if index % BREATHER == BREATHER - 1 {
                // Followers of the fleet must get their turn before the log has gone past them.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            self.core.registry.with(uid, |entry| {
                entry.stored = true;
                entry.agent.assign(Some(Desired::new(Arc::clone(assignment)).with_former(former)));
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

    /// A push that the actor may look at.
    pub(super) fn known_push(&self, actor: &Actor, id: &str) -> Result<Push, ControlError> {
        authorize(actor, Action::Read)?;
        let push = self.core.pushes.lock().get(&PushId(id.to_owned())).cloned();
        push.ok_or_else(|| ControlError::NotFound { kind: "push", id: id.to_owned() })
    }

    /// How far each agent has come; or how far it will be once it has this assignment.
    pub(super) fn push_view(
        &self,
        actor: &Actor,
        push: Push,
        assignment: Option<&Arc<Assignment>>,
    ) -> PushView {
        let view = |entry: &Entry| {
            let Some(assignment) = assignment else { return AgentView::of(&self.core, &entry.agent) };
            let mut agent = entry.agent.clone();
            agent.assign(Some(Desired::new(Arc::clone(assignment))));
            AgentView::of(&self.core, &agent)
        };
        let target = |uid: &InstanceUid| {
            let look = |entry: &Entry| actor.scope.covers(&entry.agent).then(|| view(entry));
            let view = self.core.registry.look(uid, look).flatten()?;
            let (state, reason) = state_of(&push.id, &view);
            Some((state, reason, view))
        };
        let refused = |(uid, reason): &(InstanceUid, String)| {
            Some((PushState::Refused, reason.clone(), self.view(actor, uid)?))
        };
        let agents =
            push.targets.iter().filter_map(target).chain(push.refused.iter().filter_map(refused)).collect();
        PushView { push, agents, warnings: Vec::new() }
    }
}

/// How far an agent has come with a push that gave it a config.
pub(super) fn state_of(push: &PushId, view: &AgentView) -> (PushState, String) {
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

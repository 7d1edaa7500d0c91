//! What follows from a push that did not go well: those that failed try it again, or agents go back to what they ran
//! before it.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_fleet::agent::{Assignment, Desired};
use tidegate_fleet::plan::agents;
use tidegate_fleet::{Action, Actor, AuditEntry, Origin, Push, PushId, authorize};
use tidegate_opamp::{ConfigHash, InstanceUid};

use super::pushes::{Prepared, PushState, PushView};
use super::{Control, ControlError, Record};

/// Most configs that the agents of one push go back to: each is a push of its own, and the newest 100 are kept.
const MAX_WAYS_BACK: usize = 50;

/// Who goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Returning {
    /// Those that failed.
    Failed,
    /// All that the push gave its config to.
    All,
}

/// Whom to bring back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollBackOrder {
    pub(crate) agents: Returning,
    /// How many agents are expected to go back.
    pub(crate) expected_count: Option<u64>,
}

/// What becomes of one agent of a push that is rolled back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It goes back, by this new push, to this config.
    Back(PushId, ConfigHash),
    /// No config is known that it ran before.
    Nowhere,
    /// It has been given another config since, which stays.
    Superseded,
}

/// A roll back.
#[derive(Clone, Debug)]
pub(crate) struct RollBackView {
    /// The push whose agents go back.
    pub(crate) of: PushId,
    /// The new pushes, one for each config that agents go back to.
    pub(crate) pushes: Vec<Push>,
    /// The agents that go back, or would if they could.
    pub(crate) agents: Vec<(InstanceUid, String, Way)>,
    /// How many have not failed and stay as they are.
    pub(crate) left: u64,
}

impl Control {
    /// Gives the files of a push to those of its agents that failed, once more. They get them under another hash, since
    /// an agent may remember that it refused them under this one.
    pub(crate) async fn retry_push(
        &self,
        actor: &Actor,
        id: &str,
        expected: Option<u64>,
        dry_run: bool,
        record: Record<PushView>,
    ) -> Result<PushView, ControlError> {
        let (by, id) = (actor.clone(), id.to_owned());
        let prepare = move |control: &Self| control.prepare_retry(&by, &id, expected);
        if dry_run { Ok(prepare(self)?.answer) } else { self.carry_out(prepare, record).await }
    }

    fn prepare_retry(
        &self,
        actor: &Actor,
        id: &str,
        expected: Option<u64>,
    ) -> Result<Prepared<PushView>, ControlError> {
        authorize(actor, Action::PushConfig)?;
        let view = self.push_state(actor, id)?;
        let failed = view.agents.iter().filter(|(state, ..)| *state == PushState::Failed);
        let failed: Vec<_> = failed.map(|(.., agent)| &agent.agent).collect();
        let desired = failed.first().and_then(|agent| agent.desired());
        let Some(desired) = desired else {
            let message = "no agent of this push has failed, so there is nothing to try again".to_owned();
            return Err(ControlError::Conflict(message));
        };
        check_count(failed.len(), expected, "have failed")?;
        let (now, new) = (self.core.now(), PushId(self.core.new_id()));
        let config = desired.config.again(&new.0, now);
        let push = Push {
            id: new,
            config: config.hash,
            query: view.push.query.clone(),
            actor: actor.name.clone(),
            at: now,
            targets: failed.iter().map(|agent| agent.uid).collect(),
            refused: Vec::new(),
            origin: Origin::Retry(view.push.id.clone()),
        };
        let assignment = Arc::new(Assignment { config, push: push.id.clone(), since: now });
        let detail = format!("push {id} again, where it failed: {}", agents(push.targets.len()));
        let audit = AuditEntry::new(now, actor, Action::PushConfig, push.query.clone(), detail);
        let answer = self.push_view(actor, push.clone(), Some(&assignment));
        Ok(Prepared { pushes: vec![(push, assignment)], audit, answer })
    }

    /// Gives each agent of a push the config that it applied before.
    pub(crate) async fn roll_back(
        &self,
        actor: &Actor,
        id: &str,
        order: RollBackOrder,
        dry_run: bool,
        record: Record<RollBackView>,
    ) -> Result<RollBackView, ControlError> {
        let (by, id) = (actor.clone(), id.to_owned());
        let prepare = move |control: &Self| control.prepare_roll_back(&by, &id, order);
        if dry_run { Ok(prepare(self)?.answer) } else { self.carry_out(prepare, record).await }
    }

    fn prepare_roll_back(
        &self,
        actor: &Actor,
        id: &str,
        order: RollBackOrder,
    ) -> Result<Prepared<RollBackView>, ControlError> {
        authorize(actor, Action::PushConfig)?;
        let view = self.push_state(actor, id)?;
        let (now, of) = (self.core.now(), view.push.id.clone());
        let mut pushes: BTreeMap<[u8; 32], (Push, Arc<Assignment>)> = BTreeMap::new();
        let mut answer = RollBackView { of, pushes: Vec::new(), agents: Vec::new(), left: 0 };
        for (state, _, known) in &view.agents {
            let agent = &known.agent;
            let way = match state {
                PushState::Refused => continue,
                PushState::Superseded => Way::Superseded,
                state if order.agents == Returning::Failed && *state != PushState::Failed => {
                    answer.left += 1;
                    continue;
                }
                _ => match agent.desired().and_then(Desired::former) {
                    None => Way::Nowhere,
                    Some(former) => {
                        let (push, _) = pushes.entry(former.config.hash.0).or_insert_with(|| {
                            let push = self.way_back(&view.push, former, actor, now);
                            let assignment = Assignment {
                                config: former.config.clone(),
                                push: push.id.clone(),
                                since: now,
                            };
                            (push, Arc::new(assignment))
                        });
                        push.targets.push(agent.uid);
                        Way::Back(push.id.clone(), push.config)
                    }
                },
            };
            answer.agents.push((agent.uid, agent.name(), way));
        }
        let back: usize = pushes.values().map(|(push, _)| push.targets.len()).sum();
        if back == 0 {
            let message = "no agent goes back: those that would have no config that they ran before this push, or \
                           have been given another since";
            return Err(ControlError::Conflict(message.into()));
        }
        if pushes.len() > MAX_WAYS_BACK {
            let message = format!(
                "the agents go back to {} configs, at most {MAX_WAYS_BACK} are taken; push those that you want",
                pushes.len()
            );
            return Err(ControlError::Conflict(message));
        }
        check_count(back, order.expected_count, "would go back")?;
        let detail = format!("{} of push {id} back to what they ran before", agents(back));
        let audit = AuditEntry::new(now, actor, Action::PushConfig, view.push.query.clone(), detail);
        let pushes: Vec<_> = pushes.into_values().collect();
        answer.pushes = pushes.iter().map(|(push, _)| push.clone()).collect();
        Ok(Prepared { pushes, audit, answer })
    }

    /// A push of one config that agents of another push go back to; without agents yet.
    fn way_back(
        &self,
        of: &Push,
        former: &Assignment,
        actor: &Actor,
        now: tidegate_fleet::Timestamp,
    ) -> Push {
        Push {
            id: PushId(self.core.new_id()),
            config: former.config.hash,
            query: of.query.clone(),
            actor: actor.name.clone(),
            at: now,
            targets: Vec::new(),
            refused: Vec::new(),
            origin: Origin::RollBack(of.id.clone()),
        }
    }
}

fn check_count(count: usize, expected: Option<u64>, what: &str) -> Result<(), ControlError> {
    match expected.filter(|expected| *expected != count as u64) {
        Some(expected) => {
            let message = format!("{} {what}, {expected} were expected; look again", agents(count));
            Err(ControlError::Conflict(message))
        }
        None => Ok(()),
    }
}

//! Commands in two steps: what would be done is shown and kept with its hash, and carried out as it was shown or not at
//! all. Plans do not outlive the server's run.

use std::collections::{BTreeSet, VecDeque};

use parking_lot::Mutex;
use tidegate_custom::Direction;
use tidegate_fleet::plan::{self, Plan, Planned, Refusal};
use tidegate_fleet::{Action, Actor, AuditEntry, Command, Timestamp, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::{StoreError, Transaction};

use super::able::{Able, MAX_NAMED};
use super::commands::CommandOrder;
use super::operations::{MAX_COMMANDED, TargetedOrder};
use super::{Control, ControlError, Operation, Record};

/// Plans that can be carried out at one time; the oldest that can not makes room.
const MAX_PLANS: usize = 100;

/// Why a plan can be neither carried out nor discarded any more.
pub(super) const UNDER_WAY: &str = "the plan is being carried out, or was already";

/// Shortest and longest reason, in characters.
const REASON: std::ops::RangeInclusive<usize> = 8..=280;

/// What to plan.
#[derive(Clone, Debug)]
pub(crate) struct PlanOrder {
    pub(crate) query: String,
    pub(crate) command: Planned,
}

/// A plan, and whom it would not reach.
#[derive(Clone, Debug)]
pub(crate) struct PlanView {
    pub(crate) plan: Plan,
    /// Some of its targets by name.
    pub(crate) sample: Vec<(InstanceUid, String)>,
    /// Agents that match and cannot do it, with the reason; the first of them.
    pub(crate) refused: Vec<(InstanceUid, String, String)>,
    /// How many cannot.
    pub(crate) refused_count: usize,
}

/// Where a plan stands.
#[derive(Clone, Debug)]
pub(crate) enum Standing {
    /// It can be carried out as it was shown, once it is confirmed.
    Ready(Box<Plan>),
    /// It was carried out, as this operation.
    Done(String),
}

/// What a person confirms a plan with.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    /// The hash of what they were shown.
    pub(crate) hash: String,
    pub(crate) typed: String,
    /// Why; what was said when a person was needed, when left out.
    pub(crate) reason: Option<String>,
}

/// The plans of this run.
#[derive(Debug, Default)]
pub(crate) struct Plans(Mutex<VecDeque<Kept>>);

#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) plan: Plan,
    pub(super) stage: Stage,
    /// The program that it was asked for through.
    pub(super) client: String,
    /// Why it is to be carried out, as was said when a person was needed for it.
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Waits,
    UnderWay,
    Done(String),
}

impl Plans {
    fn keep(&self, plan: Plan, client: String, now: Timestamp) -> Result<(), ControlError> {
        let mut plans = self.0.lock();
        plans.retain(|kept| now < kept.plan.expires_at());
        if plans.len() >= MAX_PLANS {
            let done = plans.iter().position(|kept| matches!(kept.stage, Stage::Done(_)));
            let Some(done) = done else {
                let message = format!("{MAX_PLANS} plans wait already; let some expire");
                return Err(ControlError::TooMany(message));
            };
            plans.remove(done);
        }
        plans.push_back(Kept { plan, stage: Stage::Waits, client, reason: None });
        Ok(())
    }

    pub(super) fn get(&self, actor: &Actor, id: &str) -> Option<Kept> {
        let plans = self.0.lock();
        plans.iter().find(|kept| kept.plan.id == id && kept.plan.actor == actor.name).cloned()
    }

    /// Moves a plan from one stage to another; false when it was not there.
    fn step(&self, id: &str, from: &Stage, to: Stage) -> bool {
        let mut plans = self.0.lock();
        let kept = plans.iter_mut().find(|kept| kept.plan.id == id && kept.stage == *from);
        kept.map(|kept| kept.stage = to).is_some()
    }

    fn explain(&self, id: &str, reason: &str) {
        if let Some(kept) = self.0.lock().iter_mut().find(|kept| kept.plan.id == id) {
            kept.reason = Some(reason.to_owned());
        }
    }

    /// Takes a plan out that is neither under way nor done; false when there is none.
    pub(super) fn discard(&self, id: &str) -> bool {
        let mut plans = self.0.lock();
        let waiting = plans.iter().position(|kept| kept.plan.id == id && kept.stage == Stage::Waits);
        waiting.and_then(|at| plans.remove(at)).is_some()
    }
}

impl Control {
    /// Plans a command for the agents that match: nothing is sent, and the plan waits for 15 minutes.
    pub(crate) async fn plan_commands(
        &self,
        actor: &Actor,
        order: PlanOrder,
    ) -> Result<PlanView, ControlError> {
        authorize(actor, Action::Plan)?;
        let command = command_order(&order.command)?;
        authorize(actor, command.action())?;
        if order.query.trim().is_empty() {
            return Err(ControlError::invalid("/q", "name the agents; name:* says all of them"));
        }
        let now = self.core.now();
        let id = self.plan_id()?;
        let mut view = PlanView {
            plan: Plan {
                id,
                actor: actor.name.clone(),
                query: order.query,
                command: order.command,
                targets: BTreeSet::new(),
                made_at: now,
            },
            sample: Vec::new(),
            refused: Vec::new(),
            refused_count: 0,
        };
        let matching = self.matching_set(actor, &command, &view.plan.query).await?;
        if matching.is_empty() {
            return Err(ControlError::NoAgentMatches(view.plan.query));
        }
        if matching.len() > MAX_COMMANDED {
            let message = format!(
                "the query matches {} agents, at most {MAX_COMMANDED} are commanded at once; narrow it",
                matching.len()
            );
            return Err(ControlError::invalid("/q", message));
        }
        let Able { can, refused, refused_count } = self.sort_out(matching, &command)?;
        (view.refused, view.refused_count) = (refused, refused_count);
        view.sample = self.names(&can, MAX_NAMED);
        view.plan.targets = can;
        if view.plan.targets.is_empty() {
            let why = view.refused.first().map(|(_, _, reason)| reason.clone()).unwrap_or_default();
            let message =
                format!("the query matches {}, and none can do it: {why}", plan::agents(view.refused_count));
            return Err(ControlError::Unsupported(message));
        }
        let detail = format!("{} {} for {}", view.plan.id, command.word(), view.plan.agents());
        let audit = AuditEntry::new(now, actor, Action::Plan, view.plan.query.clone(), detail);
        self.core.store.commit(Transaction::intent(audit, Vec::new())).await?;
        self.plans.keep(view.plan.clone(), actor.client.clone(), now)?;
        Ok(view)
    }

    /// Where a plan stands, for an actor who was shown its hash and says why; the agents that match are looked for anew.
    pub(crate) async fn plan_standing(
        &self,
        actor: &Actor,
        id: &str,
        hash: &str,
        reason: &str,
    ) -> Result<Standing, ControlError> {
        authorize(actor, Action::Plan)?;
        check_reason(reason)?;
        let Kept { plan, stage, .. } = self.plans.get(actor, id).ok_or_else(|| no_plan(id))?;
        if let Stage::Done(operation) = stage {
            let other = plan.hash() != hash;
            return if other { Err(Refusal::OtherHash.into()) } else { Ok(Standing::Done(operation)) };
        }
        let command = command_order(&plan.command)?;
        let found = self.able(actor, &command, &plan.query).await?;
        plan.admit(actor, hash, self.core.now(), &found.can)?;
        Ok(Standing::Ready(Box::new(plan)))
    }

    /// Keeps what was said of a plan for the person who has to look at it elsewhere.
    pub(crate) fn explain_plan(&self, plan: &Plan, reason: &str) {
        self.plans.explain(&plan.id, reason.trim());
    }

    /// Carries a plan out, once, as it was shown, for a person who typed what confirms it. Asked for again it gives the
    /// same operation.
    pub(crate) async fn execute_plan(
        &self,
        actor: &Actor,
        id: &str,
        confirmation: Confirmation,
        dry_run: bool,
        record: Record<Operation>,
    ) -> Result<Operation, ControlError> {
        let said = self.plans.get(actor, id).and_then(|kept| kept.reason);
        let reason = confirmation.reason.or(said).unwrap_or_default();
        let plan = match self.plan_standing(actor, id, &confirmation.hash, &reason).await? {
            Standing::Done(operation) => return self.operation(actor, &operation),
            Standing::Ready(plan) => plan,
        };
        plan.confirm(&confirmation.typed).map_err(|refusal| {
            ControlError::invalid("/confirmation", format!("{refusal}; type {:?}", plan.phrase()))
        })?;
        let order = TargetedOrder {
            query: plan.query.clone(),
            uids: plan.targets.iter().copied().collect(),
            command: command_order(&plan.command)?,
            deadline: Command::DEFAULT_DEADLINE,
            note: format!("; plan {id}; reason: {}", reason.trim()),
        };
        if dry_run {
            return self.command_these(actor, order, true, record).await;
        }
        if !self.plans.step(id, &Stage::Waits, Stage::UnderWay) {
            return Err(ControlError::Conflict(UNDER_WAY.into()));
        }
        let (control, actor, id) = (self.clone(), actor.clone(), id.to_owned());
        Self::to_the_end(async move {
            let done = control.command_these(&actor, order, false, record).await;
            let stage = done.as_ref().map_or(Stage::Waits, |operation| Stage::Done(operation.id.clone()));
            control.plans.step(&id, &Stage::UnderWay, stage);
            done
        })
        .await
    }

    fn plan_id(&self) -> Result<String, ControlError> {
        let mut random = [0; 12];
        let failed = |error: getrandom::Error| StoreError::Write(format!("no randomness for an id: {error}"));
        getrandom::fill(&mut random).map_err(failed)?;
        Ok(plan::Plan::id_of(random))
    }
}

/// The command of a plan: a restart, or a message of the catalogue. Of what is not in it nobody could say what is done.
pub(super) fn command_order(planned: &Planned) -> Result<CommandOrder, ControlError> {
    let Planned::Message { capability, kind, data } = planned else { return Ok(CommandOrder::Restart) };
    let known = tidegate_custom::describe(capability)
        .filter(|known| known.messages.iter().any(|message| message.direction == Direction::ToAgent));
    let Some(known) = known else {
        let orders = |known: &&tidegate_custom::Capability| {
            known.messages.iter().any(|message| message.direction == Direction::ToAgent)
        };
        let names: Vec<_> =
            tidegate_custom::catalogue().iter().filter(orders).map(|known| known.name).collect();
        let message =
            format!("{capability:?} is no capability that can be planned; take one of {}", names.join(", "));
        return Err(ControlError::invalid("/capability", message));
    };
    Ok(CommandOrder::Custom { capability: known.name.to_owned(), kind: kind.clone(), data: data.clone() })
}

/// There is no such plan for who asks.
pub(super) fn no_plan(id: &str) -> ControlError {
    let id = format!("{id}: it was discarded, expired, or made before the server's last start");
    ControlError::NotFound { kind: "plan", id }
}

/// Whether a reason says anything.
fn check_reason(reason: &str) -> Result<(), ControlError> {
    let plain = !reason.chars().any(char::is_control);
    if plain && REASON.contains(&reason.trim().chars().count()) {
        return Ok(());
    }
    let message = format!("say why in {} to {} characters on one line", REASON.start(), REASON.end());
    Err(ControlError::invalid("/reason", message))
}

impl From<Refusal> for ControlError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Foreign => Self::NotFound { kind: "plan", id: String::new() },
            Refusal::Expired | Refusal::Moved { .. } => Self::Stale(format!("{refusal}; plan again")),
            Refusal::OtherHash | Refusal::Unconfirmed => Self::Conflict(refusal.to_string()),
        }
    }
}

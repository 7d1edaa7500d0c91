//! A plan as a person looks at it, who may then confirm or discard it.

use tidegate_fleet::plan::{Plan, Refusal};
use tidegate_fleet::{Action, Actor, AuditEntry, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::Transaction;

use super::able::Able;
use super::plans::{Kept, Stage, UNDER_WAY, command_order, no_plan};
use super::{Control, ControlError, Record};

/// Agents that are told of by name.
const MAX_SHOWN: usize = 100;

/// A plan, and where it stands now.
#[derive(Clone, Debug)]
pub(crate) struct PlanPage {
    pub(crate) plan: Plan,
    /// The program that it was asked for through, as it names itself.
    pub(crate) client: String,
    /// Why it is to be carried out, where somebody said.
    pub(crate) reason: Option<String>,
    pub(crate) state: PlanState,
    /// The first of its agents.
    pub(crate) agents: Vec<(InstanceUid, String)>,
    /// The first of the agents that match and cannot do it, with the reason.
    pub(crate) refused: Vec<(InstanceUid, String, String)>,
    /// How many cannot.
    pub(crate) refused_count: usize,
}

/// Where a plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PlanState {
    Waiting,
    UnderWay,
    /// It became this operation.
    Done(String),
    /// The fleet is another by now.
    Stale(String),
    Expired(String),
    Discarded,
}

impl Control {
    /// A plan as it stands, for the actor who may confirm it.
    pub(crate) async fn plan_page(&self, actor: &Actor, id: &str) -> Result<PlanPage, ControlError> {
        authorize(actor, Action::Read)?;
        authorize(actor, Action::Plan)?;
        let kept = self.plans.get(actor, id).ok_or_else(|| no_plan(id))?;
        self.page_of(actor, kept).await
    }

    /// Discards a plan that a person declined, or did not confirm; as it was.
    pub(crate) async fn discard_plan(
        &self,
        actor: &Actor,
        id: &str,
        record: Record<PlanPage>,
    ) -> Result<PlanPage, ControlError> {
        authorize(actor, Action::Plan)?;
        let kept = self.plans.get(actor, id).ok_or_else(|| no_plan(id))?;
        let page = PlanPage { state: PlanState::Discarded, ..self.page_of(actor, kept).await? };
        if !self.plans.discard(id) {
            return Err(ControlError::Conflict(UNDER_WAY.into()));
        }
        let detail = format!("{id} was not confirmed and is discarded");
        let audit = AuditEntry::new(self.core.now(), actor, Action::Plan, page.plan.query.clone(), detail);
        self.core.store.commit(Transaction::intent(audit, record(&page))).await?;
        Ok(page)
    }

    async fn page_of(&self, actor: &Actor, kept: Kept) -> Result<PlanPage, ControlError> {
        let Kept { plan, stage, client, reason } = kept;
        let command = command_order(&plan.command)?;
        let Able { can, refused, refused_count } = self.able(actor, &command, &plan.query).await?;
        let agents = self.names(&plan.targets, MAX_SHOWN);
        let state = match stage {
            Stage::Done(operation) => PlanState::Done(operation),
            Stage::UnderWay => PlanState::UnderWay,
            Stage::Waits => match plan.admit(actor, &plan.hash(), self.core.now(), &can) {
                Ok(()) => PlanState::Waiting,
                Err(refusal @ Refusal::Expired) => PlanState::Expired(refusal.to_string()),
                Err(refusal) => PlanState::Stale(refusal.to_string()),
            },
        };
        Ok(PlanPage { plan, client, reason, state, agents, refused, refused_count })
    }
}

//! Acts on many agents at once.

use tidegate_fleet::{Action, Actor, authorize};
use tidegate_opamp::InstanceUid;

use super::agents::ListOrder;
use super::{Control, ControlError};
use crate::state::Operation;

impl Control {
    /// An operation as it is now.
    pub(crate) fn operation(&self, actor: &Actor, id: &str) -> Result<Operation, ControlError> {
        authorize(actor, Action::Read)?;
        let found = self.core.operations.lock().get(id).cloned();
        found.ok_or_else(|| ControlError::NotFound { kind: "operation", id: id.to_owned() })
    }

    /// The agents that match a query, where they are as many as the caller believes.
    pub(super) async fn expected(
        &self,
        actor: &Actor,
        action: Action,
        query: &str,
        expected: u64,
        tolerance: u64,
    ) -> Result<Vec<InstanceUid>, ControlError> {
        if query.trim().is_empty() {
            return Err(ControlError::invalid("/q", "name the agents; name:* says all of them"));
        }
        let order = ListOrder { query: query.to_owned(), ..ListOrder::default() };
        let uids: Vec<_> = self.find(actor, action, &order).await?.uids().collect();
        if uids.is_empty() {
            return Err(ControlError::NoAgentMatches(query.to_owned()));
        }
        let count = uids.len() as u64;
        if count.abs_diff(expected) > tolerance {
            let message = format!("the query matches {count} agents, {expected} were expected; look again");
            return Err(ControlError::Conflict(message));
        }
        Ok(uids)
    }
}

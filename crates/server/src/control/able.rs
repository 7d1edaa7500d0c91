//! The agents that match a query, by whether they can do a command.

use std::collections::BTreeSet;

use tidegate_fleet::Actor;
use tidegate_opamp::InstanceUid;

use super::agents::ListOrder;
use super::commands::{self, CommandOrder};
use super::{Control, ControlError};
use crate::state::Entry;

/// Refused agents that are named; the others are counted.
pub(super) const MAX_NAMED: usize = 10;

/// Who can do a command and who cannot.
pub(super) struct Able {
    pub(super) can: BTreeSet<InstanceUid>,
    /// The first of those that cannot, with the reason.
    pub(super) refused: Vec<(InstanceUid, String, String)>,
    /// How many cannot.
    pub(super) refused_count: usize,
}

impl Control {
    pub(super) async fn matching_set(
        &self,
        actor: &Actor,
        command: &CommandOrder,
        query: &str,
    ) -> Result<BTreeSet<InstanceUid>, ControlError> {
        let order = ListOrder { query: query.to_owned(), ..ListOrder::default() };
        Ok(self.find(actor, command.action(), &order).await?.uids().collect())
    }

    /// Sorts agents by whether they can do a command. It is made as it would be for each, from which it differs by its id
    /// alone, so that what is wrong with it is told now.
    pub(super) fn sort_out(
        &self,
        matching: BTreeSet<InstanceUid>,
        command: &CommandOrder,
    ) -> Result<Able, ControlError> {
        let kind = commands::kind(command.clone(), "")?;
        let mut able = Able { can: matching, refused: Vec::new(), refused_count: 0 };
        able.can.retain(|uid| {
            let named = able.refused.len() < MAX_NAMED;
            let look = |entry: &Entry| {
                let refusal = commands::admit(entry, &kind).err();
                refusal.map(|error| named.then(|| (*uid, entry.agent.name(), error.to_string())))
            };
            match self.core.registry.look(uid, look) {
                // It has left meanwhile.
                None => false,
                Some(None) => true,
                Some(Some(refused)) => {
                    able.refused_count += 1;
                    able.refused.extend(refused);
                    false
                }
            }
        });
        Ok(able)
    }

    /// The agents that match now, sorted.
    pub(super) async fn able(
        &self,
        actor: &Actor,
        command: &CommandOrder,
        query: &str,
    ) -> Result<Able, ControlError> {
        self.sort_out(self.matching_set(actor, command, query).await?, command)
    }

    /// The first of some agents with their names; one that has left the fleet since has none any more.
    pub(super) fn names(&self, uids: &BTreeSet<InstanceUid>, most: usize) -> Vec<(InstanceUid, String)> {
        let name = |uid: &InstanceUid| self.core.registry.look(uid, |entry| entry.agent.name());
        uids.iter().take(most).map(|uid| (*uid, name(uid).unwrap_or_default())).collect()
    }
}

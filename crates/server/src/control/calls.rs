//! What in the fleet calls for a person.

use tidegate_fleet::calls::{self, Call};
use tidegate_fleet::query::Query;
use tidegate_fleet::{Action, Actor};

use super::agents::ListOrder;
use super::{Control, ControlError};

impl Control {
    /// Sentences about the agents that match a query and are not as they should be, the loudest first, each with the
    /// query that finds them.
    pub(crate) async fn calls(&self, actor: &Actor, query: &str) -> Result<Vec<Call>, ControlError> {
        let order = ListOrder {
            query: query.to_owned(),
            limit: Some(0),
            facets: calls::keys().into(),
            ..ListOrder::default()
        };
        let found = self.find(actor, Action::Read, &order).await?;
        let mut calls = calls::calls(query, &found.facets);
        if Query::parse(query).is_ok_and(|query| !query.is_lasting()) {
            // A facet counts past the terms about its own key: what the query says of them has to be asked.
            for call in &mut calls {
                let order = ListOrder { query: call.query.clone(), limit: Some(0), ..ListOrder::default() };
                let count = self.find(actor, Action::Read, &order).await?.total;
                call.recount(count);
            }
            calls.retain(|call| call.count > 0);
        }
        Ok(calls)
    }
}

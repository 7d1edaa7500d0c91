//! Looking at the server itself.

use tidegate_fleet::index::Facet;
use tidegate_fleet::query::Key;
use tidegate_fleet::{Action, Actor, Timestamp, authorize};
use tidegate_store::{Standing, StoreError};

use super::agents::ListOrder;
use super::{Control, ControlError};
use crate::background::TaskView;

/// The server as it is now.
#[derive(Debug)]
pub(crate) struct ServerView {
    pub(crate) started: Timestamp,
    pub(crate) agents: usize,
    pub(crate) connections: i64,
    /// Agents that are reached, by how they reach the server.
    pub(crate) transports: Option<Facet>,
    /// Messages of agents since the start.
    pub(crate) messages: u64,
    /// The same, a second, over the last ten and sixty seconds.
    pub(crate) message_rates: [f64; 2],
    pub(crate) store: Standing,
    pub(crate) tasks: Vec<TaskView>,
}

impl Control {
    /// The server as it is now.
    pub(crate) async fn server(&self, actor: &Actor) -> Result<ServerView, ControlError> {
        authorize(actor, Action::Read)?;
        let order = ListOrder { limit: Some(0), facets: vec![Key::Transport], ..ListOrder::default() };
        let transports = self.find(actor, Action::Read, &order).await?.facets.pop();
        // It waits for whoever reads the store.
        let core = self.core.clone();
        let broken = |error: tokio::task::JoinError| StoreError::Write(error.to_string());
        let store = tokio::task::spawn_blocking(move || core.store.standing()).await.map_err(broken)??;
        let core = &self.core;
        Ok(ServerView {
            started: core.started,
            agents: core.registry.len(),
            connections: core.metrics.connections.get(),
            transports,
            messages: core.metrics.messages.get(),
            message_rates: [core.flow.per_second(10), core.flow.per_second(60)],
            store,
            tasks: self.tasks.views(),
        })
    }

    /// The server's metrics in text.
    pub(crate) fn metrics(&self, actor: &Actor) -> Result<String, ControlError> {
        authorize(actor, Action::Read)?;
        let text = self.core.metrics.render(self.core.registry.len());
        text.map_err(|error| ControlError::Conflict(format!("the metrics cannot be written: {error}")))
    }

    /// Counts a call of the API.
    pub(crate) fn count_call(&self) {
        self.core.metrics.api_calls.inc();
    }

    /// Counts a call of the API that was refused because there are too many.
    pub(crate) fn count_throttled_call(&self) {
        self.core.metrics.throttled_calls.inc();
    }
}

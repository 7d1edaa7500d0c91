//! Looking at the server itself.

use tidegate_fleet::{Action, Actor, authorize};

use super::{Control, ControlError};
use crate::background::TaskView;

/// The server as it is now.
#[derive(Debug)]
pub(crate) struct ServerView {
    pub(crate) agents: usize,
    pub(crate) connections: i64,
    pub(crate) tasks: Vec<TaskView>,
}

impl Control {
    /// The server as it is now.
    pub(crate) fn server(&self, actor: &Actor) -> Result<ServerView, ControlError> {
        authorize(actor, Action::Read)?;
        Ok(ServerView {
            agents: self.core.registry.len(),
            connections: self.core.metrics.connections.get(),
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

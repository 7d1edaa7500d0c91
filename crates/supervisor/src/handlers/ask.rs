//! Asking the process side something, and not waiting for ever.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::agent::{AgentCommand, Question};

/// How long the process side may take to answer: longer than its check of a config, shorter than an operator's patience.
const DEADLINE: Duration = Duration::from_secs(15);

/// The way to the process side, for questions.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    commands: mpsc::Sender<AgentCommand>,
    deadline: Duration,
}

impl Asker {
    pub(super) const fn new(commands: mpsc::Sender<AgentCommand>) -> Self {
        Self { commands, deadline: DEADLINE }
    }

    #[cfg(test)]
    pub(super) fn within(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// Asks, and waits no longer than the deadline.
    pub(super) async fn ask<T>(
        &self,
        question: impl FnOnce(oneshot::Sender<T>) -> Question,
    ) -> Result<T, String> {
        let (reply, answer) = oneshot::channel();
        let asking = async {
            let sent = self.commands.send(AgentCommand::Ask(question(reply))).await;
            sent.map_err(|_| "the agent is not supervised any more".to_owned())?;
            answer
                .await
                .map_err(|_| "the agent's supervision takes no more questions now: try later".to_owned())
        };
        tokio::time::timeout(self.deadline, asking).await.unwrap_or_else(|_| {
            Err("the agent's supervision is busy, as with an apply or a restart: try later".to_owned())
        })
    }
}

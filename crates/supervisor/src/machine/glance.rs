//! One question to the process about its health, which goes on while something else is attended to.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinHandle;

use crate::kind::{AgentKind, Observation, ProbeError};

/// How long one look may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// A question that was put and whose answer may not be there yet. It ends with whoever asked.
#[derive(Debug)]
pub(super) struct Glance {
    /// The process and the port that are asked.
    pub(super) about: (i32, u16),
    answer: JoinHandle<Result<Observation, ProbeError>>,
}

impl Glance {
    pub(super) fn new(about: (i32, u16), kind: &Arc<dyn AgentKind>) -> Self {
        let kind = Arc::clone(kind);
        Self { about, answer: tokio::spawn(async move { kind.observe(about.1, DEADLINE).await }) }
    }

    /// Waits for the answer. May be dropped and called again until it has come.
    pub(super) async fn seen(&mut self) -> Result<Observation, ProbeError> {
        (&mut self.answer).await.unwrap_or(Err(ProbeError::Deadline(DEADLINE)))
    }
}

impl Drop for Glance {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

//! Answers that are kept with the acts they are about.

use tidegate_fleet::Actor;
use tidegate_store::{Answered, StoreError, Write};

use super::{Control, ControlError};

/// What is stored beside an act, made of what the act comes to.
pub(crate) type Record<T> = Box<dyn FnOnce(&T) -> Vec<Write> + Send>;

impl Control {
    /// The answer that this actor was given under a key within the last day.
    pub(crate) async fn answered(&self, actor: &Actor, key: &str) -> Result<Option<Answered>, ControlError> {
        let (core, actor, key) = (self.core.clone(), actor.name.clone(), key.to_owned());
        let read = move || core.store.answered(&actor, &key, core.now());
        let broken = |error: tokio::task::JoinError| StoreError::Write(error.to_string());
        Ok(tokio::task::spawn_blocking(read).await.map_err(broken)??)
    }

    /// A new id for a call.
    pub(crate) fn new_id(&self) -> String {
        self.core.new_id()
    }
}

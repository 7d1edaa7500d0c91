//! Why a use case did not do what it should; faces turn these into their own words in one place each.

use tidegate_fleet::Denied;
use tidegate_fleet::query::QueryError;
use tidegate_store::StoreError;

/// A use case that did not do what it should. Nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// The actor may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The query cannot be read.
    #[error("the query cannot be read: {0}")]
    Query(QueryError),
    /// Something that was named does not exist.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        id: String,
    },
    /// The query matches no agent.
    #[error("no agent matches {0:?}")]
    NoAgentMatches(String),
    /// An argument cannot be used.
    #[error("{message}")]
    Invalid {
        /// Where: a JSON pointer into the body or a parameter's name.
        pointer: String,
        /// What is wrong and what to do.
        message: String,
    },
    /// The agent cannot do what is asked.
    #[error("{0}")]
    Unsupported(String),
    /// The world is not as the caller believes.
    #[error("{0}")]
    Conflict(String),
    /// What the caller saw is not there any more.
    #[error("{0}")]
    Stale(String),
    /// There is no room.
    #[error("{0}")]
    TooMany(String),
    /// The act could not be stored.
    #[error("it could not be stored, and nothing was done: {0}")]
    Store(#[from] StoreError),
}

impl ControlError {
    pub(super) fn invalid(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid { pointer: pointer.into(), message: message.into() }
    }
}

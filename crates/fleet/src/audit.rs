//! The record of an act.

use crate::{Action, Actor, Timestamp};

/// Who did what to how much, written in the same transaction as the act itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: String,
    /// From which face.
    pub face: String,
    /// What.
    pub action: String,
    /// To what: an agent, a query, a command.
    pub target: String,
    /// Further facts, for a person to read.
    pub detail: String,
}

impl AuditEntry {
    /// The entry for an act of `actor`.
    #[must_use]
    pub fn new(
        at: Timestamp,
        actor: &Actor,
        action: Action,
        target: impl Into<String>,
        detail: impl Into<String>,
    ) -> Self {
        let mut detail = detail.into();
        if !actor.client.is_empty() {
            detail.push_str("; client: ");
            detail.push_str(&actor.client);
        }
        Self {
            at,
            actor: actor.name.clone(),
            face: actor.face.as_str().to_owned(),
            action: action.as_str().to_owned(),
            target: target.into(),
            detail,
        }
    }
}

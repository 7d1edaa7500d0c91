//! What is written, as values.

use tidegate_fleet::{Agent, AuditEntry, Command, Config, Push, PushId, Timestamp};
use tidegate_opamp::{ConfigHash, InstanceUid};

use crate::StoredEvent;

/// Counts transactions; rises by one with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// One row to write.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// An agent's record as it is now; what it should run is written by [`Write::Assign`] alone.
    Agent(Box<Agent>),
    /// A config body; one that is there already stays as it is.
    Config(Config),
    /// What an agent should run.
    Assign {
        /// The agent.
        agent: InstanceUid,
        /// The config.
        config: ConfigHash,
        /// The push it came from.
        push: PushId,
        /// Since when.
        since: Timestamp,
    },
    /// A push.
    Push(Push),
    /// A command as it is now.
    Command(Box<Command>),
    /// An event.
    Event(StoredEvent),
}

/// Writes that go together.
#[derive(Clone, Debug, PartialEq)]
pub struct Transaction {
    pub(crate) audit: Option<AuditEntry>,
    pub(crate) writes: Vec<Write>,
}

impl Transaction {
    /// An act of an operator, with the entry that records it.
    #[must_use]
    pub const fn intent(audit: AuditEntry, writes: Vec<Write>) -> Self {
        Self { audit: Some(audit), writes }
    }

    /// What agents reported and what the server did of itself.
    #[must_use]
    pub const fn observed(writes: Vec<Write>) -> Self {
        Self { audit: None, writes }
    }

    /// True when there is nothing to write.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.audit.is_none() && self.writes.is_empty()
    }
}

/// One row that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// In which transaction.
    pub revision: Revision,
    /// The kind of row: `agent`, `config`, `assignment`, `push`, `command`.
    pub kind: String,
    /// Its key in text: a uid, a hash, an id.
    pub key: String,
}

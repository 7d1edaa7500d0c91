//! What is written, as values.

use std::sync::Arc;

use tidegate_fleet::agent::Assignment;
use tidegate_fleet::schemas::{Schema, SchemaHash};
use tidegate_fleet::settings::{Rule, RuleName};
use tidegate_fleet::{Agent, AuditEntry, Command, Config, Push, PushId, Timestamp};
use tidegate_opamp::{ConfigHash, InstanceUid};

use crate::{Alias, Answered, KnownComponents, Labels, StoredEvent};

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
    /// What an agent would go back to from the config that it should run; `None` where nothing is known.
    Former {
        /// The agent.
        agent: InstanceUid,
        /// The config, which is stored.
        former: Option<Arc<Assignment>>,
    },
    /// A push.
    Push(Push),
    /// A command as it is now.
    Command(Box<Command>),
    /// An event.
    Event(StoredEvent),
    /// The labels of an agent as they are now, all of them; the agent need not be stored.
    Labels {
        /// The agent.
        agent: InstanceUid,
        /// Its labels.
        labels: Labels,
    },
    /// An agent's uid was changed: its record, config, labels and commands move, what was stored under the new uid
    /// goes, and the old uid is noted as an alias. Aliases of the old uid follow.
    Rename(Alias),
    /// An agent is forgotten, with its config, labels, commands and aliases; history keeps what it says of it.
    Forget(InstanceUid),
    /// A rule for connection settings as it is now.
    SettingsRule(Box<Rule>),
    /// A rule for connection settings is gone.
    RemoveSettingsRule(RuleName),
    /// The components of a build; those that are there already stay as they are.
    Components(KnownComponents),
    /// The schema of a build; one that is there already stays as it is.
    Schema(Arc<Schema>),
    /// A schema is held no longer.
    RemoveSchema(SchemaHash),
    /// The answer to the request that this transaction is about. Where the same actor's same key has an answer that
    /// still holds, the whole transaction fails with [`StoreError::Answered`](crate::StoreError::Answered).
    Answered(Box<Answered>),
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
    /// The kind of row: `agent`, `config`, `assignment`, `push`, `command`, `labels`, `alias`, `settings`.
    pub kind: String,
    /// Its key in text: a uid, a hash, an id.
    pub key: String,
}

//! What happened in the fleet, for people to follow.

use tidegate_opamp::InstanceUid;

use crate::Timestamp;

/// Kinds of event; the words are part of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// An agent reported for the first time.
    AgentAdded,
    /// An agent's connection changed its state.
    Connection,
    /// An agent's health changed.
    Health,
    /// A config was offered, is being applied, was applied or failed.
    Config,
    /// A command changed its state.
    Command,
    /// An agent sent a custom message that answers no command.
    Message,
    /// An agent's description changed.
    Description,
    /// Operators changed an agent's labels.
    Labels,
    /// An agent took connection settings, or could not.
    Settings,
    /// An agent gave the schema of its build, which the server did not have.
    Schema,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::AgentAdded,
        Self::Connection,
        Self::Health,
        Self::Config,
        Self::Command,
        Self::Message,
        Self::Description,
        Self::Settings,
        Self::Labels,
        Self::Schema,
    ];

    /// The word for the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentAdded => "agent-added",
            Self::Connection => "connection",
            Self::Health => "health",
            Self::Config => "config",
            Self::Command => "command",
            Self::Message => "message",
            Self::Description => "description",
            Self::Labels => "labels",
            Self::Settings => "settings",
            Self::Schema => "schema",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// One thing that happened to one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
    /// To which agent.
    pub agent: InstanceUid,
    /// In one sentence; may hold text from the agent, bounded but not escaped.
    pub text: String,
}

//! Commands: what an operator wants an agent to do once, from the queue to the result.

use std::time::Duration;

use bytes::Bytes;
use tidegate_opamp::InstanceUid;

use crate::Timestamp;

/// Identifies a command; a UUID of version 7 in text, which old peers may ignore.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CommandId(pub String);

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    /// OpAMP's restart command.
    Restart,
    /// A message of a custom capability.
    Custom {
        /// The bare name of the capability.
        capability: String,
        /// The type of the message.
        kind: String,
        /// Its payload, correlation id included where the capability has one.
        data: Bytes,
        /// Whether the capability answers.
        answers: bool,
    },
}

/// How far a command has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommandState {
    /// Stored, waits for the agent.
    Queued,
    /// Left the server; committed before the frame did.
    Sent,
    /// The agent spoke after it was sent.
    Acknowledged,
    /// Its effect was seen, or its answer says so.
    Succeeded,
    /// Its answer says that it failed.
    Failed,
    /// It was never sent within its deadline.
    Expired,
    /// It was sent, and nothing tells whether it was carried out.
    Unknown,
    /// An operator withdrew it before it was sent.
    Cancelled,
}

impl CommandState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sent,
        Self::Acknowledged,
        Self::Succeeded,
        Self::Failed,
        Self::Expired,
        Self::Unknown,
        Self::Cancelled,
    ];

    /// The word for the API and the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Acknowledged => "acknowledged",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// True when nothing more will happen to a command in this state; one that does not answer ends as acknowledged
    /// as well ([`Command::has_ended`]).
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Expired | Self::Unknown | Self::Cancelled)
    }
}

/// What came of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The final state, or [`CommandState::Acknowledged`] for one that does not answer.
    pub state: CommandState,
    /// The type of the answering message, where there is one.
    pub answer_kind: Option<String>,
    /// The answer's payload, bounded.
    pub answer: Option<Bytes>,
    /// Why it ended so, for a person to read.
    pub detail: String,
}

/// A command in the queue of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Its id.
    pub id: CommandId,
    /// For which agent.
    pub agent: InstanceUid,
    /// What to do.
    pub kind: CommandKind,
    /// How far it has come.
    pub state: CommandState,
    /// Who asked.
    pub actor: String,
    /// When it was queued.
    pub created_at: Timestamp,
    /// When it expires, or its result is given up.
    pub deadline: Timestamp,
    /// When it left the server.
    pub sent_at: Option<Timestamp>,
    /// The agent's start time when it was sent, nanoseconds since 1970: a restart shows as a later one.
    pub start_time_when_sent: u64,
    /// When it reached its final state.
    pub finished_at: Option<Timestamp>,
    /// What came of it.
    pub outcome: Option<Outcome>,
}

impl Command {
    /// Default time for a command to end, from the moment it is queued.
    pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

    /// How long a sent command may stay without a result before it counts as unknown.
    pub const RESULT_DEADLINE: Duration = Duration::from_secs(60);

    /// Takes the command off the queue: it is about to leave. The caller commits this before it does.
    pub fn mark_sent(&mut self, now: Timestamp, agent_start_time: u64) {
        self.state = CommandState::Sent;
        self.sent_at = Some(now);
        self.start_time_when_sent = agent_start_time;
    }

    /// Ends the command.
    pub fn finish(&mut self, now: Timestamp, outcome: Outcome) {
        self.state = outcome.state;
        self.finished_at = Some(now);
        self.outcome = Some(outcome);
    }

    /// True when nothing more will happen to it.
    #[must_use]
    pub const fn has_ended(&self) -> bool {
        self.state.is_final() || self.finished_at.is_some()
    }

    /// When [`Command::expire`] would end it, if nothing else happens; `None` for one that has ended.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        match self.state {
            CommandState::Queued => Some(self.deadline),
            CommandState::Sent | CommandState::Acknowledged if !self.has_ended() => {
                self.sent_at.map(|sent| sent.plus(Self::RESULT_DEADLINE))
            }
            _ => None,
        }
    }

    /// Ends a command whose time is up; true when it did.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let outcome =
            |state, detail: &str| Outcome { state, answer_kind: None, answer: None, detail: detail.into() };
        match self.state {
            CommandState::Queued if now >= self.deadline => {
                self.finish(
                    now,
                    outcome(
                        CommandState::Expired,
                        "the agent did not come within the deadline; nothing was sent",
                    ),
                );
                true
            }
            CommandState::Sent | CommandState::Acknowledged
                if !self.has_ended()
                    && self.sent_at.is_some_and(|sent| now.since(sent) >= Self::RESULT_DEADLINE) =>
            {
                self.finish(
                    now,
                    outcome(
                        CommandState::Unknown,
                        "it was sent and no result came; it may have been carried out",
                    ),
                );
                true
            }
            _ => false,
        }
    }

    /// What an operator calls it.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.kind {
            CommandKind::Restart => "restart".into(),
            CommandKind::Custom { capability, kind, .. } => format!("{capability} {kind}"),
        }
    }
}

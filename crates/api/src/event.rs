//! What happens in the fleet.

use serde::{Deserialize, Serialize};

use crate::{Agent, Timestamp};

/// One thing that happened to one agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Event {
    /// Its place in the stream.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// `agent-added`, `connection`, `health`, `config`, `command`, `message`, `description` or `settings`.
    pub kind: String,
    /// The agent's uid.
    pub agent: String,
    /// The agent's name.
    pub name: String,
    /// In one sentence.
    pub text: String,
}

/// An agent that left a watched query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Its uid.
    pub uid: String,
}

/// A message of the stream `/api/v1/watch`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "data", rename_all = "kebab-case")]
pub enum WatchEvent {
    /// An agent that matches, as it is at the start of the stream or when it comes to match.
    Added(Box<Agent>),
    /// An agent that changed.
    Modified(Box<Agent>),
    /// An agent is not there any more, or does not match any more.
    Removed(Removed),
    /// Something happened.
    Happened(Event),
    /// The initial state is complete.
    Bookmark,
    /// The watcher was too slow or was away for too long: it must list anew.
    Resync,
}

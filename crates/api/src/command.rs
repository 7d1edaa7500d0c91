//! Commands.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

/// What an agent should do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum CommandRequest {
    /// Restart.
    Restart {
        /// Seconds until it expires unsent; a day when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline_seconds: Option<u64>,
    },
    /// Take a message of a custom capability.
    Custom {
        /// The capability's name, with or without the prefix `request:`.
        capability: String,
        /// The type of the message.
        #[serde(rename = "type")]
        message_type: String,
        /// The payload: text is sent as it is, anything else as JSON; nothing when left out.
        #[serde(default, skip_serializing_if = "Value::is_null")]
        data: Value,
        /// Seconds until it expires unsent; a day when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline_seconds: Option<u64>,
    },
}

/// A command and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Command {
    /// Its id.
    pub id: String,
    /// For which agent.
    pub agent: String,
    /// `restart` or `custom`.
    pub kind: String,
    /// The capability of a custom message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// The type of a custom message.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub message_type: Option<String>,
    /// `queued`, `sent`, `acknowledged`, `succeeded`, `failed`, `expired`, `unknown` or `cancelled`.
    pub state: String,
    /// Whether nothing more will happen: the message of a capability that does not answer ends as `acknowledged`.
    pub ended: bool,
    /// Why it stands or ended so, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Who asked.
    pub actor: String,
    /// When.
    pub created_at: Timestamp,
    /// When it expires unsent.
    pub deadline: Timestamp,
    /// When it left the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent_at: Option<Timestamp>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// The agent's answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What an agent answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Answer {
    /// The type of the message.
    #[serde(rename = "type")]
    pub message_type: String,
    /// The payload: JSON where it is JSON, else text.
    pub data: Value,
}

//! One agent looked at closely: what it last reported, what happened to it, what may be sent to it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Command, Event, PushListed, Timestamp};

/// What the server holds of an agent's messages. Secrets that are known by their names are marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentReport {
    /// Its uid.
    pub uid: String,
    /// The number of its last message, where it is known.
    pub sequence_num: Option<u64>,
    /// Whether that number is exact; after a crash of the server it is the least that it can be.
    pub sequence_exact: bool,
    /// Its capabilities, as the bits that it sent.
    pub capabilities: u64,
    /// The parts of its messages by their names in OpAMP, each as it was sent last.
    pub parts: BTreeMap<String, ReportPart>,
}

/// One part of an agent's messages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ReportPart {
    /// When it was last heard.
    pub observed_at: Timestamp,
    /// How many bytes it has on the wire.
    pub bytes: u64,
    /// What it says; null where it is larger than a megabyte.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub message: serde_json::Value,
}

/// One thing that happened to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimelineItem {
    /// When; of commands and pushes, when they were made.
    pub at: Timestamp,
    /// `event`, `command` or `push`: which of the others is there.
    pub kind: String,
    /// An event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// A command, as it is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Command>,
    /// A push.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<TimelinePush>,
}

/// A push and how far the agent has come with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TimelinePush {
    /// The push.
    #[serde(flatten)]
    pub push: PushListed,
    /// `pending`, `applying`, `proven`, `unproven`, `failed`, `superseded` or `refused`.
    pub state: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// What may be sent to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentCatalogue {
    /// It can be restarted.
    pub restart: bool,
    /// It takes configs.
    pub remote_config: bool,
    /// Its custom capabilities to which something may be sent, by name.
    pub items: Vec<AgentCapability>,
}

/// A custom capability of an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentCapability {
    /// Its bare name.
    pub name: String,
    /// Whether this server knows it, and checks what is sent to it.
    pub known: bool,
    /// What it does, in a sentence; empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Whether carrying an order out twice does no more than once; false where that is not known.
    pub idempotent: bool,
    /// Whether what is sent is answered; true where that is not known.
    pub answers: bool,
    /// What may be sent; empty where it is not known, and then any type with any JSON may be.
    pub messages: Vec<SendableMessage>,
}

/// A message that may be sent to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct SendableMessage {
    /// The `type` of the command that sends it.
    #[serde(rename = "type")]
    pub message_type: String,
    /// What it means, in a sentence.
    pub summary: String,
    /// The JSON schema of the command's `data`.
    #[cfg_attr(feature = "schema", schema(value_type = Object))]
    pub arguments: serde_json::Value,
}

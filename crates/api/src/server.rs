//! The server itself.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// The server as it is now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ServerStatus {
    /// Its version.
    pub version: String,
    /// How many agents it knows.
    pub agents: u64,
    /// When it started; servers before 0.2 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// How many sockets of agents are open.
    pub connections: u64,
    /// How many agents are reached by each transport, `websocket` and `http`.
    #[serde(default)]
    pub transports: BTreeMap<String, u64>,
    /// What agents send.
    #[serde(default)]
    pub messages: MessageFlow,
    /// How the store fares; servers before 0.2 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreStatus>,
    /// Its background tasks.
    pub tasks: Vec<TaskStatus>,
}

/// What agents send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageFlow {
    /// Messages since the server started.
    pub total: u64,
    /// Messages a second over the last ten seconds, or since the start.
    pub per_second_10s: f64,
    /// Messages a second over the last minute, or since the start.
    pub per_second_60s: f64,
}

/// How the store fares.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoreStatus {
    /// Its size in bytes, without its log.
    pub bytes: u64,
    /// Transactions that were stored since the start.
    pub transactions: u64,
    /// The last commit; null before the first.
    pub last_commit: Option<StoreCommit>,
}

/// One commit: one or several transactions that share a sync.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct StoreCommit {
    /// When it was on disk.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// How many transactions were in it.
    pub transactions: u64,
}

/// A background task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaskStatus {
    /// Its name.
    pub name: String,
    /// Milliseconds from one run to the next.
    pub period_ms: u64,
    /// The last run; null before the first.
    pub last: Option<TaskRun>,
}

/// One run of a background task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct TaskRun {
    /// When it ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub took_ms: f64,
    /// Whether it did what it should.
    pub ok: bool,
    /// What came of it, in a sentence.
    pub result: String,
}

/// The custom capabilities that a server knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Catalogue {
    /// All of them.
    pub items: Vec<CustomCapability>,
}

/// A custom capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct CustomCapability {
    /// Its bare name.
    pub name: String,
    /// What it does, in a sentence.
    pub summary: String,
    /// Whether carrying an order out twice does no more than once.
    pub idempotent: bool,
    /// Its messages.
    pub messages: Vec<MessageType>,
}

/// A type of message of a custom capability.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageType {
    /// The value of its `type`.
    pub kind: String,
    /// Who sends it.
    pub direction: Direction,
    /// What it means, in a sentence.
    pub summary: String,
    /// The fields of its payload, a JSON object.
    pub fields: Vec<MessageField>,
}

/// Who sends a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The server, to an agent.
    ToAgent,
    /// An agent, to the server.
    ToServer,
}

/// A field of a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MessageField {
    /// Its name.
    pub name: String,
    /// Its form in JSON.
    pub form: FieldForm,
    /// Whether a sender must set it.
    pub required: bool,
    /// What it means.
    pub meaning: String,
}

/// The form of a field in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FieldForm {
    /// Text.
    Text,
    /// A whole number, 0 or more.
    Number,
    /// True or false.
    Flag,
    /// An object.
    Object,
    /// A list.
    List,
}

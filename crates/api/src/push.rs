//! Pushes: one config body for the agents that match a query.

use serde::{Deserialize, Serialize};

use crate::{Axis, Timestamp};

/// What to push to whom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushRequest {
    /// The agents, in the search language; an empty query is refused: `name:*` says "all".
    pub q: String,
    /// The files of the config.
    pub files: Vec<PushFile>,
    /// How many agents the query is expected to match; another number is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
}

/// A file to push.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PushFile {
    /// Its name.
    pub name: String,
    /// Its media type; guessed from the name when left out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub role: String,
    /// Its content.
    pub body: String,
}

/// A push and how far each agent has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Push {
    /// Its id.
    pub id: String,
    /// Hash of the config, in hexadecimal.
    pub config: String,
    /// The query.
    pub q: String,
    /// Who pushed.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The push that failed agents try again with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// The push whose agents go back with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll_back_of: Option<String>,
    /// How many agents stand where.
    pub summary: PushSummary,
    /// What the builds of its agents will not understand, by their schemas; told only in answer to the call that makes it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<PushWarning>,
    /// Each agent.
    pub agents: Vec<PushAgent>,
}

/// A part of a config that a build will not understand. It is a hint: what the agent refuses in truth, it says itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushWarning {
    /// The hash of the build's schema, in hexadecimal.
    pub schema: String,
    /// How many agents of the push have that build.
    pub agents: u64,
    /// The file.
    pub file: String,
    /// The line, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1 on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// What will not be understood.
    pub message: String,
    /// What to do about it, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// A push in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushListed {
    /// Its id.
    pub id: String,
    /// Hash of the config, in hexadecimal.
    pub config: String,
    /// The query.
    pub q: String,
    /// Who pushed.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// The push that failed agents try again with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<String>,
    /// The push whose agents go back with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roll_back_of: Option<String>,
    /// How many agents it was for.
    pub total: u64,
    /// How many of them cannot take a config.
    pub refused: u64,
}

/// How many agents of a push stand where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushSummary {
    /// All of them.
    pub total: u64,
    /// Run it, and their supervisor has shown so.
    pub proven: u64,
    /// Say that they run it.
    pub unproven: u64,
    /// Wait for the offer or have not answered.
    pub pending: u64,
    /// Are applying it.
    pub applying: u64,
    /// Could not apply it.
    pub failed: u64,
    /// Have been given another config since.
    pub superseded: u64,
    /// Cannot take a config.
    pub refused: u64,
}

impl PushSummary {
    /// True when no agent will move by itself any more.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        self.pending == 0 && self.applying == 0
    }
}

/// How far one agent has come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PushAgent {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// `pending`, `applying`, `proven`, `unproven`, `failed`, `superseded` or `refused`.
    pub state: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// Whether it is there.
    pub connection: Axis,
}

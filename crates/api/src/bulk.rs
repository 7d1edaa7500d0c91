//! Acts on many agents at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// An act on the agents that match a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BulkRequest {
    /// The agents, in the search language; an empty query is refused: `name:*` says "all".
    pub q: String,
    /// How many agents the query is expected to match; another number is refused.
    pub expected_count: u64,
    /// By how many the number may differ.
    #[serde(default)]
    pub tolerance: u64,
    /// What to do.
    pub action: BulkAction,
}

/// What to do to each agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BulkAction {
    /// Change its labels: a text sets one, null removes it.
    Label {
        /// The change.
        labels: BTreeMap<String, Option<String>>,
    },
    /// Queue a restart for it; at most 10,000 agents at once.
    Restart {
        /// Seconds until it expires unsent; a day when left out.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        deadline_seconds: Option<u64>,
    },
}

/// An act on many agents, and what came of each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// `label` or `restart`.
    pub kind: String,
    /// The query.
    pub q: String,
    /// Who asked.
    pub actor: String,
    /// When.
    pub at: Timestamp,
    /// How many agents matched.
    pub total: u64,
    /// How many are as they should be.
    pub succeeded: u64,
    /// How many could not be.
    pub refused: u64,
    /// How many have a command that has not ended.
    #[serde(default)]
    pub pending: u64,
    /// How many have a command that ended without success.
    #[serde(default)]
    pub failed: u64,
    /// Each agent.
    pub targets: Vec<OperationTarget>,
}

/// One agent of an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct OperationTarget {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// `succeeded` or `refused`; of one with a command, the command's state.
    pub outcome: String,
    /// Why, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The id of its command, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

//! What a query that is being written may go on with.

use serde::{Deserialize, Serialize};

/// Proposals for a place in a query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Completions {
    /// The first character that a proposal takes the place of, from 0.
    pub from: u64,
    /// The first one behind it.
    pub to: u64,
    /// The proposals, at most 30.
    pub items: Vec<Completion>,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Completion {
    /// `key`, `value`, or `agent` for an agent's name.
    pub kind: String,
    /// What to write: a key has its colon, a value its quotes where it needs them.
    pub text: String,
    /// How many agents have it, of those that match the rest of the query; absent for keys that every agent has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

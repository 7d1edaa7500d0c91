//! What follows from a push that did not go well.

use serde::{Deserialize, Serialize};

use crate::PushListed;

/// Whom to give the files of a push once more: those that failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RetryRequest {
    /// How many agents are expected to have failed; another number is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
}

/// Which agents of a push go back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "lowercase")]
pub enum RollBackAgents {
    /// Those that failed.
    #[default]
    Failed,
    /// All that it gave its config to.
    All,
}

/// Which agents of a push go back to what they ran before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RollBackRequest {
    /// Which of them; those that failed when left out.
    #[serde(default)]
    pub agents: RollBackAgents,
    /// How many agents are expected to go back; another number is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_count: Option<u64>,
}

/// A roll back: each agent goes back to the config that it ran before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RollBack {
    /// The push whose agents go back.
    pub roll_back_of: String,
    /// How many agents go which way.
    pub summary: RollBackSummary,
    /// The new pushes, one for each config that agents go back to; their ids are empty in a dry run.
    pub pushes: Vec<PushListed>,
    /// Each agent that goes back, and each that would if it could.
    pub agents: Vec<RollBackAgent>,
}

/// How many agents of a push go which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RollBackSummary {
    /// Go back.
    pub back: u64,
    /// Stay, since no config is known that they ran before.
    pub nowhere: u64,
    /// Stay, since they have been given another config since.
    pub superseded: u64,
    /// Stay, since they have not failed and only those that have were asked for.
    pub left: u64,
}

/// One agent of a push that is rolled back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct RollBackAgent {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// `back`, `nowhere` or `superseded`.
    pub way: String,
    /// Why it stays, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// The hash of the config that it goes back to, in hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// The new push that brings it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
}

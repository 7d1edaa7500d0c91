//! Plans: commands that a person has yet to confirm.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Timestamp;

/// A command for many agents as an assistant planned it, for a person to confirm or to discard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Plan {
    /// Its id.
    pub id: String,
    /// Commits to all of it: who carries it out names what they were shown.
    pub hash: String,
    /// `waiting`, `under-way`, `done`, `stale` where other agents match by now, `expired`, or `discarded`.
    pub state: String,
    /// Why it is stale or expired, in a sentence.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
    /// What the agents would be told.
    pub action: PlanAction,
    /// The same in a few words.
    pub summary: String,
    /// The query that found the agents.
    pub q: String,
    /// How many agents would be told.
    pub count: u64,
    /// The first 100 of them, by uid.
    pub agents: Vec<PlanAgent>,
    /// How many agents match now and cannot do it.
    pub refused: u64,
    /// The first 10 of them.
    pub refused_agents: Vec<PlanAgent>,
    /// What a person types to confirm it.
    pub confirmation: String,
    /// Who asked.
    pub actor: String,
    /// The program that they asked through, as it names itself; empty where it did not say.
    #[serde(default)]
    pub client: String,
    /// Why, as an assistant said that called for its execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it was made.
    pub made_at: Timestamp,
    /// Until when it can be carried out.
    pub expires_at: Timestamp,
    /// The operation that it became.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

/// What the agents of a plan would be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PlanAction {
    /// To restart.
    Restart,
    /// A message of a custom capability.
    Custom {
        /// The capability's name.
        capability: String,
        /// The type of the message.
        #[serde(rename = "type")]
        message_type: String,
        /// The payload: JSON where it is JSON, else text.
        #[serde(default)]
        data: Value,
    },
}

/// An agent of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlanAgent {
    /// Its uid.
    pub uid: String,
    /// Its name.
    pub name: String,
    /// Why it cannot do it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

/// A person's confirmation of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PlanExecution {
    /// The hash of the plan that the person was shown.
    pub hash: String,
    /// What they typed.
    pub confirmation: String,
    /// Why, in 8 to 280 characters on one line; what an assistant said, when left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

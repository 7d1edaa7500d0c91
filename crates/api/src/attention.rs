//! What in a fleet calls for a person.

use serde::{Deserialize, Serialize};

/// Sentences about agents that are not as they should be, the gravest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FleetAttention {
    /// The sentences; none where all is well.
    pub items: Vec<AttentionSentence>,
}

/// One sentence, and the way to the agents that it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AttentionSentence {
    /// How grave it is: `watch` or `act`.
    pub level: String,
    /// What is the matter, with the number of agents.
    pub sentence: String,
    /// Finds them.
    pub query: String,
    /// How many there are.
    pub count: u64,
}

//! The configs of one agent side by side.

use serde::{Deserialize, Serialize};

use crate::{ConfigAxis, ConfigFile, Timestamp};

/// What an agent should run beside what it runs. Secrets that are known by their names are marks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentConfig {
    /// Its uid.
    pub uid: String,
    /// Whether it runs what it should.
    pub config: ConfigAxis,
    /// Whether the server knows that it does.
    pub in_sync: bool,
    /// Whether there was anything to compare: a config is assigned, and the agent reports what it runs.
    pub compared: bool,
    /// Why it is not in sync, above all where no line differs; empty when all is said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// What it should run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub desired: Option<ConfigVersion>,
    /// What it would go back to: the last config before that one that it said it applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<ConfigVersion>,
    /// What it says it runs, what its supervisor rendered among it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<EffectiveConfig>,
    /// How each file of what it runs differs from what it should run.
    pub differences: Vec<FileDifference>,
}

/// A config that an agent was given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ConfigVersion {
    /// Its hash, in hexadecimal.
    pub hash: String,
    /// The push that gave it.
    pub push: String,
    /// Since when the agent has it.
    pub since: Timestamp,
    /// Its files.
    pub files: Vec<ConfigFile>,
}

/// What an agent says it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct EffectiveConfig {
    /// When it last said so.
    pub observed_at: Timestamp,
    /// Its files.
    pub files: Vec<ConfigFile>,
}

/// How one file differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct FileDifference {
    /// Its name.
    pub name: String,
    /// `same`, `missing` (it should be there), `foreign` (it should not be there) or `changed`.
    pub change: String,
    /// The places that differ, with three lines around each; none where it is no text or has more than a megabyte.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hunks: Vec<DifferenceHunk>,
}

/// One place of a file that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DifferenceHunk {
    /// The number of its first line in what should run, from 1.
    pub desired_start: u64,
    /// The number of its first line in what runs, from 1.
    pub effective_start: u64,
    /// Its lines.
    pub lines: Vec<DifferenceLine>,
}

/// One line of a place that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DifferenceLine {
    /// Where it stands: `both`, `desired` or `effective`.
    pub side: String,
    /// Its text.
    pub text: String,
}

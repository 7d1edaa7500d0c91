//! What an agent's components count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Timestamp;

/// What an agent's components count, by its last two digests, and their past where it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct AgentMetrics {
    /// The agent's uid.
    pub agent: String,
    /// When its last digest came; absent where none came since the server started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_at: Option<Timestamp>,
    /// Why there is no more; empty where nothing is missing.
    pub reason: String,
    /// The process; counts begin anew with another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// How often it had loaded its config anew; counts begin anew with each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reloads: Option<u64>,
    /// For how long its config had run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    /// The interval of its digests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_seconds: Option<u64>,
    /// The time over which rates are; absent where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// Components by name, such as `output:sink`.
    pub components: BTreeMap<String, ComponentMetrics>,
    /// How many more components it has than its digests hold.
    pub left_out: u64,
    /// The past, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub history: Option<MetricsHistory>,
}

/// What one component counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct ComponentMetrics {
    /// What it has counted since its config was loaded.
    pub total: MetricCounts,
    /// Chunks that an input holds and no output has delivered.
    pub backlog: u64,
    /// Rates between the last two digests; absent where they cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<MetricRates>,
}

/// Counts of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MetricCounts {
    /// Records that an input took in, a filter saw, an output delivered.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Deliveries that an output gave up.
    pub errors: u64,
    /// Deliveries that were put off.
    pub retries: u64,
    /// Records that a filter dropped on purpose, or an output lost.
    pub dropped: u64,
}

/// The same, per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MetricRates {
    /// Records.
    pub records: f64,
    /// Bytes.
    pub bytes: f64,
    /// Deliveries given up.
    pub errors: f64,
    /// Deliveries put off.
    pub retries: f64,
    /// Records dropped.
    pub dropped: f64,
}

/// The past in steps of equal length.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MetricsHistory {
    /// When the first step begins.
    pub from: Timestamp,
    /// How long a step is.
    pub step_seconds: u64,
    /// How many there are.
    pub steps: u64,
    /// Components by name.
    pub components: BTreeMap<String, MetricSeries>,
}

/// One component's past: a number for each step, `null` where nothing is known. All but the backlog are per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct MetricSeries {
    /// Records.
    pub records: Vec<Option<f64>>,
    /// Bytes.
    pub bytes: Vec<Option<f64>>,
    /// Deliveries given up.
    pub errors: Vec<Option<f64>>,
    /// Deliveries put off.
    pub retries: Vec<Option<f64>>,
    /// Records dropped.
    pub dropped: Vec<Option<f64>>,
    /// Chunks that waited at the end of the step.
    pub backlog: Vec<Option<u64>>,
}

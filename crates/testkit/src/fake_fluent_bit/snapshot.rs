//! The state of one engine at one moment, as values: what the endpoints and the dump tell.

use std::time::Duration;

use super::log::Counts;

/// Everything the HTTP API can say.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The version told to the world.
    pub version: String,
    /// The host's name, a label of the process metrics.
    pub hostname: String,
    /// Whole seconds since the engine started; a reload begins anew.
    pub uptime_sec: u64,
    /// When the engine started, seconds since the epoch.
    pub start_sec: u64,
    /// The moment of the snapshot, since the epoch.
    pub now: Duration,
    /// Reloads since the process started.
    pub hot_reload_count: u64,
    /// Whether POST on the reload endpoint can do anything, and whether one is under way.
    pub reload: ReloadState,
    /// The health endpoints' state.
    pub health: Health,
    /// Whether the metrics endpoints answer already: they wait for the engine's first second.
    pub metrics: Presence,
    /// Whether `/api/v1/storage` answers already.
    pub storage: Presence,
    /// Log lines of this engine.
    pub logs: Counts,
    /// Inputs in config order, the storage backlog last.
    pub inputs: Vec<InputStat>,
    /// Filters in config order.
    pub filters: Vec<FilterStat>,
    /// Outputs in config order.
    pub outputs: Vec<OutputStat>,
    /// Delivered records by input and output.
    pub routes: Vec<RouteStat>,
}

/// The reload endpoint's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadState {
    /// `hot_reload` is off.
    NotEnabled,
    /// Ready.
    Ready,
    /// One is under way.
    InProgress,
}

/// Whether an endpoint has anything to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// 404: it is switched off, or the engine is too young.
    Absent,
    /// 200.
    Present,
}

impl Presence {
    /// Present if the condition holds.
    #[must_use]
    pub fn when(holds: bool) -> Self {
        if holds { Self::Present } else { Self::Absent }
    }
}

/// The health check's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Whether `health_check` is on; off means v1 is 404 and v2 says ok for ever.
    pub checked: bool,
    /// Output errors within the window.
    pub errors: u64,
    /// Abandoned retries within the window.
    pub retries_failed: u64,
    /// `hc_errors_count`.
    pub error_limit: u64,
    /// `hc_retry_failure_count`.
    pub retry_limit: u64,
    /// `hc_period`, in seconds.
    pub period: u64,
}

impl Health {
    /// Unhealthy is strictly more than a limit.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        !self.checked || (self.errors <= self.error_limit && self.retries_failed <= self.retry_limit)
    }
}

/// One input's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputStat {
    /// Alias or `plugin.N`.
    pub name: String,
    /// The plugin.
    pub plugin: String,
    /// Records ingested.
    pub records: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records in the last second.
    pub rate_records: u64,
    /// Bytes in the last second.
    pub rate_bytes: u64,
    /// Whether it is paused.
    pub paused: bool,
    /// Chunks not yet delivered everywhere.
    pub chunks: u64,
    /// Their bytes.
    pub chunk_bytes: u64,
    /// Those of them that an output works on.
    pub busy: u64,
    /// Their bytes.
    pub busy_bytes: u64,
}

/// One filter's counters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterStat {
    /// Alias or `plugin.N`.
    pub name: String,
    /// Records seen.
    pub records: u64,
    /// Records dropped.
    pub drop_records: u64,
    /// Their bytes.
    pub drop_bytes: u64,
}

/// One output's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputStat {
    /// Alias or `plugin.N`.
    pub name: String,
    /// Records delivered.
    pub proc_records: u64,
    /// Their bytes.
    pub proc_bytes: u64,
    /// Chunks given up at once.
    pub errors: u64,
    /// Retries scheduled.
    pub retries: u64,
    /// Chunks given up after their last retry.
    pub retries_failed: u64,
    /// Records of those.
    pub dropped_records: u64,
    /// Records of the retries.
    pub retried_records: u64,
}

/// Deliveries from one input to one output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteStat {
    /// The input's name.
    pub input: String,
    /// The output's name.
    pub output: String,
    /// Records.
    pub records: u64,
    /// Bytes.
    pub bytes: u64,
    /// Chunks.
    pub chunks: u64,
}

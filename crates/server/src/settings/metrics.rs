//! How much of the past of agents' metrics is kept (decision D12).

use std::time::Duration;

use serde::Serialize;

use super::duration;
use super::file::{self, WrongField};

/// The least that a history can be kept in, in bytes.
const LEAST_BYTES: u64 = 1024 * 1024;

/// How far it may reach back.
const RETENTION: (Duration, Duration) =
    (Duration::from_secs(10 * 60), Duration::from_secs(31 * 24 * 60 * 60));

/// The history of metrics.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct MetricsSettings {
    /// Most bytes of its file; 0 keeps none.
    pub history_bytes: u64,
    /// How far it reaches back, where the file has room for that.
    #[serde(serialize_with = "duration::write")]
    pub history_retention: Duration,
}

impl Default for MetricsSettings {
    fn default() -> Self {
        Self { history_bytes: 1024 * 1024 * 1024, history_retention: Duration::from_secs(24 * 60 * 60) }
    }
}

impl MetricsSettings {
    /// What stands in the file, over the defaults.
    pub(super) fn resolve(file: &file::Metrics) -> Result<Self, WrongField> {
        let default = Self::default();
        let history_bytes = file.history_bytes.unwrap_or(default.history_bytes);
        if (1..LEAST_BYTES).contains(&history_bytes) {
            let message = format!("{history_bytes} is less than {LEAST_BYTES}; 0 keeps no history");
            return Err(WrongField::new("metrics.history_bytes", message));
        }
        Ok(Self {
            history_bytes,
            history_retention: duration::between(
                "metrics.history_retention",
                file.history_retention.as_deref(),
                default.history_retention,
                RETENTION,
            )?,
        })
    }
}

//! How the API tells moments.

use tidegate_api as api;
use tidegate_fleet::Timestamp;

/// A moment as the API tells it.
pub(super) fn time(at: Timestamp) -> api::Timestamp {
    api::Timestamp::from_millisecond(i64::try_from(at.0).unwrap_or(i64::MAX)).unwrap_or(api::Timestamp::MAX)
}

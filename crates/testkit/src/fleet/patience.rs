//! Waiting for what comes by itself.

use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine; a test that reaches it fails.
pub const SOON: Duration = Duration::from_secs(40);

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(40);

/// Looks until there is something to see, at most for `deadline`.
///
/// # Panics
/// When the deadline passes, with `what` was awaited and what the last look found instead.
pub async fn eventually<T>(
    what: &str,
    deadline: Duration,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let begun = Instant::now();
    loop {
        let instead = match look().await {
            Ok(found) => return found,
            Err(instead) => instead,
        };
        assert!(begun.elapsed() < deadline, "no {what} within {deadline:?}; instead: {instead}");
        tokio::time::sleep(PAUSE).await;
    }
}

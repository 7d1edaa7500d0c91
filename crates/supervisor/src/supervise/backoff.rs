//! How long to wait before a crashed agent is started again (hard-cases.md, 1).

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LAST: Duration = Duration::from_secs(60);
/// An agent that ran this long has proven that it can.
const STABLE: Duration = Duration::from_secs(60);

/// Counts crashes in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Backoff {
    crashes: u32,
}

impl Backoff {
    /// Takes note of a crash after `uptime` and says how long to wait: twice as long each time, from 0.5 s to 60 s,
    /// and up to a quarter less by `jitter` (0 to 255), so that agents of one kind do not start in step.
    pub(super) fn crashed(&mut self, uptime: Duration, jitter: u8) -> Duration {
        if uptime >= STABLE {
            self.crashes = 0;
        }
        self.crashes = self.crashes.saturating_add(1);
        let doublings = (self.crashes - 1).min(7);
        let wait = FIRST.saturating_mul(1 << doublings).min(LAST);
        wait - wait.mul_f64(f64::from(jitter) / 1024.0)
    }

    /// True when it has crashed more than once in a row.
    pub(super) fn is_loop(self) -> bool {
        self.crashes > 1
    }

    /// Forgets the crashes: what is started next is something else.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// C190: restarts back off.
    #[test]
    fn given_crashes_in_a_row_then_waits_double_up_to_a_minute_and_start_over_after_a_stable_minute() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.crashed(Duration::ZERO, 0).as_millis()).collect();
        assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
        assert!(backoff.is_loop());
        assert_eq!(backoff.crashed(STABLE, 0), FIRST);
        assert!(!backoff.is_loop());
    }

    #[test]
    fn given_jitter_then_a_wait_shrinks_by_a_quarter_at_most() {
        assert!(Backoff::default().crashed(Duration::ZERO, 255) > Duration::from_millis(375));
    }
}

//! Digests of metrics: of what the looks at the agent have seen anyway, once an interval.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tidegate_custom::metrics::{Counters, Digest, Life};

use crate::kind::Pulse;

/// When digests are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Digests {
    /// The interval; `None` for none at all.
    every: Option<Duration>,
    last: Option<Instant>,
}

impl Digests {
    pub(super) const fn new(every: Option<Duration>) -> Self {
        Self { every, last: None }
    }

    /// A digest of what was seen of process `pid` at `now`, where one is due. `count` is asked only then; what counts
    /// nothing yet is no digest, and the next look may be.
    pub(super) fn due(
        &mut self,
        pid: i32,
        pulse: Pulse,
        now: Instant,
        count: impl FnOnce() -> Vec<(String, Counters)>,
    ) -> Option<Arc<Digest>> {
        let every = self.every?;
        if self.last.is_some_and(|last| now.saturating_duration_since(last) < every) {
            return None;
        }
        let counters = count();
        if counters.is_empty() {
            return None;
        }
        // The rhythm is kept, whatever the looks take; after a long pause it begins anew.
        self.last = Some(match self.last {
            Some(last) if now.saturating_duration_since(last) < every * 2 => last + every,
            _ => now,
        });
        let life = Life {
            pid: u32::try_from(pid).unwrap_or_default(),
            reloads: pulse.generation.unwrap_or_default(),
        };
        Some(Arc::new(Digest {
            uptime: pulse.uptime.unwrap_or_default(),
            every: every.as_secs(),
            ..Digest::new(life, counters)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn given_looks_every_second_when_a_digest_is_due_each_minute_then_it_keeps_its_rhythm() {
        let mut digests = Digests::new(Some(60 * SECOND));
        let start = Instant::now();
        let counted = || vec![("input:a".to_owned(), Counters::default())];
        let mut made = Vec::new();
        for look in 0..400_u32 {
            // A look takes a little longer than its second.
            let now = start + SECOND * look + Duration::from_millis(7) * look;
            let nothing_yet = look < 3;
            let count = || if nothing_yet { Vec::new() } else { counted() };
            let pulse = Pulse { generation: Some(2), uptime: Some(9) };
            if let Some(digest) = digests.due(42, pulse, now, count) {
                assert_eq!(
                    (digest.life(), digest.uptime, digest.every),
                    (Life { pid: 42, reloads: 2 }, 9, 60)
                );
                made.push((now - start).as_secs());
            }
        }
        assert_eq!(made, [3, 63, 123, 183, 243, 303, 363]);
    }

    #[test]
    fn given_no_interval_when_looked_at_then_nothing_is_counted() {
        let mut digests = Digests::new(None);
        let count = || panic!("it was asked");
        assert_eq!(digests.due(1, Pulse::default(), Instant::now(), count), None);
    }

    #[test]
    fn given_a_long_pause_when_it_ends_then_digests_do_not_come_in_a_row() {
        let mut digests = Digests::new(Some(60 * SECOND));
        let start = Instant::now();
        let mut due = |second: u32| {
            let count = || vec![("input:a".to_owned(), Counters::default())];
            digests.due(1, Pulse::default(), start + SECOND * second, count).is_some()
        };
        assert_eq!([0, 1, 600, 601, 659, 660].map(&mut due), [true, false, true, false, false, true]);
    }
}

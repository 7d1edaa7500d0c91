//! How many messages came lately: the totals of the last minute, a second apart.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tidegate_fleet::Timestamp;

/// Totals that are kept: a minute of seconds, and the one that it began with.
const KEPT: usize = 61;

/// The totals of the last minute.
#[derive(Debug, Default)]
pub(crate) struct Flow(Mutex<VecDeque<(Timestamp, u64)>>);

impl Flow {
    /// Takes note of a total.
    pub(crate) fn note(&self, now: Timestamp, total: u64) {
        let mut totals = self.0.lock();
        totals.push_back((now, total));
        while totals.len() > KEPT {
            totals.pop_front();
        }
    }

    /// The rate over so many seconds up to the last total, or over as many as are known; 0 where nothing is known yet.
    pub(crate) fn per_second(&self, seconds: u64) -> f64 {
        let totals = self.0.lock();
        let Some((last_at, last)) = totals.back() else { return 0.0 };
        let begin = last_at.0.saturating_sub(seconds * 1000);
        let first = totals.iter().find(|(at, _)| at.0 >= begin);
        // A clock that was set back leaves nothing between the two.
        let Some((first_at, first)) = first.filter(|(at, _)| at.0 < last_at.0) else { return 0.0 };
        let milliseconds = f64::from(u32::try_from(last_at.0 - first_at.0).unwrap_or(u32::MAX));
        let count = f64::from(u32::try_from(last.saturating_sub(*first)).unwrap_or(u32::MAX));
        count * 1000.0 / milliseconds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_totals_when_asked_for_rates_then_each_is_that_of_its_seconds() {
        let flow = Flow::default();
        assert_eq!([flow.per_second(10), flow.per_second(60)], [0.0; 2]);
        flow.note(Timestamp(0), 100);
        assert_eq!([flow.per_second(10), flow.per_second(60)], [0.0; 2], "one total says nothing");
        for second in 1..=50 {
            flow.note(Timestamp(second * 1000), 100 + second);
        }
        assert_eq!([flow.per_second(10), flow.per_second(60)], [1.0; 2]);
        for second in 51..=100 {
            flow.note(Timestamp(second * 1000), 150 + (second - 50) * 7);
        }
        assert_eq!(flow.per_second(10), 7.0);
        assert_eq!(flow.per_second(60), 6.0, "ten of one a second, fifty of seven");
        assert_eq!(flow.0.lock().len(), KEPT);
        flow.note(Timestamp(5), 500);
        assert_eq!(flow.per_second(10), 0.0, "the clock was set back");
    }
}

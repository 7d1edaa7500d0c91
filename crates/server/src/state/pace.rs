//! A bounded rate, by counting in whole seconds.

use parking_lot::Mutex;
use tidegate_fleet::Timestamp;

/// Grants at most so many a second.
#[derive(Debug)]
pub(crate) struct Pace {
    per_second: u32,
    window: Mutex<(u64, u32)>,
}

impl Pace {
    pub(crate) const fn new(per_second: u32) -> Self {
        Self { per_second, window: Mutex::new((0, 0)) }
    }

    /// True when one more is granted now.
    pub(crate) fn grant(&self, now: Timestamp) -> bool {
        let second = now.0 / 1000;
        let mut window = self.window.lock();
        if window.0 != second {
            *window = (second, 0);
        }
        window.1 += 1;
        window.1 <= self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_more_asks_than_the_rate_then_the_rest_waits_for_the_next_second() {
        let pace = Pace::new(2);
        let granted = [0, 1, 2, 999, 1000, 1001, 1002].map(|now| pace.grant(Timestamp(now)));
        assert_eq!(granted, [true, true, false, false, true, true, false]);
    }
}

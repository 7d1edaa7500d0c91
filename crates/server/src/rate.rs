//! How fast one agent may speak, or one operator call: a bucket that fills at a steady rate, in eight bytes.

use std::time::Duration;

const SECOND: u64 = 1_000_000;

/// How fast anyone may speak.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    /// Microseconds that a message costs, at least one.
    cost: u64,
    /// Microseconds that a speaker may be ahead.
    ahead: u64,
}

/// How far one speaker is ahead of what it may send for long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rate {
    /// When it has caught up, in microseconds of a steady clock.
    even_at: u64,
}

/// Someone sends more than they may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooFast {
    /// After how long its next message would be taken.
    pub(crate) wait: Duration,
}

impl Allowance {
    /// So many messages a second for long, and so many at once. More than a million a second count as a million.
    pub(crate) fn new(per_second: u32, burst: u32) -> Self {
        let cost = (SECOND / u64::from(per_second.max(1))).max(1);
        Self { cost, ahead: cost * u64::from(burst.max(1)) }
    }

    /// Messages that may be sent at once after silence.
    pub(crate) const fn quota(self) -> u64 {
        self.ahead / self.cost
    }

    /// Seconds after which a quota that was used up is whole again, rounded up.
    pub(crate) const fn window(self) -> u64 {
        self.ahead.div_ceil(SECOND)
    }
}

impl Rate {
    /// Counts a message that comes at `now`, in microseconds. One that is refused is not counted.
    pub(crate) fn take(&mut self, now: u64, allowance: Allowance) -> Result<(), TooFast> {
        let even_at = self.even_at.max(now) + allowance.cost;
        match (even_at - now).checked_sub(allowance.ahead) {
            Some(over @ 1..) => Err(TooFast { wait: Duration::from_micros(over) }),
            _ => {
                self.even_at = even_at;
                Ok(())
            }
        }
    }

    /// Messages that would be taken at once at `now`.
    pub(crate) const fn left(self, now: u64, allowance: Allowance) -> u64 {
        allowance.ahead.saturating_sub(self.even_at.saturating_sub(now)) / allowance.cost
    }

    /// Seconds from `now` after which the quota is whole again, rounded up.
    pub(crate) const fn whole_in(self, now: u64) -> u64 {
        self.even_at.saturating_sub(now).div_ceil(SECOND)
    }

    /// True when nothing need be remembered of a speaker.
    pub(crate) const fn is_even(self, now: u64) -> bool {
        self.even_at <= now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_burst_when_it_is_used_up_then_messages_are_taken_at_the_steady_rate() {
        let (allowance, mut rate) = (Allowance::new(10, 5), Rate::default());
        let now = 7 * SECOND;
        for _ in 0..5 {
            assert_eq!(rate.take(now, allowance), Ok(()));
        }
        assert_eq!(rate.take(now, allowance), Err(TooFast { wait: Duration::from_millis(100) }));
        assert_eq!(rate.take(now + SECOND / 20, allowance), Err(TooFast { wait: Duration::from_millis(50) }));
        let taken = (0..1000).filter(|step| rate.take(now + step * SECOND / 100, allowance).is_ok()).count();
        assert!((99..=100).contains(&taken), "{taken} in ten seconds");
    }

    #[test]
    fn given_a_quota_when_it_is_used_and_comes_back_then_what_is_left_is_what_would_be_taken() {
        let (allowance, mut rate, now) = (Allowance::new(2, 5), Rate::default(), 9 * SECOND);
        assert_eq!((allowance.quota(), allowance.window()), (5, 3));
        for left in (0..5).rev() {
            assert_eq!(rate.take(now, allowance), Ok(()));
            assert_eq!(rate.left(now, allowance), left);
        }
        assert!(rate.take(now, allowance).is_err());
        assert_eq!((rate.left(now, allowance), rate.whole_in(now)), (0, 3));
        let later = now + SECOND;
        assert_eq!((rate.left(later, allowance), rate.whole_in(later)), (2, 2));
        assert_eq!((rate.left(100 * SECOND, allowance), rate.whole_in(100 * SECOND)), (5, 0));
        assert_eq!(Allowance::new(u32::MAX, u32::MAX).quota(), u64::from(u32::MAX));
    }

    #[test]
    fn given_an_agent_that_keeps_to_the_rate_when_it_speaks_for_long_then_all_of_it_is_taken() {
        let (allowance, mut rate) = (Allowance::new(10, 1), Rate::default());
        for step in 0..1000 {
            assert_eq!(rate.take(step * SECOND / 10, allowance), Ok(()), "{step}");
        }
        assert!(!rate.is_even(100 * SECOND - 1) && rate.is_even(100 * SECOND));
    }
}

//! Times at which something must be looked at again, in whole seconds: one wheel for a fleet in the place of a timer
//! for each agent.

use tidegate_fleet::Timestamp;

/// Seconds of one turn; what lies further ahead is carried over when its slot comes up.
const SLOTS: u64 = 256;

/// Keys in order of their second.
#[derive(Debug)]
pub(crate) struct Wheel<K> {
    slots: Box<[Vec<(u64, K)>]>,
    /// The last second that was taken out; `None` before the first.
    taken: Option<u64>,
}

impl<K> Wheel<K> {
    pub(crate) fn new() -> Self {
        Self { slots: (0..SLOTS).map(|_| Vec::new()).collect(), taken: None }
    }

    /// Puts a key in; it comes out in the first second that is wholly after `at`. Gives that second.
    pub(crate) fn put(&mut self, at: Timestamp, key: K) -> u64 {
        let second = (at.0 / 1000 + 1).max(self.taken.map_or(0, |taken| taken + 1));
        self.slot(second).push((second, key));
        second
    }

    fn slot(&mut self, second: u64) -> &mut Vec<(u64, K)> {
        // The modulus is the number of slots.
        &mut self.slots[usize::try_from(second % SLOTS).unwrap_or(0)]
    }

    /// Takes out everything that is due at `now`.
    pub(crate) fn due(&mut self, now: Timestamp) -> Vec<K> {
        let now = now.0 / 1000;
        let from = self.taken.map_or(0, |taken| taken + 1);
        let mut due = Vec::new();
        // A turn at most: after a jump of the clock every slot is looked at once.
        for second in from.max((now + 1).saturating_sub(SLOTS))..=now {
            let slot = self.slot(second);
            let (out, rest): (Vec<_>, Vec<_>) =
                std::mem::take(slot).into_iter().partition(|(at, _)| *at <= now);
            *slot = rest;
            due.extend(out.into_iter().map(|(_, key)| key));
        }
        self.taken = Some(now.max(self.taken.unwrap_or(0)));
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Timestamp {
        Timestamp(seconds * 1000)
    }

    #[test]
    fn given_keys_when_their_second_has_passed_then_they_come_out_once() {
        let mut wheel: Wheel<u8> = Wheel::new();
        let nothing: [u8; 0] = [];
        assert_eq!(wheel.due(at(1000)), nothing);
        wheel.put(Timestamp(1_000_500), 1);
        wheel.put(at(1300), 2);
        wheel.put(at(5), 3);
        assert_eq!(wheel.due(at(1000)), nothing);
        assert_eq!(wheel.due(at(1001)), [1, 3], "what is overdue comes at the next look");
        assert_eq!(wheel.due(at(1300)), nothing, "more than a turn ahead is carried over");
        assert_eq!(wheel.due(at(1301)), [2]);
        assert_eq!(wheel.due(at(9999)), nothing);
    }

    #[test]
    fn given_a_clock_that_jumps_when_looked_at_then_nothing_is_lost() {
        let mut wheel = Wheel::new();
        wheel.due(at(100));
        for second in 0..600 {
            wheel.put(at(100 + second), second);
        }
        let mut out = wheel.due(at(50));
        out.extend(wheel.due(at(10_000)));
        assert_eq!(out.len(), 600);
    }
}

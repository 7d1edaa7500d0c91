//! The time for which an applied config must hold: all its parts seen, without a gap, and never without end.

use std::time::{Duration, Instant};

/// How long the parts may be missing, at first and in between.
const MISSING: Duration = Duration::from_secs(5);
/// How much longer than the probation the whole proof may take.
const OVERTIME: Duration = Duration::from_secs(30);
/// How often the agent is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is looked at while parts are missing.
const POLL: Duration = Duration::from_millis(100);

/// The clock of a probation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probation {
    length: Duration,
    begun: Instant,
    /// Since when the state is what it is.
    since: Instant,
    seen: bool,
}

/// What a look at the agent means to the probation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is passed.
    Held,
    /// Look again after this time.
    Wait(Duration),
    /// Parts were missing for too long.
    Missing,
    /// It neither passed nor failed in all its time.
    Overdue,
}

impl Probation {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        Self { length, begun: now, since: now, seen: false }
    }

    /// Takes a look at `now`: whether all parts are seen, and whether the agent answered just now. A gap lets the
    /// probation start over.
    pub(super) fn step(&mut self, now: Instant, seen: bool, answered: bool) -> Step {
        if seen != self.seen {
            self.seen = seen;
            self.since = now;
        }
        let lasted = now.saturating_duration_since(self.since);
        if seen && answered && lasted >= self.length {
            return Step::Held;
        }
        if !seen && lasted >= MISSING {
            return Step::Missing;
        }
        if now.saturating_duration_since(self.begun) >= self.length.saturating_add(OVERTIME) {
            return Step::Overdue;
        }
        let rest = if seen { self.length.saturating_sub(lasted).min(LOOK) } else { POLL };
        Step::Wait(rest.max(Duration::from_millis(10)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: bool = true;
    const NO: bool = false;

    /// The first end that these looks, each at its second, lead to, and when.
    fn end(length: u64, looks: impl IntoIterator<Item = (u64, bool, bool)>) -> Option<(u64, Step)> {
        let start = Instant::now();
        let mut clock = Probation::new(Duration::from_secs(length), start);
        looks.into_iter().find_map(|(at, seen, answered)| {
            let step = clock.step(start + Duration::from_secs(at), seen, answered);
            (!matches!(step, Step::Wait(_))).then_some((at, step))
        })
    }

    #[test]
    fn given_looks_when_taken_then_only_an_unbroken_probation_passes() {
        for (what, length, looks, expect) in [
            ("seen at once", 0, vec![(0, YES, YES)], Some((0, Step::Held))),
            (
                "seen for long enough",
                3,
                vec![(1, YES, YES), (3, YES, YES), (4, YES, YES)],
                Some((4, Step::Held)),
            ),
            ("seen, missing, seen", 3, vec![(0, YES, YES), (2, NO, YES), (3, YES, YES), (5, YES, YES)], None),
            ("never seen", 3, vec![(0, NO, YES), (4, NO, YES), (5, NO, YES)], Some((5, Step::Missing))),
            (
                "seen and then gone",
                60,
                vec![(0, YES, YES), (40, NO, YES), (45, NO, YES)],
                Some((45, Step::Missing)),
            ),
            ("silent at the end", 3, vec![(0, YES, YES), (3, YES, NO)], None),
        ] {
            assert_eq!(end(length, looks), expect, "{what}");
        }
    }

    #[test]
    fn given_parts_that_come_and_go_when_the_overtime_is_over_then_it_ends() {
        let looks = (0..200).map(|second| (second, second % 4 < 2, YES));
        assert_eq!(end(10, looks), Some((40, Step::Overdue)));
    }
}

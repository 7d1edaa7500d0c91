//! Commit-confirmed: a config counts for good once the server was heard when it had run for a while. One after which the
//! server is silent for a set time may have cut the way to it, and nobody could offer another: what ran before is put
//! back. Where that does not bring the server back either, the config was not to blame, and it runs again.
//!
//! ```text
//! applied ──heard after a while───────────▶ confirmed
//!    └─────silent──▶ taken back, FAILED ──heard──▶ it stays so
//!                          └──────────────silent──▶ applied again, confirmed
//! ```

use std::time::{Duration, Instant};

use crate::{agent::Heard, state::Unconfirmed};

/// How long a config must have run until what is heard says that it leaves the way open: what fills a line or a
/// memory takes its time. Half the time that the server may be silent, where that is less.
const STEADY: Duration = Duration::from_secs(60);

/// What waits for the server.
pub(super) struct Confirmation {
    /// How long the server may be silent; `None`: nothing is confirmed.
    within: Option<Duration>,
    heard: Heard,
    /// Since when it is waited for.
    since: Instant,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing yet.
    Wait,
    /// What runs is settled.
    Settle,
    /// What ran before is to be put back.
    TakeBack,
    /// What was taken back is to be applied again.
    Restore,
}

impl Confirmation {
    pub(super) fn new(within: Option<Duration>, heard: Heard) -> Self {
        Self { within, heard, since: Instant::now() }
    }

    /// Whether applied configs are to be confirmed.
    pub(super) const fn is_on(&self) -> bool {
        self.within.is_some()
    }

    /// Something is to be confirmed from now on.
    pub(super) fn begin(&mut self) {
        self.since = Instant::now();
    }

    /// As [`Self::begin`], after something changed that may bring the server back: it is looked for at once, so that its
    /// silence says something.
    pub(super) fn begin_anew(&mut self) {
        self.begin();
        self.heard.want();
    }

    /// For how long the server may be silent.
    pub(super) fn within(&self) -> Duration {
        self.within.unwrap_or_default()
    }

    /// What is to be done now.
    pub(super) fn step(&self, unconfirmed: &Unconfirmed) -> Step {
        let last = self.heard.last_since(self.since);
        let heard = last.map(|last| last - self.since);
        step(unconfirmed, heard, last.unwrap_or(self.since).elapsed(), self.within)
    }

    /// Whether the server was heard at all since.
    pub(super) fn is_heard(&self) -> bool {
        self.heard.since(self.since)
    }
}

/// What is to be done about a config when the server was last heard so long after it was put in place, if ever, and has
/// been silent for so long. Without a time within which it must be heard, what runs stays.
fn step(
    unconfirmed: &Unconfirmed,
    heard: Option<Duration>,
    silent: Duration,
    within: Option<Duration>,
) -> Step {
    let Some(within) = within else { return Step::Settle };
    let (steady, silence) = match unconfirmed {
        Unconfirmed::Runs { .. } => (STEADY.min(within / 2), Step::TakeBack),
        Unconfirmed::TakenBack { .. } => (Duration::ZERO, Step::Restore),
    };
    match heard {
        Some(heard) if heard >= steady => Step::Settle,
        _ if silent >= within => silence,
        _ => Step::Wait,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Entry;

    #[test]
    fn given_a_config_that_is_not_confirmed_when_the_server_is_heard_or_not_then_the_step_follows() {
        let within = Some(Duration::from_secs(600));
        let runs = Unconfirmed::Runs { former: None };
        let taken_back =
            Unconfirmed::TakenBack { config: Entry { hash: "aa".to_owned(), content: "c".to_owned() } };
        let short = Some(Duration::from_secs(10));
        for (unconfirmed, heard, silent, within, expected) in [
            (&runs, None, 0, within, Step::Wait),
            (&runs, None, 599, within, Step::Wait),
            (&runs, None, 600, within, Step::TakeBack),
            (&runs, Some(1), 0, within, Step::Wait),
            (&runs, Some(59), 599, within, Step::Wait),
            (&runs, Some(59), 600, within, Step::TakeBack),
            (&runs, Some(60), 0, within, Step::Settle),
            (&runs, Some(60), 900, within, Step::Settle),
            (&runs, Some(4), 0, short, Step::Wait),
            (&runs, Some(5), 0, short, Step::Settle),
            (&runs, None, 0, None, Step::Settle),
            (&taken_back, None, 599, within, Step::Wait),
            (&taken_back, Some(1), 0, within, Step::Settle),
            (&taken_back, None, 600, within, Step::Restore),
            (&taken_back, None, 0, None, Step::Settle),
        ] {
            let after = heard.map(Duration::from_secs);
            let found = step(unconfirmed, after, Duration::from_secs(silent), within);
            assert_eq!(found, expected, "{unconfirmed:?}, heard: {heard:?}, silent: {silent}");
        }
    }

    #[test]
    fn given_what_was_heard_before_an_apply_then_it_confirms_nothing() {
        let heard = Heard::default();
        heard.note();
        let confirmation = Confirmation::new(Some(Duration::from_secs(600)), heard.clone());
        let config = Entry { hash: "aa".to_owned(), content: "c".to_owned() };
        let taken_back = Unconfirmed::TakenBack { config };
        assert!(confirmation.step(&taken_back) == Step::Wait && !confirmation.is_heard());
        heard.note();
        assert!(confirmation.step(&taken_back) == Step::Settle && confirmation.is_heard());
    }
}

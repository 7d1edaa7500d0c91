//! Commit-confirmed: a config counts for good once the server was heard after it was applied. One that the server was
//! not heard after for a set time may have cut the way to it, and nobody could offer another: what ran before is put
//! back. Where that does not bring the server back either, the config was not to blame, and it runs again.
//!
//! ```text
//! applied ──heard──────────────────────────▶ confirmed
//!    └─────silent──▶ taken back, FAILED ──heard──▶ it stays so
//!                          └──────────────silent──▶ applied again, confirmed
//! ```

use std::time::{Duration, Instant};

use crate::{agent::Heard, state::Unconfirmed};

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
        step(unconfirmed, self.heard.since(self.since), self.since.elapsed(), self.within)
    }
}

/// What is to be done about a config after which the server was heard, or was silent for so long. Without a time within
/// which it must be heard, what runs stays.
fn step(unconfirmed: &Unconfirmed, heard: bool, silent: Duration, within: Option<Duration>) -> Step {
    match (unconfirmed, within) {
        (_, None) => Step::Settle,
        (_, Some(_)) if heard => Step::Settle,
        (_, Some(within)) if silent < within => Step::Wait,
        (Unconfirmed::Runs { .. }, Some(_)) => Step::TakeBack,
        (Unconfirmed::TakenBack { .. }, Some(_)) => Step::Restore,
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
        for (unconfirmed, heard, silent, within, expected) in [
            (&runs, false, 0, within, Step::Wait),
            (&runs, false, 599, within, Step::Wait),
            (&runs, true, 599, within, Step::Settle),
            (&runs, true, 601, within, Step::Settle),
            (&runs, false, 600, within, Step::TakeBack),
            (&runs, false, 0, None, Step::Settle),
            (&taken_back, false, 599, within, Step::Wait),
            (&taken_back, true, 1, within, Step::Settle),
            (&taken_back, false, 600, within, Step::Restore),
            (&taken_back, false, 0, None, Step::Settle),
        ] {
            let found = step(unconfirmed, heard, Duration::from_secs(silent), within);
            assert_eq!(found, expected, "{unconfirmed:?}, heard: {heard}, silent: {silent}");
        }
    }

    #[test]
    fn given_what_was_heard_before_an_apply_then_it_confirms_nothing() {
        let heard = Heard::default();
        heard.note();
        let confirmation = Confirmation::new(Some(Duration::from_secs(600)), heard.clone());
        let runs = Unconfirmed::Runs { former: None };
        assert_eq!(confirmation.step(&runs), Step::Wait);
        heard.note();
        assert_eq!(confirmation.step(&runs), Step::Settle);
    }
}

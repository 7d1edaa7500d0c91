//! How often something is told that the server asks for: once at once, ever more rarely while it asks with every
//! message (OpAMP C061).

use std::time::{Duration, Instant};

/// Least time between two answers; doubles while the server asks on.
const GAP: Duration = Duration::from_secs(1);

/// Most time between two answers to a server that asks with every message.
const GAP_MAX: Duration = Duration::from_secs(60);

/// Whether something is asked for, and when it may be told.
#[derive(Debug)]
pub(super) struct Pace {
    wanted: bool,
    not_before: Option<Instant>,
    gap: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { wanted: false, not_before: None, gap: GAP }
    }
}

impl Pace {
    /// A message of the server came, and asks for it or does not.
    pub(super) const fn asked(&mut self, asks: bool) {
        if asks {
            self.wanted = true;
        } else {
            self.gap = GAP;
        }
    }

    /// What was told did not arrive: it is due again at once.
    pub(super) const fn again(&mut self) {
        self.wanted = true;
        self.not_before = None;
    }

    /// Nobody waits for it any more.
    pub(super) const fn forget(&mut self) {
        self.wanted = false;
    }

    /// When it is due, where it is asked for; a time that is not after `now` means now.
    pub(super) fn due(&self, now: Instant) -> Option<Instant> {
        self.wanted.then(|| self.not_before.unwrap_or(now))
    }

    /// True when it is to be told now; it counts as told then.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        let due = self.due(now).is_some_and(|due| due <= now);
        if due {
            self.wanted = false;
            self.not_before = Some(now + self.gap);
            self.gap = (self.gap * 2).min(GAP_MAX);
        }
        due
    }

    /// It was told unasked for the first time: the next answer keeps its distance.
    pub(super) fn begin(&mut self, now: Instant) {
        if self.not_before.is_none() {
            self.not_before = Some(now + self.gap);
        }
    }
}

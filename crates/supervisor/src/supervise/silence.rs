//! When an agent that lives and does not answer is started anew (hard-cases.md, 18).

use std::time::Duration;

use crate::{apply::OnHang, machine::Quiet};

/// How long an agent must have answered for the silences before to be forgotten.
const STABLE: Duration = Duration::from_secs(600);
/// The patience doubles at most this often.
const DOUBLINGS: u32 = 6;

/// What is done about an agent that hangs or does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// What runs after a reload that hangs.
    pub on_hang: OnHang,
    /// What is done about an agent that lives and does not answer.
    pub on_silence: OnSilence,
    /// For how long it may not answer before that is done.
    pub silence: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            on_hang: OnHang::default(),
            on_silence: OnSilence::default(),
            silence: Duration::from_secs(30),
        }
    }
}

/// What is done about an agent that does not answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnSilence {
    /// It is started anew, unless somebody has stopped it on purpose (SIGSTOP, a debugger, the freezer).
    #[default]
    Restart,
    /// It is started anew, whoever stopped it.
    RestartStopped,
    /// Nothing: it is told in its health.
    Wait,
}

impl OnSilence {
    /// Each with its word in settings.
    pub const WORDS: [(Self, &'static str); 3] =
        [(Self::Restart, "restart"), (Self::RestartStopped, "restart-stopped"), (Self::Wait, "wait")];

    /// Whether an agent that is silent in this way is started anew. One that waits for a device never is: it could not
    /// be killed, and another must not be started beside it.
    fn acts_on(self, quiet: Quiet) -> bool {
        match (self, quiet) {
            (Self::Wait, _) | (_, Quiet::Waiting) => false,
            (Self::Restart, Quiet::Stopped) => false,
            (Self::Restart | Self::RestartStopped, Quiet::Running)
            | (Self::RestartStopped, Quiet::Stopped) => true,
        }
    }
}

/// Counts restarts for silence, so that an agent that is silent again and again is left more and more time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Silences {
    restarts: u32,
}

impl Silences {
    /// Whether an agent that has been silent for so long is to be started anew now.
    pub(super) fn is_over(&mut self, patience: Patience, quiet: Quiet, silent: Duration) -> bool {
        let wait = patience.silence.saturating_mul(1 << self.restarts.min(DOUBLINGS));
        let is_over = patience.on_silence.acts_on(quiet) && silent >= wait;
        if is_over {
            self.restarts = self.restarts.saturating_add(1);
        }
        is_over
    }

    /// Takes note of an agent that answers and has run for so long.
    pub(super) fn answers(&mut self, uptime: Duration) {
        if uptime >= STABLE {
            self.restarts = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn patience(on_silence: OnSilence) -> Patience {
        Patience { on_silence, ..Patience::default() }
    }

    /// Hard case 18: by policy, and never for a process that could not be killed.
    #[test]
    fn given_silent_agents_when_judged_then_only_those_that_the_policy_names_are_started_anew() {
        for (policy, expect) in [
            (OnSilence::Restart, [true, false, false]),
            (OnSilence::RestartStopped, [true, true, false]),
            (OnSilence::Wait, [false, false, false]),
        ] {
            let over =
                |quiet| Silences::default().is_over(patience(policy), quiet, Duration::from_secs(86_400));
            assert_eq!([Quiet::Running, Quiet::Stopped, Quiet::Waiting].map(over), expect, "{policy:?}");
        }
    }

    /// Hard case 18: bounded.
    #[test]
    fn given_an_agent_that_falls_silent_again_and_again_then_it_is_left_more_time_until_it_has_run_well() {
        let mut silences = Silences::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            let wait = (0..4000).find(|seconds| {
                silences.is_over(patience(OnSilence::Restart), Quiet::Running, SECOND * *seconds)
            });
            waits.push(wait.unwrap());
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 1920, 1920]);
        silences.answers(STABLE - SECOND);
        assert_ne!(silences, Silences::default());
        silences.answers(STABLE);
        assert_eq!(silences, Silences::default());
    }
}

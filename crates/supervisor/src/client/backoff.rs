//! When to try again: a function of what happened, how long the connection lived, and a random number.

use std::time::Duration;

/// First delay, doubled with each further failure.
const FIRST: Duration = Duration::from_secs(1);

/// Longest delay that is chosen without a word of the server.
const LONGEST: Duration = Duration::from_secs(60);

/// A connection that lived this long was a good one; only then the next loss counts as the first (OpAMP C174).
const STABLE: Duration = Duration::from_secs(30);

/// Least delay where the server throttles without saying for how long (OpAMP C171), or does not let us in
/// (OpAMP C175).
const THROTTLED: Duration = Duration::from_secs(30);

/// Longest delay that a server may ask for; beyond it the supervisor looks by itself.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// Why a connection or a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The connection was lost, could not be opened, or the server failed.
    Lost,
    /// The server asked to wait: for this long, or it did not say.
    Throttled(Option<Duration>),
    /// The server is unavailable (`error_response`): for this long, or it did not say.
    Unavailable(Option<Duration>),
    /// The server does not let this agent in: 401, 403, or a close with 1008.
    Denied,
}

/// Counts failures and says how long to wait.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// Forgets earlier failures: a request was answered.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }

    /// The delay after a connection that lived for `lived` (zero when it was never opened). The first try after a
    /// loss is immediate (OpAMP C173), later ones wait 1 s, 2 s, … to 60 s, each between half and all of it;
    /// what the server asked for is kept and never undercut (OpAMP C168, C170). `random` is any random number.
    pub fn after_connection(&mut self, lived: Duration, reason: Reason, random: u32) -> Duration {
        if lived >= STABLE {
            self.reset();
        }
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        delay(failures.checked_sub(1), reason, random)
    }

    /// The delay after a request that failed: never immediate.
    pub fn after_request(&mut self, reason: Reason, random: u32) -> Duration {
        let failures = self.failures;
        self.failures = failures.saturating_add(1);
        delay(Some(failures), reason, random)
    }
}

fn delay(doublings: Option<u32>, reason: Reason, random: u32) -> Duration {
    let fraction = f64::from(random) / f64::from(u32::MAX);
    let spread = |delay: Duration| delay.mul_f64(0.5 + 0.5 * fraction);
    let own = match doublings {
        None => Duration::ZERO,
        Some(doublings) => spread((FIRST * 2u32.saturating_pow(doublings.min(16))).min(LONGEST)),
    };
    let at_least = |least: Duration| own.max(least.min(LONGEST_ASKED).mul_f64(1.0 + 0.1 * fraction));
    match reason {
        Reason::Lost => own,
        Reason::Throttled(Some(asked)) | Reason::Unavailable(Some(asked)) => at_least(asked),
        Reason::Unavailable(None) => own.max(spread(FIRST)),
        Reason::Throttled(None) | Reason::Denied => at_least(THROTTLED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ZERO: Duration = Duration::ZERO;

    fn secs(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    /// C169, C172–C174: delays grow, also where each connection succeeds and dies.
    #[test]
    fn given_connections_that_die_at_once_then_only_the_first_retry_is_immediate() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> =
            (0..9).map(|_| backoff.after_connection(secs(0.1), Reason::Lost, u32::MAX)).collect();
        let expected = [0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0].map(secs);
        assert_eq!(delays, expected);
        let mut backoff = Backoff::default();
        let unavailable = Reason::Unavailable(None);
        let delays: Vec<_> = (0..5).map(|_| backoff.after_connection(ZERO, unavailable, u32::MAX)).collect();
        assert_eq!(delays, [1.0, 1.0, 2.0, 4.0, 8.0].map(secs));
    }

    /// C173, C174: only a connection that lived resets them.
    #[test]
    fn given_a_stable_connection_when_lost_then_the_retry_is_immediate_again() {
        let mut backoff = Backoff::default();
        for _ in 0..5 {
            backoff.after_connection(ZERO, Reason::Lost, 0);
        }
        assert_eq!(backoff.after_connection(STABLE, Reason::Lost, u32::MAX), ZERO);
        assert_eq!(backoff.after_connection(ZERO, Reason::Lost, u32::MAX), secs(1.0));
    }

    /// C172: jitter.
    #[test]
    fn given_random_numbers_then_delays_lie_between_half_and_all() {
        let delay = |random| Backoff { failures: 3 }.after_connection(ZERO, Reason::Lost, random);
        assert_eq!((delay(0), delay(u32::MAX)), (secs(2.0), secs(4.0)));
    }

    /// C168, C170, C171, C175: nor are 30 s where it throttles without a word, or lets nobody in.
    #[test]
    fn given_a_word_of_the_server_then_it_is_never_undercut() {
        let cases = [
            (Reason::Throttled(Some(secs(5.0))), 0, 5.0),
            (Reason::Throttled(Some(secs(5.0))), u32::MAX, 5.5),
            (Reason::Throttled(None), 0, 30.0),
            (Reason::Denied, 0, 30.0),
            (Reason::Unavailable(Some(secs(20.0))), 0, 20.0),
            (Reason::Unavailable(None), u32::MAX, 1.0),
            (Reason::Throttled(Some(Duration::from_secs(u64::MAX))), 0, 3600.0),
        ];
        for (reason, random, expected) in cases {
            assert_eq!(
                Backoff::default().after_connection(STABLE, reason, random),
                secs(expected),
                "{reason:?}"
            );
        }
    }

    /// C169, C172: over plain HTTP as well.
    #[test]
    fn given_failing_requests_then_none_is_repeated_at_once() {
        let mut backoff = Backoff::default();
        let delays: Vec<_> = (0..3).map(|_| backoff.after_request(Reason::Lost, u32::MAX)).collect();
        assert_eq!(delays, [1.0, 2.0, 4.0].map(secs));
        backoff.reset();
        assert_eq!(backoff.after_request(Reason::Lost, u32::MAX), secs(1.0));
    }
}

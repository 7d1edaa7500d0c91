//! Waiting by asking again, with a deadline.

use std::time::Duration;

use tidegate_api::client::ClientError;
use tokio::time::{Instant, sleep};

use crate::failure::Failure;

/// Pause before the first question is repeated.
const FIRST_PAUSE: Duration = Duration::from_millis(200);

/// Longest pause between two questions.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Questions in a row that may stay without an answer, since a server may restart while we wait.
const MAX_UNANSWERED: u32 = 8;

/// The pauses of one wait.
#[derive(Debug)]
pub(crate) struct Poll {
    deadline: Instant,
    pause: Duration,
    unanswered: u32,
}

impl Poll {
    /// A wait that ends after `timeout`.
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { deadline: Instant::now() + timeout, pause: FIRST_PAUSE, unanswered: 0 }
    }

    /// Pauses before the next question, for longer each time; `false` when the deadline has passed. The last
    /// question is asked at the deadline itself.
    pub(crate) async fn again(&mut self) -> bool {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return false;
        }
        sleep(self.pause.min(left)).await;
        self.pause = longer(self.pause);
        true
    }

    /// The answer to a question; `None` when the server or the network could not give one this time.
    ///
    /// # Errors
    /// [`Failure::Call`] for a refusal, and when too many questions in a row stayed without an answer.
    pub(crate) fn heard<T>(&mut self, answer: Result<T, ClientError>) -> Result<Option<T>, Failure> {
        match answer {
            Ok(answer) => {
                self.unanswered = 0;
                Ok(Some(answer))
            }
            Err(error) if is_passing(&error) && self.unanswered < MAX_UNANSWERED => {
                self.unanswered += 1;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// True for a failure that may be over when asked again.
pub(crate) fn is_passing(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Refused(problem) => problem.status >= 500 || problem.status == 429,
        ClientError::Address { .. } | ClientError::Answer { .. } => false,
    }
}

fn longer(pause: Duration) -> Duration {
    (pause + pause / 4).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use tidegate_api::Problem;

    use super::*;

    fn refused(status: u16) -> Result<(), ClientError> {
        Err(ClientError::Refused(Box::new(Problem { status, ..Problem::default() })))
    }

    #[tokio::test]
    async fn given_a_server_that_is_away_for_a_while_when_polled_then_only_a_long_absence_is_a_failure() {
        let mut poll = Poll::new(Duration::from_secs(1));
        for _ in 0..3 {
            for _ in 0..MAX_UNANSWERED {
                assert!(matches!(poll.heard(refused(503)), Ok(None)));
            }
            assert!(matches!(poll.heard(Ok(())), Ok(Some(()))));
        }
        for _ in 0..MAX_UNANSWERED {
            assert!(matches!(poll.heard(refused(429)), Ok(None)));
        }
        assert!(poll.heard(refused(503)).is_err());
        assert!(Poll::new(Duration::from_secs(1)).heard(refused(404)).is_err());
    }

    #[tokio::test]
    async fn given_a_short_timeout_when_polled_then_it_ends_at_the_deadline() {
        let started = Instant::now();
        let mut poll = Poll::new(Duration::from_millis(300));
        let mut questions = 1;
        while poll.again().await {
            questions += 1;
        }
        assert!((2..=3).contains(&questions), "{questions}");
        assert!(started.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn given_a_pause_then_the_next_is_longer_up_to_a_second() {
        for (pause, expected) in [(200, 250), (400, 500), (900, 1000), (1000, 1000)] {
            assert_eq!(longer(Duration::from_millis(pause)), Duration::from_millis(expected));
        }
    }
}

//! Who is logged in to the console: links that let in once, and sessions that a browser's cookie names. Kept in memory:
//! a restart of the server ends them. Only hashes of what lets in are kept.

mod attempts;
mod book;
mod hosts;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

pub(crate) use attempts::{Peer, Refused};
use book::Book;
pub(crate) use book::{CODE_LIFE, Until};
pub(crate) use hosts::Hosts;

/// The sessions of a server; its copies are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    book: Mutex<Book>,
    /// Told when a session may have ended.
    ended: Notify,
}

/// A secret that was just made.
pub(crate) struct Secret(pub(crate) String);

impl Secret {
    fn new() -> Result<Self, String> {
        let mut random = [0; 32];
        getrandom::fill(&mut random).map_err(|error| format!("there is no randomness: {error}"))?;
        Ok(Self(random.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

impl Sessions {
    /// Makes a code that lets in once, within [`CODE_LIFE`].
    ///
    /// # Errors
    /// Where there is no randomness.
    pub(crate) fn code(&self) -> Result<Secret, String> {
        let code = Secret::new()?;
        self.0.book.lock().add_code(&code.0, Instant::now());
        Ok(code)
    }

    /// Spends a code and begins a session for it.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn exchange(&self, code: &str, peer: Peer) -> Result<(Secret, Until), Refused> {
        self.begin(|book, now| book.spend(code, peer, now))
    }

    /// Begins a session for someone who showed the admin token, or not: `is_right`.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn log_in(&self, is_right: bool, peer: Peer) -> Result<(Secret, Until), Refused> {
        self.begin(|book, now| book.judge(peer, is_right, now))
    }

    fn begin(
        &self,
        judge: impl FnOnce(&mut Book, Instant) -> Result<(), Refused>,
    ) -> Result<(Secret, Until), Refused> {
        let now = Instant::now();
        let mut book = self.0.book.lock();
        judge(&mut book, now)?;
        let session = Secret::new().map_err(|_| Refused::Wrong)?;
        let until = book.begin(&session.0, now);
        // Another one may have given way.
        self.0.ended.notify_waiters();
        Ok((session, until))
    }

    /// When a session ends unless it is used; `None` when there is no such session (any more). It counts as used.
    pub(crate) fn touch(&self, session: &str) -> Option<Until> {
        self.0.book.lock().touch(session, Instant::now())
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) {
        self.0.book.lock().end(session);
        self.0.ended.notify_waiters();
    }

    /// Resolves when a session has ended, by whatever means. To wait for it is no use of it; safe to cancel.
    pub(crate) async fn ended(&self, session: &str) {
        loop {
            let mut ended = pin!(self.0.ended.notified());
            // From here on nothing is missed that is told.
            ended.as_mut().enable();
            let Some(until) = self.0.book.lock().until(session, Instant::now()) else { return };
            tokio::select! {
                () = ended => {}
                () = tokio::time::sleep_until(until.0.into()) => {}
            }
        }
    }
}

/// From now to then.
pub(crate) fn left(until: Until) -> Duration {
    until.0.saturating_duration_since(Instant::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Resolves at once, or is still waiting.
    async fn has_ended(sessions: &Sessions, session: &str) -> bool {
        let mut ended = pin!(sessions.ended(session));
        std::future::poll_fn(|context| std::task::Poll::Ready(ended.as_mut().poll(context).is_ready())).await
    }

    #[tokio::test]
    async fn given_sessions_when_one_ends_or_is_over_then_who_waits_for_it_hears_of_it_and_others_do_not() {
        let sessions = Sessions::default();
        let long_ago = Instant::now().checked_sub(book::IDLE).unwrap();
        sessions.0.book.lock().begin("over", long_ago + Duration::from_millis(50));
        for session in ["told", "other"] {
            sessions.0.book.lock().begin(session, Instant::now());
        }
        sessions.ended("over").await;
        let waiting = tokio::spawn({
            let sessions = sessions.clone();
            async move { sessions.ended("told").await }
        });
        assert!(!has_ended(&sessions, "told").await);
        sessions.end("told");
        waiting.await.unwrap();
        assert!(!has_ended(&sessions, "other").await);
        assert!(has_ended(&sessions, "nobody's").await);
    }
}

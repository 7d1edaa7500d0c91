//! Who is logged in to the console: links that let in once, and sessions that a browser's cookie names. Kept in memory:
//! a restart of the server ends them. Only hashes of what lets in are kept.

mod book;
mod hosts;

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use book::Book;
pub(crate) use book::{CODE_LIFE, Refused, Until};
pub(crate) use hosts::Hosts;

/// The sessions of a server; its copies are one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(Arc<Mutex<Book>>);

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
        self.0.lock().add_code(&code.0, Instant::now());
        Ok(code)
    }

    /// Spends a code and begins a session for it.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn exchange(&self, code: &str) -> Result<(Secret, Until), Refused> {
        self.begin(|book, now| book.spend(code, now))
    }

    /// Begins a session for someone who showed the admin token, or not: `is_right`.
    ///
    /// # Errors
    /// [`Refused`].
    pub(crate) fn log_in(&self, is_right: bool) -> Result<(Secret, Until), Refused> {
        self.begin(|book, now| book.judge(is_right, now))
    }

    fn begin(
        &self,
        judge: impl FnOnce(&mut Book, Instant) -> Result<(), Refused>,
    ) -> Result<(Secret, Until), Refused> {
        let now = Instant::now();
        let mut book = self.0.lock();
        judge(&mut book, now)?;
        let session = Secret::new().map_err(|_| Refused::Wrong)?;
        let until = book.begin(&session.0, now);
        Ok((session, until))
    }

    /// When a session ends unless it is used; `None` when there is no such session (any more). It counts as used.
    pub(crate) fn touch(&self, session: &str) -> Option<Until> {
        self.0.lock().touch(session, Instant::now())
    }

    /// Ends a session.
    pub(crate) fn end(&self, session: &str) {
        self.0.lock().end(session);
    }
}

/// From now to then.
pub(crate) fn left(until: Until) -> Duration {
    until.0.saturating_duration_since(Instant::now())
}

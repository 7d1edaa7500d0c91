//! Acts that must not be carried out twice are written down before they begin, so that a supervisor that was killed, or
//! a host that lost its power, knows of them: what was begun and never ended is answered as unknown, not begun again.

use std::io;
use std::path::Path;

use tidegate_opamp::CustomMessage;

use super::journal::Journal;
use super::remembered::{Key, Remembered, Seen};

/// What is known of messages, in memory and on disk.
#[derive(Debug)]
pub(super) struct Executed {
    remembered: Remembered,
    journal: Journal,
}

impl Executed {
    /// Reads what earlier supervisors wrote down in a state folder; those begun and not ended come beside it.
    pub(super) fn load(state_dir: &Path) -> (Self, Vec<Key>) {
        let mut remembered = Remembered::default();
        let journal = Journal::open(state_dir, &mut remembered);
        let interrupted = remembered.open();
        (Self { remembered, journal }, interrupted)
    }

    /// Looks a message up and notes it, in memory alone.
    pub(super) fn begin(&mut self, key: &Key) -> Seen {
        self.remembered.begin(key)
    }

    /// Writes down that a noted message is about to be carried out; on the disk when this returns.
    ///
    /// # Errors
    /// What the file system said. The message is forgotten then: it must not be carried out, and may come again.
    pub(super) fn write_down(&mut self, key: &Key) -> io::Result<()> {
        self.remembered.set_written(key);
        let written = self.journal.begin(key, &self.remembered);
        if written.is_err() {
            self.remembered.forget(key);
        }
        written
    }

    /// Notes what came of a message, on disk as well if it was written down.
    pub(super) fn finish(&mut self, key: &Key, answer: Option<CustomMessage>) {
        self.remembered.finish(key, answer);
        if let Err(error) = self.journal.end(key, &self.remembered) {
            // After a restart its outcome counts as unknown, which is the truth as far as the disk has it.
            tracing::warn!(id = key.id, %error, "the outcome of a custom message cannot be written down");
        }
    }
}

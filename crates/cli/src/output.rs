//! Our streams: data to stdout, talk to stderr.

use std::io::{self, Write as _};

use crate::failure::Failure;
use crate::sanitise;
use crate::terminal::Terminal;

/// Writes data to stdout and flushes it. The text is already safe: rendering made it so.
///
/// # Errors
/// [`Failure::Write`].
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Failure::Write)
}

/// Talk on stderr; each text is made safe here. Nobody can be told when stderr is gone, so errors are let go.
#[derive(Clone, Debug)]
pub(crate) struct Talk {
    rewrites: bool,
}

impl Talk {
    /// Talk for this terminal.
    pub(crate) fn new(terminal: Terminal) -> Self {
        Self { rewrites: terminal.rewrites }
    }

    /// Says one line.
    pub(crate) fn say(&self, text: &str) {
        write(&format!("{}\n", sanitise::line(text)));
    }

    /// Says why the command failed.
    pub(crate) fn failure(&self, failure: &Failure) {
        if failure.is_broken_pipe() {
            return;
        }
        for (index, line) in failure.lines().iter().enumerate() {
            let prefix = if index == 0 { "error: " } else { "" };
            self.say(&format!("{prefix}{line}"));
        }
    }

    /// Asks a question and leaves the cursor behind it.
    pub(crate) fn ask(&self, question: &str) {
        write(&sanitise::line(question));
    }

    /// A line that shows how far something has come.
    pub(crate) fn progress(&self) -> Progress {
        Progress { rewrites: self.rewrites, last: String::new() }
    }
}

/// A line of progress: rewritten in place on a terminal, printed when it changed otherwise.
#[derive(Debug)]
pub(crate) struct Progress {
    rewrites: bool,
    last: String,
}

impl Progress {
    /// Shows the line, when it is another than before.
    pub(crate) fn show(&mut self, text: &str) {
        if text == self.last {
            return;
        }
        text.clone_into(&mut self.last);
        write(&frame(text, self.rewrites));
    }
}

/// A line of progress as it is written: over the one before, or below it.
fn frame(text: &str, rewrites: bool) -> String {
    let text = sanitise::line(text);
    if rewrites { format!("\r\x1b[2K{text}") } else { format!("{text}\n") }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.rewrites && !self.last.is_empty() {
            write("\n");
        }
    }
}

fn write(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_progress_then_a_terminal_sees_it_in_place_and_a_file_line_by_line() {
        assert_eq!(frame("1 of 2\r", true), "\r\x1b[2K1 of 2\\r");
        assert_eq!(frame("1 of 2", false), "1 of 2\n");
    }
}

//! The end of a process that nobody asked for: what ended it, in words (hard-cases.md, 11, 19 and 20).

use std::time::Duration;

use super::{Machine, Running};
use crate::{
    child::{Exit, is_free},
    report::Phase,
    text,
};

/// An agent that ends in order within this time has not run at all.
const AT_ONCE: Duration = Duration::from_secs(2);
/// What a process says within this time before its end tells why it could not start.
const AT_START: Duration = Duration::from_secs(10);

impl Machine {
    /// Takes note of the end of the process, with the last that it said.
    pub fn has_ended(&mut self, exit: Exit, phase: Phase) -> String {
        self.read_log();
        let name = self.fixed.kind.service_name();
        let how = self.how_it_ended(exit);
        let last =
            self.last_error_line.as_deref().map(|line| ("error", line)).or_else(|| self.last_words(exit));
        self.trouble = match last {
            Some((what, line)) => format!("{name} {how}; its last {what} was: {}", text::head(line, 500)),
            None => format!("{name} {how}"),
        };
        self.escaped = self.running.take().and_then(|running| escaped(&running, exit));
        self.phase = phase;
        self.quiet = None;
        self.components.clear();
        self.publish_health();
        self.trouble.clone()
    }

    /// How the process ended. Where its control group counts kills for memory, a kill is told from one of those.
    #[must_use]
    pub fn how_it_ended(&self, exit: Exit) -> String {
        let Some((groups, before)) = self.running.as_ref().map(|running| &running.groups) else {
            return exit.to_string();
        };
        match (exit, *before, groups.oom_kills()) {
            (Exit::Signal(9) | Exit::Unknown, Some(before), Some(now)) if now > before => {
                "was killed by the kernel with SIGKILL (signal 9) because memory ran out (OOM): its control group, or \
                 the host, is at its limit"
                    .to_owned()
            }
            (Exit::Signal(9), Some(_), Some(_)) => {
                "was killed by SIGKILL (signal 9), by somebody and not for lack of memory".to_owned()
            }
            _ => exit.to_string(),
        }
    }

    /// The last line of a process that could not start and logged no error: the loader's complaint of a missing library
    /// is such a line.
    fn last_words(&self, exit: Exit) -> Option<(&'static str, &str)> {
        let young = self.running.as_ref().is_some_and(|running| running.since.elapsed() < AT_START);
        let failed = matches!(exit, Exit::Code(code) if code != 0);
        self.log.recent().next_back().filter(|_| young && failed).map(|line| ("line", line))
    }
}

/// The port of a process that ended at once and in order, if something serves it now.
fn escaped(running: &Running, exit: Exit) -> Option<u16> {
    let at_once = !running.adopted && running.since.elapsed() < AT_ONCE;
    (at_once && exit == Exit::Code(0) && !is_free(running.port)).then_some(running.port)
}

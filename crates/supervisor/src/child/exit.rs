//! How a process ended.

use std::os::unix::process::ExitStatusExt as _;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It ended by itself, with this code.
    Code(i32),
    /// A signal ended it.
    Signal(i32),
    /// It ended, and nobody can say how: an earlier supervisor started it, so its status went elsewhere.
    Unknown,
}

impl Exit {
    /// Reads what the operating system reported.
    #[must_use]
    pub fn from_status(status: std::process::ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(9) => {
                f.write_str("was killed by SIGKILL (signal 9; the kernel does so when memory runs out)")
            }
            Self::Signal(signal) => match signal_name(*signal) {
                Some(name) => write!(f, "was killed by {name} (signal {signal})"),
                None => write!(f, "was killed by signal {signal}"),
            },
            Self::Unknown => {
                f.write_str("ended with an unknown exit code (an earlier supervisor had started it)")
            }
        }
    }
}

/// The name of a signal that commonly ends a process.
fn signal_name(signal: i32) -> Option<&'static str> {
    Some(match signal {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        10 => "SIGUSR1",
        11 => "SIGSEGV",
        12 => "SIGUSR2",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_an_exit_when_shown_then_code_or_signal_is_named() {
        for (exit, expect) in [
            (Exit::Code(255), "exited with code 255"),
            (Exit::Signal(6), "was killed by SIGABRT (signal 6)"),
            (Exit::Signal(40), "was killed by signal 40"),
        ] {
            assert_eq!(exit.to_string(), expect);
        }
        assert!(Exit::Signal(9).to_string().contains("SIGKILL"));
    }
}

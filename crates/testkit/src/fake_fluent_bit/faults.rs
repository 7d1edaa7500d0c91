//! The values of the control file's faults.

use std::str::FromStr;

/// How a hot reload ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReloadFault {
    /// As the config deserves.
    Normal,
    /// HALTED: the old pipeline keeps running.
    Halt,
    /// ABORTED: exit 255.
    Abort,
    /// The old engine never stops.
    Hang,
}

/// What the HTTP server does with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpFault {
    /// Answers.
    Normal,
    /// Listens only this many milliseconds after each engine start.
    Late(u64),
    /// Accepts and never answers.
    Silent,
    /// Answers one byte each 50 ms.
    SlowDrip,
    /// Answers something that is not HTTP.
    Malformed,
    /// Announces and sends a body of 1 GiB.
    Huge,
    /// The same, when asked for the metrics of v2 only.
    HugeMetrics,
    /// Stops listening.
    Refuse,
}

/// The verdict of a dry run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DryRunFault {
    /// As the config deserves.
    Normal,
    /// rc 0.
    Pass,
    /// rc 1.
    Fail,
    /// Never ends.
    Hang,
}

/// How a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// With this exit code.
    Exit(u8),
    /// By this signal, sent to itself.
    Signal(i32),
}

impl FromStr for ReloadFault {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "normal" => Self::Normal,
            "halt" => Self::Halt,
            "abort" => Self::Abort,
            "hang" => Self::Hang,
            _ => return Err(()),
        })
    }
}

impl FromStr for HttpFault {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "normal" => Self::Normal,
            "silent" => Self::Silent,
            "slow_drip" => Self::SlowDrip,
            "malformed" => Self::Malformed,
            "huge" => Self::Huge,
            "huge_metrics" => Self::HugeMetrics,
            "refuse" => Self::Refuse,
            _ => {
                let wait = text.strip_prefix("late:").ok_or(())?;
                Self::Late(wait.parse().map_err(|_| ())?)
            }
        })
    }
}

impl FromStr for DryRunFault {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        Ok(match text {
            "normal" => Self::Normal,
            "pass" => Self::Pass,
            "fail" => Self::Fail,
            "hang" => Self::Hang,
            _ => return Err(()),
        })
    }
}

impl FromStr for Death {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        match text.strip_prefix("sig") {
            Some(number) => number.parse().map(Self::Signal).map_err(|_| ()),
            None => text.parse().map(Self::Exit).map_err(|_| ()),
        }
    }
}

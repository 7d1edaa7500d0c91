//! A program that runs, and ends with its value.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::patience::eventually;

/// A running program whose output goes to a log.
#[derive(Debug)]
pub struct Process(Child);

impl Process {
    /// Starts a program; stdout and stderr are appended to `log`.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command, log: &Path) -> Self {
        let log = File::options().create(true).append(true).open(log).unwrap();
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn();
        Self(child.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")))
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        i32::try_from(self.0.id()).unwrap()
    }

    /// True when it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Ends it with SIGKILL, and reaps it.
    pub fn kill(&mut self) {
        // One that has ended already cannot be killed, which is as well.
        drop(self.0.kill());
        drop(self.0.wait());
    }

    /// Sends SIGTERM and waits for the end.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) -> ExitStatus {
        signal(self.pid(), Signal::TERM);
        self.ends(Duration::from_secs(20)).await
    }

    /// Waits for an end that comes by itself.
    ///
    /// # Panics
    /// When it does not come within `deadline`.
    pub async fn ends(&mut self, deadline: Duration) -> ExitStatus {
        eventually("end of the program", deadline, async || {
            self.0.try_wait().unwrap().ok_or_else(|| "it still runs".to_owned())
        })
        .await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Sends a signal; a process that is gone gets none.
pub(super) fn signal(pid: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(pid) {
        let _ = kill_process(pid, signal);
    }
}

/// True while a process of this number runs.
#[must_use]
pub fn alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

/// When a process started, in the kernel's ticks; `None` when there is none of that number.
pub(super) fn start_ticks(pid: i32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(19)?.parse().ok()
}

//! The processes of a run: each ends with its value, and all of them when the run is interrupted.

use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Those that run.
static RUNNING: Mutex<Vec<u32>> = Mutex::new(Vec::new());

/// Exit code of a run that was interrupted.
const INTERRUPTED: i32 = 130;

/// A process of the run.
#[derive(Debug)]
pub(super) struct Guarded(Child);

impl Guarded {
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        // Held over the start, so that none is missed by an interruption.
        let mut running = RUNNING.lock();
        let child = command.spawn().map_err(|error| format!("cannot start {command:?}: {error}"))?;
        running.push(child.id());
        Ok(Self(child))
    }

    pub(super) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    /// Asks it to end, and waits.
    pub(super) fn stop(&mut self, most: Duration) -> Result<ExitStatus, String> {
        signal(self.pid(), Signal::TERM);
        let begun = Instant::now();
        loop {
            match self.0.try_wait() {
                Ok(Some(status)) => return Ok(status),
                Ok(None) if begun.elapsed() > most => return Err(format!("it did not end within {most:?}")),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let mut running = RUNNING.lock();
        running.retain(|pid| *pid != self.0.id());
        // It may have ended already, and then there is nothing to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _ = kill_process(pid, signal);
    }
}

/// Ends every process of the run when the run itself is told to end.
pub(super) fn end_with_this_process() -> Result<(), String> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).map_err(|error| error.to_string())?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            RUNNING.lock().iter().for_each(|pid| signal(*pid, Signal::KILL));
            std::process::exit(INTERRUPTED);
        }
    });
    Ok(())
}

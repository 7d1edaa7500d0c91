//! Starting, adopting and stopping the process.

use std::time::{Duration, Instant};

use super::{Loaded, Machine, Running, unix_nano};
use crate::{
    child::{self, Child, CommandLine, Exit, SpawnError, Stopped, is_free},
    kind::RenderError,
    report::Phase,
    state::{ChildRecord, StateError},
};

/// Why the process could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Its config cannot be put in place.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its config cannot be rendered for another port.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The binary does not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
}

impl Machine {
    /// Starts a process on a config, without making it the one that counts.
    ///
    /// # Errors
    /// [`StartFault`].
    pub fn start_on(&mut self, config: &Loaded) -> Result<(), StartFault> {
        let counts = std::mem::replace(&mut self.loaded, config.clone());
        let started = self.start();
        self.loaded = counts;
        started
    }

    /// Starts the process on the config that counts; its port is changed first when another process has taken it
    /// (hard-cases.md, 7). Nothing may be running.
    ///
    /// # Errors
    /// [`StartFault`].
    pub fn start(&mut self) -> Result<(), StartFault> {
        if !is_free(self.loaded.rendered.port) {
            let Loaded { origin, source, files, .. } = self.loaded.clone();
            let again = Loaded::prepare(&self.fixed, &self.state, origin, source, files, self.ports())?;
            tracing::warn!(
                taken = self.loaded.rendered.port,
                port = again.rendered.port,
                "the port of the agent's API is taken by another process; another one is used"
            );
            self.adopt_config(again);
        }
        self.install(&self.loaded.rendered)?;
        let config = self.run_file(&self.loaded.rendered);
        let port = self.loaded.rendered.port;
        let line = CommandLine {
            program: self.fixed.binary.clone(),
            args: self.fixed.kind.start_args(&config, port),
            cwd: self.state.run(),
        };
        self.read_log();
        let child = Child::spawn(&line, self.log.writer())?;
        let running = Running::new(child, config, port, unix_nano());
        tracing::info!(pid = running.child.pid(), port, "started {}", self.fixed.kind.service_name());
        self.run(running);
        self.record();
        Ok(())
    }

    /// Writes down which process runs, for the supervisor that may have to adopt it. One that cannot be written is
    /// no reason to stop collecting: it is said, and an adoption will fail.
    pub(super) fn record(&self) {
        let Some(running) = &self.running else { return };
        let Some(program) = child::program_of(running.child.pid()) else { return };
        let record = ChildRecord {
            identity: running.child.identity().clone(),
            program,
            config: running.config.clone(),
            port: running.port,
            started_unix_nano: running.started_unix_nano,
        };
        if let Err(error) = self.state.save_child(&record) {
            tracing::warn!(%error, "a later supervisor will not find this process again");
        }
    }

    /// Takes over the process that an earlier supervisor left.
    pub fn take_over(&mut self, child: Child, record: &ChildRecord) {
        tracing::info!(pid = child.pid(), "adopted the running {}", self.fixed.kind.service_name());
        let running = Running::new(child, record.config.clone(), record.port, record.started_unix_nano);
        self.run(running);
    }

    fn run(&mut self, running: Running) {
        self.running = Some(running);
        self.phase = Phase::Starting;
        self.components.clear();
        self.judge = self.fixed.kind.judge();
        self.storage_fault = None;
        self.last_error_line = None;
        self.publish_health();
    }

    /// Waits for the end of the process; for ever when there is none. May be dropped and called again.
    pub async fn exited(&mut self) -> Exit {
        match &mut self.running {
            Some(running) => running.child.exited().await,
            None => std::future::pending().await,
        }
    }

    /// Takes note of the end of the process, with the last that it said.
    pub fn has_ended(&mut self, exit: Exit, phase: Phase) -> String {
        self.read_log();
        self.running = None;
        self.phase = phase;
        self.components.clear();
        let name = self.fixed.kind.service_name();
        self.trouble = match &self.last_error_line {
            Some(line) => format!("{name} {exit}; its last error was: {}", crate::text::head(line, 500)),
            None => format!("{name} {exit}"),
        };
        self.publish_health();
        self.trouble.clone()
    }

    /// Takes note that the process could not be started.
    pub fn could_not_start(&mut self, fault: &StartFault) {
        self.phase = Phase::Failed;
        self.components.clear();
        self.trouble = fault.to_string();
        self.publish_health();
    }

    /// Stops the process if there is one: SIGTERM, its grace time, SIGKILL.
    pub async fn stop(&mut self) {
        let patience = self.patience();
        if let Some(running) = &mut self.running {
            let (exit, stopped) = running.child.stop(patience).await;
            self.say_stopped(exit, stopped, patience);
        }
        self.forget();
    }

    /// Kills the process if there is one.
    pub async fn kill(&mut self) {
        if let Some(running) = &mut self.running {
            let exit = running.child.kill().await;
            self.say_stopped(exit, Stopped::Killed, Duration::ZERO);
        }
        self.forget();
    }

    fn say_stopped(&self, exit: Exit, stopped: Stopped, patience: Duration) {
        let name = self.fixed.kind.service_name();
        match stopped {
            Stopped::Gracefully => tracing::info!("{name} was stopped: it {exit}"),
            Stopped::Killed => tracing::warn!(
                waited_s = patience.as_secs(),
                "{name} had to be killed; what it had not delivered may be lost"
            ),
        }
    }

    /// Without a process nothing is seen; the phase and the trouble are the caller's to say.
    fn forget(&mut self) {
        self.read_log();
        self.running = None;
        self.components.clear();
    }

    /// Takes note that the process was stopped for good.
    pub fn is_stopped(&mut self) {
        self.phase = Phase::Stopped;
        self.trouble = "was stopped".to_owned();
        self.publish_health();
    }
}

impl Running {
    fn new(child: Child, config: std::path::PathBuf, port: u16, started_unix_nano: u64) -> Self {
        Self {
            child,
            config,
            port,
            started_unix_nano,
            since: Instant::now(),
            pulse: None,
            answered: None,
            misses: 0,
            port_proven: None,
            halted: None,
        }
    }
}

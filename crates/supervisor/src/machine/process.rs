//! Starting, adopting and stopping the process.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::timeout;

use super::{Loaded, Machine, Running, unix_nano};
use crate::{
    child::{Child, CommandLine, Exit, Groups, Identity, SpawnError, is_free},
    kind::RenderError,
    report::Phase,
    state::{ChildRecord, StateError},
};

/// How often the log is read while the process is being stopped.
const LOG_TICK: Duration = Duration::from_secs(1);

/// Why the process could not be started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartFault {
    /// Its config cannot be put in place.
    #[error(transparent)]
    State(#[from] StateError),
    /// Its config cannot be rendered for another port.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// Its former process cannot be killed, and two must never run.
    #[error(
        "the former process {pid} still lives and cannot be killed: it waits for a device or a file system; \
         no other is started until it is gone"
    )]
    Alive {
        /// Its number.
        pid: i32,
    },
    /// The binary does not start.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// It went to the background, out of reach.
    #[error(
        "the former process ended at once and in order, yet port {port} of its API is served: it seems to have gone to \
         the background, where it cannot be supervised; no other is started beside it: end it, and start the agent \
         without a wrapper that sends it there"
    )]
    Escaped {
        /// The port.
        port: u16,
    },
}

impl Machine {
    /// Starts a process on a config, without making it the one that counts.
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn start_on(&mut self, config: &Loaded) -> Result<(), StartFault> {
        let counts = std::mem::replace(&mut self.loaded, config.clone());
        let started = self.start().await;
        self.loaded = counts;
        started
    }

    /// Starts the process on the config that counts; its port is changed first when another process has taken it
    /// (hard-cases.md, 7).
    ///
    /// # Errors
    /// [`StartFault`].
    pub async fn start(&mut self) -> Result<(), StartFault> {
        if let Some(running) = self.running.as_ref().filter(|running| !running.child.has_ended()) {
            return Err(StartFault::Alive { pid: running.child.pid() });
        }
        self.running = None;
        if let Some(port) = self.escaped.filter(|port| !is_free(*port)) {
            return Err(StartFault::Escaped { port });
        }
        self.escaped = None;
        if !is_free(self.loaded.rendered.port) {
            let Loaded { origin, source, files, .. } = self.loaded.clone();
            let again =
                Loaded::prepare(&self.fixed, &self.state, origin, source, files, self.ports()).await?;
            tracing::warn!(
                taken = self.loaded.rendered.port,
                port = again.rendered.port,
                "the port of the agent's API is taken by another process; another one is used"
            );
            self.adopt_config(self.carry(again));
        }
        self.install(&self.loaded.rendered)?;
        let config = self.run_file(&self.loaded.rendered);
        let port = self.loaded.rendered.port;
        let line = CommandLine {
            program: self.fixed.binary.clone(),
            args: self.fixed.kind.start_args(&config, port),
            cwd: self.fixed.cwd.clone(),
        };
        self.read_log();
        self.binary.starts(&self.fixed.binary);
        let record = ChildRecord {
            identity: Identity::unborn(),
            config: config.clone(),
            port,
            started_unix_nano: unix_nano(),
            loaded: self.loaded.fingerprint(),
        };
        // Before it runs: a supervisor that is killed in between leaves one that the next has to look for.
        self.write_down(&record);
        let child = Child::spawn(&line, self.log.writer())?;
        let running = Running::new(child, config, port, record.started_unix_nano, record.loaded);
        tracing::info!(pid = running.child.pid(), port, "started {}", self.fixed.kind.service_name());
        self.run(running);
        self.record();
        Ok(())
    }

    /// Writes down which process runs, for the supervisor that may have to adopt it. One that cannot be written is
    /// no reason to stop collecting: it is said, and the next one looks for the process.
    pub fn record(&self) {
        let Some(running) = &self.running else { return };
        let record = ChildRecord {
            identity: running.child.identity().clone(),
            config: running.config.clone(),
            port: running.port,
            started_unix_nano: running.started_unix_nano,
            loaded: running.loaded.clone(),
        };
        self.write_down(&record);
    }

    fn write_down(&self, record: &ChildRecord) {
        if let Err(error) = self.state.save_child(record) {
            tracing::warn!(%error, "a later supervisor will have to look for this process, and start it anew");
        }
    }

    /// Takes over the process that an earlier supervisor left.
    pub fn take_over(&mut self, child: Child, record: &ChildRecord) {
        tracing::info!(pid = child.pid(), "adopted the running {}", self.fixed.kind.service_name());
        let running = Running::new(
            child,
            record.config.clone(),
            record.port,
            record.started_unix_nano,
            record.loaded.clone(),
        );
        self.run(Running { adopted: true, ..running });
    }

    fn run(&mut self, running: Running) {
        self.running = Some(running);
        self.phase = Phase::Starting;
        // The binary may be another one by now.
        self.components_of.clear();
        self.components.clear();
        self.judge = self.fixed.kind.judge();
        self.storage_fault = None;
        self.foreign_port = false;
        self.quiet = None;
        self.kept_running = None;
        self.loading = false;
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

    /// Takes note that the process could not be started.
    pub fn could_not_start(&mut self, fault: &StartFault) {
        if self.running.is_none() {
            self.phase = Phase::Failed;
            self.components.clear();
        }
        self.trouble = fault.to_string();
        self.publish_health();
    }

    /// Stops the process if there is one: SIGTERM, its grace time, SIGKILL. Its log is read and kept short all the
    /// while.
    ///
    /// # Errors
    /// [`StartFault::Alive`] when it cannot even be killed: it is still the one that runs then.
    pub async fn stop(&mut self) -> Result<(), StartFault> {
        let patience = self.patience();
        let begun = Instant::now();
        let told = self.running.as_ref().is_some_and(|running| running.child.signal(Signal::TERM).is_ok());
        while told && begun.elapsed() < patience {
            let wait = LOG_TICK.min(patience.saturating_sub(begun.elapsed()));
            if let Ok(exit) = timeout(wait, self.exited()).await {
                tracing::info!("{} was stopped: it {exit}", self.fixed.kind.service_name());
                self.forget();
                return Ok(());
            }
            self.read_log();
        }
        self.kill().await
    }

    /// Kills the process if there is one.
    ///
    /// # Errors
    /// [`StartFault::Alive`] when it lives on: it is still the one that runs then.
    pub async fn kill(&mut self) -> Result<(), StartFault> {
        let name = self.fixed.kind.service_name();
        if let Some(running) = &mut self.running
            && !running.child.has_ended()
        {
            let pid = running.child.pid();
            if running.child.kill().await.is_none() {
                running.unkillable = true;
                let fault = StartFault::Alive { pid };
                tracing::error!("{fault}");
                self.trouble = fault.to_string();
                self.publish_health();
                return Err(fault);
            }
            tracing::warn!("{name} had to be killed; what it had not delivered may be lost");
        }
        self.forget();
        Ok(())
    }

    /// Without a process nothing is seen; the phase and the trouble are the caller's to say.
    fn forget(&mut self) {
        self.read_log();
        self.running = None;
        self.components.clear();
    }

    /// Takes note that the process was stopped for good; one that cannot be killed is told as such.
    pub fn is_stopped(&mut self) {
        if self.running.is_some() {
            return self.publish_health();
        }
        self.phase = Phase::Stopped;
        self.trouble = "was stopped".to_owned();
        self.publish_health();
    }
}

impl Running {
    fn new(
        child: Child,
        config: std::path::PathBuf,
        port: u16,
        started_unix_nano: u64,
        loaded: String,
    ) -> Self {
        let groups = Groups::of(child.pid());
        let kills = groups.oom_kills();
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
            unkillable: false,
            loaded,
            port_unreadable: false,
            reloaded_unasked: false,
            adopted: false,
            groups: (groups, kills),
        }
    }
}

#[cfg(test)]
mod tests;

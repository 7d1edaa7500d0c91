//! Starting, adopting and stopping the process.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use tokio::time::timeout;

use super::{Loaded, Machine, Running, unix_nano};
use crate::{
    child::{Child, CommandLine, Exit, SpawnError, is_free},
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
    /// (hard-cases.md, 7).
    ///
    /// # Errors
    /// [`StartFault`].
    pub fn start(&mut self) -> Result<(), StartFault> {
        if let Some(running) = self.running.as_ref().filter(|running| !running.child.has_ended()) {
            return Err(StartFault::Alive { pid: running.child.pid() });
        }
        self.running = None;
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
        let loaded = self.loaded.fingerprint();
        let running = Running::new(child, config, port, unix_nano(), loaded);
        tracing::info!(pid = running.child.pid(), port, "started {}", self.fixed.kind.service_name());
        self.run(running);
        self.record();
        Ok(())
    }

    /// Writes down which process runs, for the supervisor that may have to adopt it. One that cannot be written is
    /// no reason to stop collecting: it is said, and an adoption will fail.
    pub fn record(&self) {
        let Some(running) = &self.running else { return };
        let record = ChildRecord {
            identity: running.child.identity().clone(),
            config: running.config.clone(),
            port: running.port,
            started_unix_nano: running.started_unix_nano,
            loaded: running.loaded.clone(),
        };
        if let Err(error) = self.state.save_child(&record) {
            tracing::warn!(%error, "a later supervisor will not find this process again");
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
        self.run(running);
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::AgentReport,
        child::{Identity, LogTail},
        kind::{LineVerdict, Source, fluent_bit::FluentBit},
        machine::{Fixed, Origin, Ports},
        report::{Host, Publisher},
        state::StateDir,
    };
    use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::Arc};

    /// A machine whose agent is this shell script.
    fn machine(script: &str) -> (Machine, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let binary = folder.path().join("agent");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).mode(0o755).open(&binary).unwrap();
        file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
        drop(file);
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        let fixed = Fixed {
            kind: Arc::new(FluentBit),
            binary,
            uid: "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap(),
            host: Host::of_this_machine(),
            attributes: std::collections::BTreeMap::new(),
            redaction: None,
            metrics_interval: None,
            limits: super::super::ConfigLimits::default(),
        };
        let text = "service:\n  grace: 1\npipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: \"null\"\n";
        let source = Source { path: folder.path().join("c.yaml"), text: text.to_owned() };
        let loaded =
            Loaded::prepare(&fixed, &state, Origin::Local, source, Vec::new(), Ports::default()).unwrap();
        let log = LogTail::open(&state.log()).unwrap();
        let first = AgentReport {
            description: Arc::default(),
            health: Arc::default(),
            effective_config: Arc::default(),
            remote_config_status: None,
            digest: None,
            available_components: None,
        };
        let (publisher, _) = Publisher::new(first);
        (Machine::new(fixed, state, log, "1".into(), loaded, publisher), folder)
    }

    #[tokio::test]
    async fn given_a_process_that_runs_when_started_again_then_no_second_one_comes() {
        let (mut machine, _folder) = machine("exec sleep 600");
        machine.start().unwrap();
        let pid = machine.running.as_ref().unwrap().child.pid();
        let fault = machine.start().unwrap_err();
        assert!(matches!(fault, StartFault::Alive { pid: alive } if alive == pid), "{fault}");
        assert_eq!(machine.running.as_ref().unwrap().child.pid(), pid);
        machine.kill().await.unwrap();
        assert!(machine.running.is_none());
        machine.start().unwrap();
        machine.kill().await.unwrap();
    }

    #[tokio::test]
    async fn given_a_fatal_line_in_a_flood_when_read_then_it_is_not_pushed_out() {
        let (mut machine, _folder) = machine("exec sleep 600");
        machine.mark_log();
        let mut writer = machine.log.writer().try_clone().unwrap();
        writer.write_all(b"[2026/11/22 09:57:36.467] [error] [config] dummy: it is wrong\n").unwrap();
        for number in 0..500 {
            writeln!(writer, "[2026/11/22 09:57:36.467] [error] [output:http] {number} lost").unwrap();
        }
        machine.read_log();
        let found = |machine: &Machine| {
            machine
                .marked()
                .any(|(verdict, line)| *verdict == LineVerdict::ConfigError && line.ends_with("it is wrong"))
        };
        assert!(found(&machine));
        assert!(machine.marked().count() < 100, "the rest is bounded");
        machine.mark_log();
        assert!(!found(&machine));
    }

    #[tokio::test]
    async fn given_a_process_that_floods_its_log_when_stopped_then_the_log_stays_short() {
        let (mut machine, _folder) = machine(
            "trap '' TERM; echo ready; while [ ! -e go ]; do sleep 0.01; done; \
             head -c 12000000 /dev/zero; sleep 3",
        );
        machine.start().unwrap();
        let ready = async {
            while machine.last_lines(100) != "ready" {
                machine.read_log();
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), ready).await.unwrap();
        std::fs::write(machine.state.run().join("go"), "").unwrap();
        let (path, pid) = (machine.state.log(), machine.running.as_ref().unwrap().child.pid());
        let shortened = async {
            let mut was_long = false;
            loop {
                let length = std::fs::metadata(&path).unwrap().len();
                if was_long && length < 1_000_000 {
                    return Identity::of(pid).unwrap().is_some();
                }
                was_long |= length > 8_000_000;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let (stopped, alive) = tokio::join!(machine.stop(), timeout(Duration::from_secs(30), shortened));
        stopped.unwrap();
        assert_eq!(alive, Ok(true), "shortened while the process lived");
    }
}

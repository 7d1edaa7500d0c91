//! A supervisor as the program that is shipped, with its agent.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::configs::yaml;
use super::patience::SOON;
use super::process::{Process, signal, start_ticks};
use super::programs::{Agent, program};
use super::scene::Stage;
use crate::fake_fluent_bit::control::CONTROL_VARIABLE;

/// What makes the fake quick where that changes nothing.
const QUICK: &str =
    "reload_ms=100\nstart_failure_ms=50\nstop_ms=20\nmetrics_after_ms=100\nstorage_after_ms=200\n";

/// The name of a supervisor's settings file.
const SETTINGS: &str = "settings.yaml";

/// What a supervisor is started with.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The agent's name, and that of the folder with everything of it.
    pub name: String,
    /// Where the server is.
    pub endpoint: String,
    /// What the host allows, separated by commas.
    pub allow: String,
    /// How long a config must hold.
    pub probation: String,
    /// The pause between heartbeats or polls.
    pub heartbeat: String,
    /// The certificates that the server is verified by.
    pub ca_file: Option<PathBuf>,
    /// The port that ChatOps calls.
    pub chatops_port: u16,
    /// The agent's own config.
    pub config: String,
    /// What stands in a settings file, which flags outrank; empty for none.
    pub settings: String,
    /// What is logged, in the words of `RUST_LOG`.
    pub log: String,
}

impl Wish {
    /// An agent called `name` that allows everything, with one input `own`.
    #[must_use]
    pub fn new(name: &str, endpoint: String) -> Self {
        Self {
            name: name.to_owned(),
            endpoint,
            allow: "remote-config,restart,chatops".to_owned(),
            probation: "0s".to_owned(),
            heartbeat: "30s".to_owned(),
            ca_file: None,
            chatops_port: 1,
            config: yaml("own", ""),
            settings: String::new(),
            log: "info".to_owned(),
        }
    }
}

/// A running `tidegate-supervisor` and its agent; both end with the value.
#[derive(Debug)]
pub struct Supervisor {
    process: Process,
    folder: PathBuf,
    agent: Agent,
    wish: Wish,
}

impl Supervisor {
    /// Starts one.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(stage: &Stage, wish: Wish) -> Self {
        let folder = stage.scene.path().join(&wish.name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("own.yaml"), &wish.config).unwrap();
        if !wish.settings.is_empty() {
            fs::write(folder.join(SETTINGS), &wish.settings).unwrap();
        }
        write_control(&folder, "");
        let process = run(&folder, &stage.agent, &wish);
        Self { process, folder, agent: stage.agent.clone(), wish }
    }

    /// The command that starts one in `folder`, where `own.yaml` is the agent's config and `state` becomes the state
    /// folder.
    #[must_use]
    pub fn command(folder: &Path, agent: &Agent, wish: &Wish) -> Command {
        let mut command = Command::new(program("tidegate-supervisor"));
        command
            .arg("--binary")
            .arg(&agent.binary)
            .arg("--agent-config")
            .arg(folder.join("own.yaml"))
            .arg("--state-dir")
            .arg(folder.join("state"))
            .args(["--kind", "fluent-bit", "--endpoint", &wish.endpoint, "--probation", &wish.probation])
            .args(["--heartbeat", &wish.heartbeat, "--chatops-port", &wish.chatops_port.to_string()])
            .args(["--attribute", &format!("host.name={}", wish.name)])
            .env(CONTROL_VARIABLE, folder.join("control.txt"))
            .env("RUST_LOG", &wish.log);
        if !wish.settings.is_empty() {
            command.arg("--config").arg(folder.join(SETTINGS));
        }
        if let Some(file) = &wish.ca_file {
            command.arg("--ca-file").arg(file);
        }
        if !wish.allow.is_empty() {
            command.args(["--allow", &wish.allow]);
        }
        command
    }

    /// Starts one in the place of this, which has ended.
    pub fn start_again(&mut self) {
        self.process = run(&self.folder, &self.agent, &self.wish);
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.process.pid()
    }

    /// Stops the agent's process with SIGSTOP.
    pub fn stop_agent(&self) {
        signal(self.agent_pid(), Signal::STOP);
    }

    /// Ends it with SIGKILL; its agent runs on.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Ends it in order, its agent with it.
    ///
    /// # Panics
    /// When it does not end.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.stop().await
    }

    /// The folder with everything of it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The number of the agent's process, as the supervisor recorded it.
    ///
    /// # Panics
    /// When none is recorded.
    #[must_use]
    pub fn agent_pid(&self) -> i32 {
        // While one is about to be started, there is none to name for a moment.
        let begun = Instant::now();
        loop {
            match self.record() {
                Some((pid, _)) => return pid,
                None if begun.elapsed() < SOON => std::thread::sleep(Duration::from_millis(5)),
                None => panic!("no agent is written down"),
            }
        }
    }

    /// Ends the agent's process with SIGKILL.
    pub fn kill_agent(&self) {
        signal(self.agent_pid(), Signal::KILL);
    }

    /// Makes the fake misbehave, by lines of its control file.
    pub fn misbehave(&self, lines: &str) {
        write_control(&self.folder, lines);
    }

    /// What it and its agents logged.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("supervisor.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Number and start of the agent's process.
    fn record(&self) -> Option<(i32, u64)> {
        let text = fs::read_to_string(self.folder.join("state/child.json")).ok()?;
        let record: Value = serde_json::from_str(&text).ok()?;
        let identity = record.get("identity")?;
        let number = |name| identity.get(name).and_then(Value::as_u64);
        let record = (i32::try_from(number("pid")?).ok()?, number("start_ticks")?);
        // One that is about to be started has no number yet.
        Some(record).filter(|(pid, _)| *pid > 0)
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.process.kill();
        // The agent outlives its supervisor by design, but not the test.
        if let Some((pid, _)) = self.record().filter(|(pid, ticks)| start_ticks(*pid) == Some(*ticks)) {
            signal(pid, Signal::KILL);
        }
    }
}

fn run(folder: &Path, agent: &Agent, wish: &Wish) -> Process {
    Process::start(&mut Supervisor::command(folder, agent, wish), &folder.join("supervisor.log"))
}

/// Replaces the control file in one step, so that no one reads half of it.
pub(super) fn write_control(folder: &Path, lines: &str) {
    let new = folder.join("control.new");
    fs::write(&new, format!("{QUICK}{lines}\n")).unwrap();
    fs::rename(new, folder.join("control.txt")).unwrap();
}

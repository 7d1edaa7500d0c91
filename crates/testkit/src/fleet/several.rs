//! One supervisor with several agents, as the program that is shipped.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;

use super::process::{Process, signal, start_ticks};
use super::programs::program;
use super::scene::Stage;
use super::supervisor::write_control;
use crate::fake_fluent_bit::control::CONTROL_VARIABLE;

/// A running `tidegate-supervisor` whose settings file lists its agents; they end with the value.
#[derive(Debug)]
pub struct Several {
    process: Process,
    folder: PathBuf,
}

impl Several {
    /// Starts one with these settings, to which the binary and the folder for state are added.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(stage: &Stage, settings: &str) -> Self {
        let folder = stage.scene.path().join("several");
        fs::create_dir_all(&folder).unwrap();
        write_control(&folder, "");
        let binary = stage.agent.binary.display();
        let head = format!("state_dir: {}\nagent:\n  binary: {binary}\n", folder.join("state").display());
        fs::write(folder.join("head.yaml"), head).unwrap();
        rewrite(&folder, settings);
        Self { process: run(&folder), folder }
    }

    /// Replaces its settings, and has it read them.
    pub fn reload(&self, settings: &str) {
        rewrite(&self.folder, settings);
        self.tell(Signal::HUP);
    }

    /// Sends it a signal.
    pub fn tell(&self, what: Signal) {
        signal(self.process.pid(), what);
    }

    /// The program.
    pub const fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Starts one in the place of this, which has ended.
    pub fn start_again(&mut self) {
        self.process = run(&self.folder);
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        let bytes = fs::read(self.folder.join("supervisor.log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The number of an agent's process, as the supervisor recorded it; `None` when none is recorded.
    #[must_use]
    pub fn agent_pid(&self, name: &str) -> Option<i32> {
        Some(record(&self.folder.join("state/agents").join(name))?.0)
    }
}

impl Drop for Several {
    fn drop(&mut self) {
        self.process.kill();
        let agents = fs::read_dir(self.folder.join("state/agents")).into_iter().flatten();
        for (pid, ticks) in agents.filter_map(|agent| record(&agent.ok()?.path())) {
            if start_ticks(pid) == Some(ticks) {
                signal(pid, Signal::KILL);
            }
        }
    }
}

fn run(folder: &Path) -> Process {
    let mut command = Command::new(program("tidegate-supervisor"));
    command.arg("--config").arg(folder.join("settings.yaml")).env("RUST_LOG", "info");
    command.env(CONTROL_VARIABLE, folder.join("control.txt"));
    Process::start(&mut command, &folder.join("supervisor.log"))
}

fn rewrite(folder: &Path, settings: &str) {
    let head = fs::read_to_string(folder.join("head.yaml")).unwrap();
    fs::write(folder.join("settings.yaml"), format!("{head}{settings}")).unwrap();
}

/// Number and start of the process in an agent's state folder.
fn record(state: &Path) -> Option<(i32, u64)> {
    let record: Value = serde_json::from_str(&fs::read_to_string(state.join("child.json")).ok()?).ok()?;
    let number = |name| record.get("identity")?.get(name)?.as_u64();
    let record = (i32::try_from(number("pid")?).ok()?, number("start_ticks")?);
    // One that is about to be started has no number yet.
    Some(record).filter(|(pid, _)| *pid > 0)
}

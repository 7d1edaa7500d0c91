//! A supervisor that runs, with its agents.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::super::super::children::Guarded;
use super::super::super::subject::Subject;
use super::super::Tools;
use crate::fake_fluent_bit::control::CONTROL_VARIABLE;
use crate::fleet::yaml;

/// How long agents may take to be healthy.
const HEALTHY: Duration = Duration::from_secs(60);

/// What makes the fake quick where that changes nothing.
const QUICK: &str = "reload_ms=10\nstop_ms=10\nmetrics_after_ms=10\n";

/// A running supervisor; its agents are ended with the value.
pub(super) struct Host {
    process: Option<Guarded>,
    pub(super) folder: PathBuf,
    name: String,
    program: PathBuf,
}

impl Host {
    /// Starts one with so many agents, called `NAME-0` and so on.
    pub(super) fn start(
        tools: &Tools,
        name: &str,
        program: &Path,
        agent: &Path,
        server: &Subject,
        cert: &str,
        agents: u32,
    ) -> Result<Self, String> {
        let folder = tools.data_dir(name);
        let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
        fs::create_dir_all(&folder).map_err(failed)?;
        fs::write(folder.join("control.txt"), QUICK).map_err(failed)?;
        let mut settings = format!(
            "server:\n  endpoint: {}\n  tls: {{ca_file: {cert}}}\nagent: {{binary: {}}}\nstate_dir: {}\nprobation: 0s\n\
             allow: [remote-config, restart]\nagents:\n",
            server.endpoint("wss"),
            agent.display(),
            folder.join("state").display()
        );
        for number in 0..agents {
            let own = folder.join(format!("own-{number}.yaml"));
            fs::write(&own, yaml("own", "")).map_err(failed)?;
            settings.push_str(&format!(
                "  - name: a{number}\n    config: {}\n    attributes: {{host.name: {name}-{number}}}\n",
                own.display()
            ));
        }
        fs::write(folder.join("settings.yaml"), settings).map_err(failed)?;
        let mut host = Self { process: None, folder, name: name.to_owned(), program: program.to_owned() };
        host.run()?;
        Ok(host)
    }

    /// Starts its supervisor.
    pub(super) fn run(&mut self) -> Result<(), String> {
        let log = File::options().create(true).append(true).open(self.folder.join("supervisor.log"));
        let log = log.map_err(|error| format!("cannot open the log: {error}"))?;
        let mut command = Command::new(&self.program);
        command.arg("--config").arg(self.folder.join("settings.yaml"));
        command.env(CONTROL_VARIABLE, self.folder.join("control.txt"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        self.process = Some(Guarded::start(&mut command)?);
        Ok(())
    }

    /// Ends its supervisor with SIGKILL; the agents run on.
    pub(super) fn kill(&mut self) {
        self.process = None;
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.as_ref().map_or(0, Guarded::pid)
    }

    /// Waits until all its agents are healthy.
    pub(super) fn wait_healthy(&self, server: &Subject, agents: u32) -> Result<(), String> {
        let begun = Instant::now();
        let mut rest = server.rest()?;
        loop {
            let path =
                format!("/api/v1/agents?q=name:{}-*%20health:healthy%20connection:connected", self.name);
            let answer = rest.get(&path)?;
            let page: serde_json::Value =
                serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
            if page["items"].as_array().is_some_and(|items| items.len() >= agents as usize) {
                return Ok(());
            }
            if begun.elapsed() > HEALTHY {
                let log = fs::read_to_string(self.folder.join("supervisor.log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or_default();
                return Err(format!("not all of {agents} agents are healthy: {page}; {last}"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // In order, so that the agents end with it; whatever is left is killed with the value.
            let _ = process.stop(Duration::from_secs(20));
        }
        let records = fs::read_dir(self.folder.join("state/agents")).into_iter().flatten().flatten();
        for record in records.map(|entry| entry.path().join("child.json")) {
            let pid = fs::read_to_string(record).ok().and_then(|text| {
                let record: serde_json::Value = serde_json::from_str(&text).ok()?;
                let pid = i32::try_from(record["identity"]["pid"].as_i64()?).ok()?;
                let line = fs::read_to_string(format!("/proc/{pid}/cmdline")).ok()?;
                line.contains(&*self.folder.to_string_lossy()).then_some(pid)
            });
            if let Some(pid) = pid.and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
    }
}

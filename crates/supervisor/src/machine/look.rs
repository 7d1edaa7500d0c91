//! Looking at the process: its log, its answers, whose port it is; and saying what was seen.

use std::time::{Duration, Instant};

use super::{Machine, Quiet, Running, glance::Glance, unix_nano};
use crate::{
    child::{self, Groups, PortOwner, port_owner},
    kind::{ComponentState, LineVerdict, Observation, ProbeError},
    report::{AgentState, Phase, describe, tree},
};

/// How often in a row an agent may fail to answer before that is its fault.
const MISSES: u32 = 3;
/// How long an agent may take to answer after its start.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long a missing component may be on its way.
const COMPONENT_PATIENCE: Duration = Duration::from_secs(5);
/// How long a storage fault that was logged counts.
const FAULT_MEMORY: Duration = Duration::from_secs(60);
/// How often it is checked whose port it is.
const PORT_CHECK: Duration = Duration::from_secs(30);

impl Machine {
    /// Looks once and publishes what changed. May be dropped at any point and called again: the same question is waited
    /// for then, so that whoever comes between, however often, does not keep silence from being seen.
    pub async fn look(&mut self) {
        self.read_log();
        if let Some(running) = &self.running {
            let about = (running.child.pid(), running.port);
            let glance = match self.glance.take().filter(|glance| glance.about == about) {
                Some(begun) => begun,
                None => Glance::new(about, &self.fixed.kind),
            };
            let seen = self.glance.insert(glance).seen().await;
            self.glance = None;
            let disk = self.disk.look(&self.state.run(), self.buffers().as_deref());
            self.take_in(seen, disk);
        }
        self.publish_health();
        if self.phase == Phase::Running {
            self.learn_components().await;
        }
    }

    /// Forgets a look that was begun: what it shows may be from before something that was done.
    pub fn look_anew(&mut self) {
        self.glance = None;
    }

    /// Reads what the agent has logged since the last time.
    pub fn read_log(&mut self) {
        let lines = match self.log.read() {
            Ok(lines) => lines,
            Err(error) => return tracing::warn!(%error, "the agent's log cannot be read"),
        };
        if lines.skipped > 0 {
            tracing::warn!(
                bytes = lines.skipped,
                "the agent logs faster than its log is read; part was passed over"
            );
        }
        for line in lines.lines {
            let verdict = self.fixed.kind.judge_line(&line);
            if verdict == LineVerdict::Quiet || (!verdict.is_decisive() && self.is_about_own(&line)) {
                continue;
            }
            let line = self.publisher.clean(&line).into_owned();
            if verdict == LineVerdict::StorageFault {
                self.storage_fault = Some((Instant::now(), line.clone()));
            }
            if verdict != LineVerdict::ReloadPastReturn {
                self.last_error_line = Some(line.clone());
            }
            self.remember(verdict, line);
        }
    }

    fn take_in(&mut self, seen: Result<Observation, ProbeError>, disk: Option<ComponentState>) {
        let Some(running) = &mut self.running else { return };
        let observation = match seen {
            Ok(observation) => observation,
            Err(error) => return self.missed(&error),
        };
        if let Some(fault) = foreign_port(running) {
            // The answer may be another agent's: none of it is believed.
            self.trouble = fault;
            self.foreign_port = true;
            self.quiet = Some(Quiet::Running);
            self.components.clear();
            return;
        }
        self.foreign_port = false;
        let now = Instant::now();
        running.misses = 0;
        running.answered = Some(now);
        let before = running.pulse.replace(observation.pulse);
        if before.is_some_and(|before| self.fixed.kind.reloaded(&before, &observation.pulse)) {
            // Reloads of ours leave the new pulse behind: this one was somebody else's.
            running.reloaded_unasked = true;
        }
        self.quiet = None;
        let pid = running.child.pid();
        let mut states = self.judge.judge(pid, &observation, now.saturating_duration_since(self.epoch));
        let carries = self.loaded.rendered.own.is_some();
        let hidden = self.fixed.kind.own_telemetry().filter(|_| carries);
        let is_hidden = |name: &str| hidden.is_some_and(|own| own.is_about(name));
        states.retain(|name, _| !is_hidden(name));
        let count = || {
            let mut counters = self.fixed.kind.counters(&observation);
            counters.retain(|(name, _)| !is_hidden(name));
            counters
        };
        if let Some(digest) = self.digests.due(pid, observation.pulse, now, count) {
            self.publisher.digest(digest);
        }
        let settled = observation.pulse.uptime.is_none_or(|uptime| uptime >= COMPONENT_PATIENCE.as_secs());
        for name in &self.loaded.rendered.expected {
            if settled && !states.contains_key(name) {
                let missing =
                    ComponentState::failing("missing", "is in the config but not in the agent's metrics");
                states.insert(name.clone(), missing);
            }
        }
        let complete = self.loaded.rendered.expected.iter().all(|name| states.contains_key(name));
        states.insert("http_api".to_owned(), ComponentState::running());
        states.insert("storage".to_owned(), self.storage(disk));
        if let Some(said) = self.binary.look(&self.fixed.binary) {
            states.insert("binary".to_owned(), said);
        }
        states.extend(self.kept());
        self.components = states;
        if complete {
            self.trouble.clear();
            if matches!(self.phase, Phase::Starting | Phase::Reloading) {
                self.phase = Phase::Running;
            }
        }
        self.note_version(observation.version);
    }

    fn missed(&mut self, error: &ProbeError) {
        let Some(running) = &mut self.running else { return };
        running.misses = running.misses.saturating_add(1);
        let due = match running.answered {
            Some(_) => running.misses >= MISSES,
            None => running.since.elapsed() >= START_PATIENCE,
        };
        if !due || self.loading {
            return;
        }
        let pid = running.child.pid();
        let state = child::stat(pid).ok().flatten().map(|stat| stat.state);
        let (quiet, why) = match state {
            _ if running.unkillable => {
                (Quiet::Waiting, "it cannot be killed; no other is started until it is gone")
            }
            Some('T' | 't') => (Quiet::Stopped, "its process is stopped (SIGSTOP or a debugger)"),
            _ if Groups::of(pid).are_frozen() => (Quiet::Stopped, "its control group is frozen"),
            Some('D') => (Quiet::Waiting, "its process waits for a device and cannot be reached"),
            _ => (Quiet::Running, "its process runs but its API does not answer"),
        };
        self.quiet = Some(quiet);
        self.trouble = format!("does not answer: {why}");
        self.components.insert("http_api".to_owned(), ComponentState::failing("silent", why));
        tracing::debug!(%error, "the agent did not answer");
    }

    fn storage(&self, disk: Option<ComponentState>) -> ComponentState {
        match &self.storage_fault {
            Some((at, line)) if at.elapsed() < FAULT_MEMORY => {
                // The line's own time and chunk name would make a change of every line.
                let space = line.contains("errno=28") || line.contains("No space");
                let said = if space {
                    "no space left for buffered records"
                } else {
                    "cannot store buffered records"
                };
                ComponentState::failing("failing", said)
            }
            _ => disk.unwrap_or_else(ComponentState::running),
        }
    }

    fn note_version(&mut self, version: Option<String>) {
        if let Some(version) = version.filter(|version| *version != self.version) {
            self.version = version;
            self.own.stale = true;
            let Self { fixed, .. } = self;
            let name = fixed.kind.service_name();
            self.publisher.description(describe(
                name,
                &self.version,
                &fixed.uid,
                &fixed.host,
                &fixed.attributes,
            ));
        }
    }

    /// Publishes the health as it is known now, if it changed.
    pub fn publish_health(&self) {
        let state = AgentState {
            phase: self.phase,
            trouble: &self.trouble,
            started_unix_nano: self.running.as_ref().map_or(0, |running| running.started_unix_nano),
            pid: self.running.as_ref().map(|running| running.child.pid()),
            components: &self.components,
            config: &self.config_state,
        };
        let before = self.publisher.newest().health;
        self.publisher.health(tree(&state, &before, unix_nano()));
    }

    /// Takes note of a process that loads another config, and whether that has taken too long.
    pub fn reloading(&mut self, overdue: bool) {
        self.phase = Phase::Reloading;
        self.loading = true;
        self.trouble = if overdue {
            "a reload has not come to its end; collection stands still".to_owned()
        } else {
            String::new()
        };
        self.publish_health();
    }

    /// Takes note of the end of a reload, however it went; the next look shows what came of it.
    pub fn reload_ended(&mut self) {
        self.trouble.clear();
        self.loading = false;
        self.look_anew();
        if let Some(running) = &mut self.running {
            running.misses = 0;
            running.port_proven = None;
        }
    }
}

/// What is wrong with the port, if something is. Checked at first and then every half minute.
fn foreign_port(running: &mut Running) -> Option<String> {
    if running.port_proven.is_some_and(|at| at.elapsed() < PORT_CHECK) {
        return None;
    }
    match port_owner(running.child.pid(), running.port) {
        Ok(PortOwner::Other) => Some(format!("port {} of its API is held by another process", running.port)),
        Ok(_) => {
            running.port_proven = Some(Instant::now());
            running.know_groups();
            None
        }
        Err(error) => {
            // Unreadable tables (another user's process) leave the answer itself as the only witness.
            if !running.port_unreadable {
                running.port_unreadable = true;
                let port = running.port;
                tracing::warn!(port, %error, "it cannot be told whose port it is; its answers are taken as they come");
            }
            running.port_proven = Some(Instant::now());
            None
        }
    }
}

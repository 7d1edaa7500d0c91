//! One agent's process together with all that is needed to run it: its kind, its state folder, its log, the config
//! that it is to load, and what was last seen of it. Whoever holds the machine is the only one who touches the process.

mod binary;
mod components;
mod config;
mod digest;
mod disk;
mod edited;
mod ended;
mod glance;
mod limits;
mod look;
mod own;
mod process;
mod ready;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use tidegate_opamp::InstanceUid;

use crate::{
    child::{Child, Groups, LogTail},
    kind::{AgentKind, ComponentState, HealthJudge, LineVerdict, Pulse},
    own::Cleartext,
    report::{Host, Phase, Publisher, Secrets},
    state::StateDir,
};

pub use config::{CheckError, LOCAL, Loaded, Origin, Ports, check, is_in_place, media_type};
pub use limits::ConfigLimits;
pub use own::Own;
pub use process::StartFault;

/// How many telling log lines are kept between two looks of a proof.
const MARKED: usize = 64;

/// What stays the same as long as the supervisor runs.
#[derive(Debug)]
pub struct Fixed {
    /// The kind of agent.
    pub kind: Arc<dyn AgentKind>,
    /// Its binary.
    pub binary: PathBuf,
    /// Its uid.
    pub uid: InstanceUid,
    /// Where it runs.
    pub host: Host,
    /// What its owner says of it.
    pub attributes: BTreeMap<String, String>,
    /// What marks in the place of the secrets of the host's own config are made with; `None` shows all secrets.
    pub redaction: Option<tidegate_fluent::redact::Key>,
    /// How often a digest of its metrics is made, if at all.
    pub metrics_interval: Option<Duration>,
    /// What offered configs may name.
    pub limits: ConfigLimits,
    /// Where its own telemetry may go without TLS; `None` where it goes nowhere.
    pub own_telemetry: Option<Cleartext>,
    /// Its working directory, from which it takes relative paths of data: files that it follows or writes, databases,
    /// buffers. The folder of the host's own config, whatever config runs, so that an offered one finds the data of the
    /// one that it replaces.
    pub cwd: PathBuf,
}

/// The machine.
pub struct Machine {
    /// What stays the same.
    pub fixed: Fixed,
    /// The state folder, locked.
    pub state: StateDir,
    /// Where reports go.
    pub publisher: Publisher,
    /// The config that the run folder holds.
    pub loaded: Loaded,
    /// The process, while there is one.
    pub running: Option<Running>,
    /// Where the process stands.
    pub phase: Phase,
    /// How the last offered config fared.
    pub config_state: ComponentState,
    /// What it is to send of its own.
    pub own: Own,
    log: LogTail,
    version: String,
    /// The version whose components were last looked for; empty before that and after each start.
    components_of: String,
    /// The port used last; kept over restarts where that is possible.
    port: u16,
    /// Why the process is not running or not well.
    trouble: String,
    /// True when its port was last found to be another process's.
    foreign_port: bool,
    /// The first line of each kind that decides an apply, since the last call of [`Machine::mark_log`]: no flood of
    /// others may push it out.
    decisive: Vec<(LineVerdict, String)>,
    /// Other log lines that tell of faults, since the last call of [`Machine::mark_log`].
    marked: VecDeque<(LineVerdict, String)>,
    last_error_line: Option<String>,
    storage_fault: Option<(Instant, String)>,
    disk: disk::Disk,
    binary: binary::Binary,
    quiet: Option<Quiet>,
    /// What is told of a process that was to be stopped and was not.
    kept_running: Option<ComponentState>,
    /// The look that was begun and not ended.
    glance: Option<glance::Glance>,
    /// True while a reload that was asked for here has not come to its end.
    loading: bool,
    /// Secrets of configs that ran or were refused before: older lines of the log may quote them.
    past: Secrets,
    /// The port on which something answered after its process had ended at once and in order.
    escaped: Option<u16>,
    remark: Option<String>,
    judge: Box<dyn HealthJudge>,
    digests: digest::Digests,
    components: BTreeMap<String, ComponentState>,
    epoch: Instant,
}

/// A running process and what was seen of it.
#[derive(Debug)]
pub struct Running {
    /// The process.
    pub child: Child,
    /// The config file it was started with.
    pub config: PathBuf,
    /// The port of 127.0.0.1 on which it should answer.
    pub port: u16,
    /// When it was started, nanoseconds since 1970.
    pub started_unix_nano: u64,
    /// When it was started or adopted, on the clock that only rises.
    pub since: Instant,
    /// The last pulse seen.
    pub pulse: Option<Pulse>,
    /// When it last answered.
    pub answered: Option<Instant>,
    /// How often in a row it has not answered.
    pub misses: u32,
    /// When the listener on its port was last found to be its own.
    pub port_proven: Option<Instant>,
    /// True after a reload that was given up: such a process no longer honours its grace time when it stops, and
    /// ignores signals for a moment (fluent-bit.md, "Hot reload").
    pub halted: Option<Instant>,
    /// True after a kill that has not taken effect: it waits for a device and ends when that lets it.
    pub unkillable: bool,
    /// The fingerprint of the config that it has loaded; empty while that is not certain.
    pub loaded: String,
    /// True when it was said already that it cannot be told whose port it is.
    pub port_unreadable: bool,
    /// True after a reload that nobody here has asked for.
    pub reloaded_unasked: bool,
    /// True for one that an earlier supervisor started.
    pub adopted: bool,
    /// Its control groups, and how often the kernel had killed one of them for memory when it was first seen.
    pub groups: (Groups, Option<u64>),
}

impl Running {
    /// Looks its control groups up again: it may have been moved after its start.
    fn know_groups(&mut self) {
        let groups = Groups::of(self.child.pid());
        if groups != self.groups.0 {
            let kills = groups.oom_kills();
            self.groups = (groups, kills);
        }
    }
}

/// Why an agent that lives does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quiet {
    /// It runs.
    Running,
    /// Somebody has stopped it: by a signal, a debugger or the freezer.
    Stopped,
    /// It waits for a device; it could not be killed.
    Waiting,
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("phase", &self.phase)
            .field("running", &self.running)
            .finish_non_exhaustive()
    }
}

impl Machine {
    /// Puts a machine together; nothing runs yet.
    #[must_use]
    pub fn new(
        fixed: Fixed,
        state: StateDir,
        log: LogTail,
        version: String,
        loaded: Loaded,
        publisher: Publisher,
    ) -> Self {
        let judge = fixed.kind.judge();
        let digests = digest::Digests::new(fixed.metrics_interval);
        let own = Own::load(&state, &fixed);
        let port = loaded.rendered.port;
        let mut machine = Self {
            fixed,
            state,
            publisher,
            loaded,
            running: None,
            phase: Phase::Starting,
            config_state: ComponentState::running(),
            own,
            log,
            version,
            components_of: String::new(),
            port,
            trouble: String::new(),
            foreign_port: false,
            decisive: Vec::new(),
            marked: VecDeque::new(),
            last_error_line: None,
            storage_fault: None,
            disk: disk::Disk::default(),
            binary: binary::Binary::default(),
            quiet: None,
            kept_running: None,
            glance: None,
            loading: false,
            past: Secrets::default(),
            escaped: None,
            remark: None,
            judge,
            digests,
            components: BTreeMap::new(),
            epoch: Instant::now(),
        };
        machine.past = machine.secrets();
        machine
    }

    /// The states of the components when last looked at.
    #[must_use]
    pub fn components(&self) -> &BTreeMap<String, ComponentState> {
        &self.components
    }

    /// Keeps what is to be told of an apply that went well all the same.
    pub fn set_remark(&mut self, remark: String) {
        self.remark = Some(remark);
    }

    /// What is to be told of the last apply, if something is.
    pub fn take_remark(&mut self) -> Option<String> {
        self.remark.take()
    }

    /// Forgets the telling log lines so far: what follows belongs to what is done next.
    pub fn mark_log(&mut self) {
        self.read_log();
        self.marked.clear();
        self.decisive.clear();
    }

    /// The telling log lines since the mark.
    pub fn marked(&self) -> impl Iterator<Item = &(LineVerdict, String)> {
        self.decisive.iter().chain(&self.marked)
    }

    /// Why the process is not running or not well; empty when nothing is known to be wrong.
    #[must_use]
    pub fn trouble(&self) -> &str {
        &self.trouble
    }

    /// Why the process does not answer, and for how long it has not; nothing while it does.
    #[must_use]
    pub fn silence(&self) -> Option<(Quiet, Duration)> {
        let running = self.running.as_ref()?;
        Some((self.quiet?, running.answered.unwrap_or(running.since).elapsed()))
    }

    /// The folder in which the agent buffers records, where it has one.
    #[must_use]
    pub fn buffers(&self) -> Option<PathBuf> {
        self.loaded.rendered.storage.as_ref().map(|folder| self.fixed.cwd.join(folder))
    }

    /// True when its port was last found to be another process's.
    #[must_use]
    pub fn has_foreign_port(&self) -> bool {
        self.foreign_port
    }

    /// Remembers a telling line: the first of each decisive kind for sure, of the others the newest.
    fn remember(&mut self, verdict: LineVerdict, line: String) {
        if verdict.is_decisive() && self.decisive.iter().all(|(known, _)| *known != verdict) {
            return self.decisive.push((verdict, line));
        }
        if self.marked.len() == MARKED {
            self.marked.pop_front();
        }
        self.marked.push_back((verdict, line));
    }

    /// The agent's version; empty while it is not known.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Learns the secrets of a config that is quoted in no answer, whether its host shows secrets or not.
    pub fn keep_secret<'a>(&mut self, texts: impl IntoIterator<Item = &'a str>) {
        texts.into_iter().for_each(|text| self.past.learn(text));
    }

    /// The secrets of the config that runs, and of those before it.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = self.past.clone();
        let included = self.loaded.rendered.included.iter().map(|(_, text)| text);
        included.chain([&self.loaded.source.text]).for_each(|text| secrets.learn(text));
        secrets
    }

    /// The last lines of the agent's log, at most `limit` bytes.
    #[must_use]
    pub fn last_lines(&self, limit: usize) -> String {
        let mut lines: Vec<&str> = Vec::new();
        let mut room = limit;
        for line in self.log.recent().rev() {
            let line = crate::text::head(line, 500);
            if line.len() + 1 > room {
                break;
            }
            room -= line.len() + 1;
            lines.push(line);
        }
        lines.reverse();
        self.publisher.clean(&lines.join("\n")).into_owned()
    }

    /// How long the agent may take to stop by itself.
    #[must_use]
    pub fn patience(&self) -> Duration {
        /// The time that its main loop takes to see a signal, and some more.
        const MARGIN: Duration = Duration::from_secs(5);
        let halted = self.running.as_ref().is_some_and(|running| running.halted.is_some());
        // After a reload that was given up, the agent waits without end; waiting longer gains nothing.
        if halted { MARGIN } else { self.loaded.rendered.grace + MARGIN }
    }
}

/// Nanoseconds since 1970; for reports only, never for waiting.
#[must_use]
pub fn unix_nano() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

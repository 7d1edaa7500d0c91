//! The values that agent kinds give and take.

use std::{borrow::Cow, collections::BTreeMap, ops::Range, path::PathBuf, time::Duration};

/// What a binary says that it can run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    /// Its version; empty where it says none.
    pub version: String,
    /// Its plugins in the kind's own groups: what each does, by name.
    pub groups: BTreeMap<&'static str, BTreeMap<String, String>>,
    /// Where in the output the schema of all their properties stands.
    pub schema: Range<usize>,
}

/// A config file on disk, with the text it is to be read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Where it stands; relative paths in it are meant from its folder, and its extension tells its format.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// What the agent loads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The name that the main file has in the run folder.
    pub name: String,
    /// The main file's content.
    pub text: String,
    /// The files that the source includes, as they stand: path and content.
    pub included: Vec<(PathBuf, String)>,
    /// Included files that had to be rendered too: path and content.
    pub includes: Vec<(PathBuf, String)>,
    /// The port of 127.0.0.1 on which the agent will answer.
    pub port: u16,
    /// The components that must show in its metrics when it runs this config, such as `input:cpu.0`.
    pub expected: Vec<String>,
    /// How long the agent may take to deliver what it holds when it stops.
    pub grace: Duration,
    /// The folder in which the agent buffers records, where it has one; a relative one is meant from the agent's working
    /// directory.
    pub storage: Option<PathBuf>,
    /// What the reader of the config should know, one sentence each.
    pub warnings: Vec<String>,
    /// What was put behind the text, and among the includes, so that the agent sends its own telemetry: no part of the
    /// config, and in no report and no comparison of it.
    pub own: Option<Attached>,
}

/// What a rendered config carries beside itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The end of the text.
    suffix: String,
    /// How many of the includes, from the last.
    files: usize,
}

impl Rendered {
    /// The main file's content less what was put behind it.
    #[must_use]
    pub fn bare(&self) -> &str {
        let suffix = self.own.as_ref().map_or("", |own| &own.suffix);
        self.text.strip_suffix(suffix).unwrap_or(&self.text)
    }

    /// Puts a suffix behind the text, and files among the includes; what was put there before goes.
    pub fn attach(&mut self, suffix: String, files: Vec<(PathBuf, String)>) {
        self.detach();
        self.text.push_str(&suffix);
        self.own = Some(Attached { suffix, files: files.len() });
        self.includes.extend(files);
    }

    /// Takes away what [`Rendered::attach`] has put there.
    pub fn detach(&mut self) {
        self.text.truncate(self.bare().len());
        if let Some(own) = self.own.take() {
            self.includes.truncate(self.includes.len().saturating_sub(own.files));
        }
    }
}

/// What a config reaches of its host at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// What is reached.
    pub touched: Touched,
    /// Whose property it is and which, such as `input tail path`.
    pub what: String,
    /// The value as written.
    pub value: String,
    /// File, line and column.
    pub place: String,
}

/// What a config reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Touched {
    /// A path or a pattern of paths, as the agent will see it.
    File(String),
    /// Something that runs code of its own, by the word that allows it.
    Program(&'static str),
}

/// Chooses the port: given the one that the config asks for, if it does, returns the one to use; `None` when the
/// host has none.
pub type PickPort<'a> = dyn FnMut(Option<u16>) -> Option<u16> + 'a;

/// Ways in which two configs differ, in words.
pub type Differences = Vec<String>;

/// Why a config cannot be rendered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// It is broken; one sentence per fault, with file, line and column.
    #[error("the config is broken: {}", .0.join("; "))]
    Broken(Vec<String>),
    /// It is empty, or has no input or no output: the agent would run and do nothing.
    #[error("the config has nothing to run: {0}")]
    Empty(String),
    /// It names what the host does not let an offered config name; one sentence per fault.
    #[error("this host does not allow it: {}", .0.join("; "))]
    Limits(Vec<String>),
    /// The keys that the supervisor needs cannot be set in it.
    #[error("the config cannot be prepared: {0}")]
    Edit(String),
    /// A file of it, or one that it includes, cannot be read: its file system does not answer.
    #[error("its files could not be read within {} s: a file system that they lie on does not answer", .0.as_secs())]
    Unreachable(Duration),
    /// No port is to be had.
    #[error("no free port of 127.0.0.1 is left for the agent's API")]
    NoPort,
}

/// What a line of an agent's log means to its supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineVerdict {
    /// Nothing.
    Quiet,
    /// Some error of a component; the next observation shows what it means.
    Error,
    /// The agent says that its config is wrong or that a part of it cannot start.
    ConfigError,
    /// The agent cannot store what it takes in.
    StorageFault,
    /// A reload has taken the former config down: it can no longer be given up.
    ReloadPastReturn,
    /// A reload was given up; the former config runs on.
    ReloadHalted,
    /// A reload failed past the point of return; the process ends.
    ReloadAborted,
}

impl LineVerdict {
    /// True for lines that decide how an apply ends.
    #[must_use]
    pub const fn is_decisive(self) -> bool {
        matches!(self, Self::ConfigError | Self::ReloadPastReturn | Self::ReloadHalted | Self::ReloadAborted)
    }
}

/// The least that an agent says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pulse {
    /// How often it has reloaded in this process, where it counts that.
    pub generation: Option<u64>,
    /// How long its current config has run, in seconds.
    pub uptime: Option<u64>,
}

/// Metric values of one component, by the kind's own names.
pub type Metrics = BTreeMap<&'static str, f64>;

/// What an agent says of itself and its components.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// How often it has reloaded, and since when it runs.
    pub pulse: Pulse,
    /// Its version.
    pub version: Option<String>,
    /// Values of the whole process.
    pub process: Metrics,
    /// Values of each component, by name such as `input:cpu.0`.
    pub components: BTreeMap<String, Metrics>,
    /// Why it told no values, where it did not.
    pub unread: Option<String>,
}

/// The component that stands for the metrics by which all others are judged, while these are not known. Nothing is proven
/// meanwhile.
pub const METRICS: &str = "metrics";

/// Why an agent could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The question failed.
    #[error(transparent)]
    Http(#[from] super::HttpError),
    /// It answered with something else than expected.
    #[error("the agent's answer to {path} is not understood: {what}")]
    Answer {
        /// What was asked.
        path: &'static str,
        /// What is wrong with the answer.
        what: String,
    },
    /// It did not answer in time.
    #[error("the agent did not answer within {} s", .0.as_secs_f32())]
    Deadline(Duration),
}

/// How a component fares. The words hold no counters, so that they change only when the state does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentState {
    /// True when it works.
    pub healthy: bool,
    /// One word: `running`, `paused`, `dropping`, ….
    pub status: &'static str,
    /// What is wrong; empty when nothing is.
    pub error: Cow<'static, str>,
}

impl ComponentState {
    /// A component that works.
    #[must_use]
    pub const fn running() -> Self {
        Self { healthy: true, status: "running", error: Cow::Borrowed("") }
    }

    /// A component that works with a remark.
    #[must_use]
    pub const fn working(status: &'static str, remark: &'static str) -> Self {
        Self { healthy: true, status, error: Cow::Borrowed(remark) }
    }

    /// A component that does not work.
    #[must_use]
    pub fn failing(status: &'static str, error: impl Into<Cow<'static, str>>) -> Self {
        Self { healthy: false, status, error: error.into() }
    }
}

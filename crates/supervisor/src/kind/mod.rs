//! What differs from one kind of agent to the next, behind one trait; one folder per kind.
//!
//! ARCHITECTURE.md maps each method to Fluentd as well, so that the second kind needs no change to the core.

pub mod fluent_bit;
mod http;
mod model;
mod own;

use std::{ffi::OsString, future::Future, path::Path, pin::Pin, time::Duration};

use rustix::process::Signal;
use tidegate_custom::metrics::Counters;

use crate::child::Finished;

pub use http::{Client, HttpError, Response};
pub use model::{
    Attached, ComponentState, Differences, Inventory, LineVerdict, METRICS, Metrics, Observation, PickPort,
    ProbeError, Pulse, RenderError, Rendered, Source, Touch, Touched,
};
pub use own::{OwnTelemetry, Signals};

pub(crate) use fluent_bit::glob;

/// A future that may be stored and sent.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of agent.
pub trait AgentKind: Send + Sync + std::fmt::Debug {
    /// The kind's name, as `service.name` in the agent's description.
    fn service_name(&self) -> &'static str;

    /// Arguments that make the binary print its version and end.
    fn version_args(&self) -> Vec<OsString>;

    /// Finds the version in what the binary printed; `None` when the binary is something else.
    fn read_version(&self, output: &str) -> Option<String>;

    /// Arguments that make the binary list what it can run and end; `None` for a kind that has no such list, whose
    /// agents then report none (OpAMP C163).
    fn components_args(&self) -> Option<Vec<OsString>>;

    /// Reads what the binary printed then.
    ///
    /// # Errors
    /// Why it is no list, in words that follow "its binary does not list them:".
    fn read_components(&self, output: &str) -> Result<Inventory, String>;

    /// True for a file name that is usually the main one among several files.
    fn is_main_name(&self, name: &str) -> bool;

    /// The extension (without dot) that a main file needs on disk so that the agent reads it as intended: from its
    /// offered name, its content type, or, failing those, its text.
    fn extension(&self, name: &str, content_type: &str, text: &str) -> &'static str;

    /// The file that the agent is to load in place of the source: the same config with the keys forced that the
    /// supervisor needs, and relative paths made absolute. Reads included files from disk.
    ///
    /// # Errors
    /// [`RenderError`] for a config that the agent could not run, or that has nothing to run.
    fn render(
        &self,
        source: &Source,
        includes: &Path,
        pick_port: &mut PickPort<'_>,
    ) -> Result<Rendered, RenderError>;

    /// How a written config differs from its source, the forced keys aside; empty when it says the same.
    fn differences(&self, source: &Source, written: &Source) -> Differences;

    /// What a config, with all that it includes, reaches of its host.
    fn touches(&self, source: &Source) -> Vec<Touch>;

    /// Arguments that make the binary check a config and end.
    fn check_args(&self, config: &Path) -> Vec<OsString>;

    /// What the check found.
    ///
    /// # Errors
    /// The agent's own words on what is wrong.
    fn judge_check(&self, finished: &Finished) -> Result<(), String>;

    /// Arguments that start the agent for good, answering on `port` of 127.0.0.1.
    fn start_args(&self, config: &Path, port: u16) -> Vec<OsString>;

    /// What is done about the agent's own telemetry; `None` for a kind that cannot be told to send any.
    fn own_telemetry(&self) -> Option<&dyn OwnTelemetry>;

    /// The signal that makes the agent read its config file again.
    fn reload_signal(&self) -> Signal;

    /// True when the agent loads a new config of its own accord between these two pulses of one process.
    fn reloaded(&self, before: &Pulse, now: &Pulse) -> bool;

    /// What a line of the agent's log means.
    fn judge_line(&self, line: &str) -> LineVerdict;

    /// Asks the agent for the least: whether it answers, and how often it has reloaded.
    fn pulse(&self, port: u16, deadline: Duration) -> BoxFuture<'_, Result<Pulse, ProbeError>>;

    /// Asks the agent for all that its health is judged by.
    fn observe(&self, port: u16, deadline: Duration) -> BoxFuture<'_, Result<Observation, ProbeError>>;

    /// What each component counts, for digests of metrics; empty while it is not known.
    fn counters(&self, observation: &Observation) -> Vec<(String, Counters)>;

    /// A fresh judge of the health of the agent's components.
    fn judge(&self) -> Box<dyn HealthJudge>;
}

/// Judges components by what changed between observations of one process. Holds a bounded window of them.
pub trait HealthJudge: Send + Sync {
    /// Takes an observation of process `pid`, made at `now` on a clock that only rises, and gives the state of
    /// each component by name, such as `output:sink`.
    fn judge(
        &mut self,
        pid: i32,
        observation: &Observation,
        now: Duration,
    ) -> std::collections::BTreeMap<String, ComponentState>;
}

//! What a kind does about its agent's own telemetry.

use std::path::{Path, PathBuf};

use tidegate_opamp::AvailableComponents;

use super::Rendered;
use crate::own::Wanted;

/// The signals of its own that an agent can send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    /// Metrics.
    pub metrics: bool,
    /// Logs.
    pub logs: bool,
}

/// A kind whose agents can be told by their config to send their own telemetry.
pub trait OwnTelemetry {
    /// What a build of this version with these components can send.
    fn signals(&self, version: &str, components: &AvailableComponents) -> Signals;

    /// The files that make the agent send what is wanted, with a resource of these attributes; the first is the one
    /// that a config is to include. All stand in `folder`.
    fn files(&self, wanted: &Wanted, resource: &[(String, String)], folder: &Path) -> Vec<(PathBuf, String)>;

    /// What is to stand behind the text of a rendered config, so that it includes that file.
    ///
    /// # Errors
    /// Why it cannot, in a sentence for operators.
    fn attachment(&self, rendered: &Rendered, include: &Path) -> Result<String, String>;

    /// The text of a config less what [`OwnTelemetry::attachment`] has put behind it.
    fn detached<'a>(&self, text: &'a str) -> &'a str;

    /// True for a component, such as `input:opamp_logs`, or a line of the log that belongs to own telemetry: it says
    /// nothing of how the agent does its work.
    fn is_about(&self, component_or_line: &str) -> bool;
}

//! Whether a process could be started now: asked before one that runs is stopped for another (hard-cases.md, 20).

use std::time::Duration;

use super::Machine;
use crate::{
    child::{CommandLine, run_to_end},
    kind::ComponentState,
    text,
};

/// How long the program may take to print its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(10);

impl Machine {
    /// Whether a process could be started on the config that counts: the program runs and is the right one, the files can
    /// be put in place, and the program accepts them. May be dropped.
    ///
    /// # Errors
    /// Why none could, in words.
    pub async fn ready(&self) -> Result<(), String> {
        let (kind, binary) = (&self.fixed.kind, &self.fixed.binary);
        let line =
            CommandLine { program: binary.clone(), args: kind.version_args(), cwd: self.fixed.cwd.clone() };
        let finished = run_to_end(&line, VERSION_DEADLINE).await.map_err(|error| error.to_string())?;
        if kind.read_version(&finished.output).is_none() {
            let (name, said) = (kind.service_name(), text::head(finished.output.trim(), 200));
            return Err(format!(
                "{} is not {name}: it {} and answered {said:?} when asked for its version",
                binary.display(),
                finished.exit
            ));
        }
        let rendered = &self.loaded.rendered;
        self.check(rendered).await.map_err(|error| format!("its config would not be accepted: {error}"))?;
        self.install(rendered).map_err(|error| error.to_string())
    }

    /// Takes note that the process was not stopped for another, and why; told until another runs or a config is applied.
    pub fn keeps_running(&mut self, why: &str) {
        let said = format!("was refused, for the agent could not be started again: {why}");
        self.kept_running = Some(ComponentState::failing("refused", said));
        self.components.extend(self.kept());
        self.publish_health();
    }

    /// What is to be told of that, as a component.
    pub(super) fn kept(&self) -> Option<(String, ComponentState)> {
        Some(("restart".to_owned(), self.kept_running.clone()?))
    }

    /// Takes note that a config was applied, which says that the agent's program and files are sound.
    pub fn is_sound(&mut self) {
        if self.kept_running.take().is_some() {
            self.components.remove("restart");
        }
    }
}

//! The config that an agent is to load: rendered, checked, put in place.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest as _, Sha256};
use tidegate_fluent::redact::Key;

use super::Machine;
use crate::{
    child::{CommandLine, PortOwner, RunError, free_port, is_free, port_owner, run_to_end},
    files::{IN_TIME, in_time},
    hex::hex,
    kind::{RenderError, Rendered, Source},
    report::{Secrets, ShownFile, effective_config},
    state::{Entry, StateDir, StateError},
};

/// How long a check of a config may take; it takes 10 ms.
const CHECK_DEADLINE: Duration = Duration::from_secs(10);

/// Where a config comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The host's own file.
    Local,
    /// An offer of the server.
    Offered(Entry),
}

/// A config in the form in which the agent loads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Where it comes from.
    pub origin: Origin,
    /// The main file as given.
    pub source: Source,
    /// All files as given.
    pub files: Vec<ShownFile>,
    /// What the agent loads.
    pub rendered: Rendered,
}

impl Loaded {
    /// The name of the folder under `configs/` for what belongs to this config.
    #[must_use]
    pub fn content(&self) -> &str {
        match &self.origin {
            Origin::Local => LOCAL,
            Origin::Offered(entry) => &entry.content,
        }
    }

    /// One hash over all that the agent loads by this config: the main file and what it includes as they stand, and
    /// what is rendered of them. It tells whether a process that an earlier supervisor left has loaded the same.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let Rendered { text, included, includes, .. } = &self.rendered;
        let main = [(&self.source.path, &self.source.text)];
        let files = included.iter().chain(includes).map(|(path, text)| (path, text));
        let mut hash = Sha256::new();
        for (path, text) in main.into_iter().chain(files) {
            // With their lengths, so that nothing can pass from one to the next.
            for part in [path.as_os_str().as_encoded_bytes(), text.as_bytes()] {
                hash.update((part.len() as u64).to_be_bytes());
                hash.update(part);
            }
        }
        hash.update(text.as_bytes());
        hex(&hash.finalize())
    }

    /// Renders a config; one that was offered is judged by the limits of the host first. All files that it names are
    /// asked for beside everything else, and not for ever: a file system that does not answer must not hold the
    /// supervision up.
    ///
    /// # Errors
    /// [`RenderError`].
    pub async fn prepare(
        machine: &super::Fixed,
        state: &StateDir,
        origin: Origin,
        source: Source,
        mut files: Vec<ShownFile>,
        ports: Ports,
    ) -> Result<Self, RenderError> {
        let content = match &origin {
            Origin::Local => LOCAL,
            Origin::Offered(entry) => &entry.content,
        };
        let includes = state.config(content).join("rendered");
        let kind = Arc::clone(&machine.kind);
        let limits =
            matches!(origin, Origin::Offered(_)).then(|| (machine.limits.clone(), machine.cwd.clone()));
        let rendering = move || {
            // This reads what the config includes, and follows the links in what it names.
            if let Some((limits, cwd)) = limits {
                limits.judge(&kind.touches(&source), &cwd).map_err(RenderError::Limits)?;
            }
            let rendered = kind.render(&source, &includes, &mut |wanted| ports.pick(wanted));
            rendered.map(|rendered| (source, rendered))
        };
        let (source, rendered) =
            in_time(&state.run(), rendering).await.ok_or(RenderError::Unreachable(IN_TIME))??;
        for warning in &rendered.warnings {
            tracing::warn!(config = %source.path.display(), "{warning}");
        }
        if origin == Origin::Local {
            show_includes(&source, &rendered, &mut files);
        }
        Ok(Self { origin, source, files, rendered })
    }
}

/// Adds the files that the host's own config includes to those that are shown, by their paths from its folder.
fn show_includes(source: &Source, rendered: &Rendered, files: &mut Vec<ShownFile>) {
    let folder = source.path.parent().unwrap_or(Path::new("/"));
    for (path, text) in &rendered.included {
        let name = path.strip_prefix(folder).unwrap_or(path).to_string_lossy().into_owned();
        if files.iter().all(|file| file.name != name) {
            files.push(ShownFile {
                content_type: media_type(&name).to_owned(),
                name,
                body: text.clone().into(),
                role: String::new(),
            });
        }
    }
}

/// The folder of what belongs to the host's own config.
pub const LOCAL: &str = "local";

/// The ports that are at hand.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// The one used last; 0 when there was none.
    pub last: u16,
    /// The number of our process, which may hold its port already.
    pub pid: Option<i32>,
}

impl Ports {
    /// The port to use: the one that the config wants, else the last one, else any.
    fn pick(self, wanted: Option<u16>) -> Option<u16> {
        let ours = |port: u16| {
            self.pid.is_some_and(|pid| port_owner(pid, port).is_ok_and(|owner| owner == PortOwner::Ours))
        };
        [wanted, Some(self.last)]
            .into_iter()
            .flatten()
            .find(|port| is_free(*port) || ours(*port))
            .or_else(|| free_port().ok())
    }
}

/// Why a config was not accepted by the agent's own check.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The agent refuses it.
    #[error("{0}")]
    Refused(String),
    /// The check could not be made.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The files for the check could not be written.
    #[error(transparent)]
    State(#[from] StateError),
}

impl Machine {
    /// Which ports are at hand now.
    #[must_use]
    pub fn ports(&self) -> Ports {
        Ports { last: self.port, pid: self.running.as_ref().map(|running| running.child.pid()) }
    }

    /// The file in the run folder that the agent is to be started with.
    #[must_use]
    pub fn run_file(&self, rendered: &Rendered) -> PathBuf {
        self.state.run().join(&rendered.name)
    }

    /// Lets the agent's binary check a config, beside the one in use, in the same surroundings.
    ///
    /// # Errors
    /// [`CheckError`].
    pub async fn check(&self, rendered: &Rendered) -> Result<(), CheckError> {
        check(&self.fixed, &self.state, rendered).await
    }

    /// Puts a config in place of the one in the run folder. The running process is not told.
    ///
    /// # Errors
    /// [`StateError`]; the former main file stays then.
    pub fn install(&self, rendered: &Rendered) -> Result<(), StateError> {
        write_includes(&self.state, rendered)?;
        self.state.keep(&self.run_file(rendered), rendered.text.as_bytes())
    }

    /// Puts a config in place of the one that runs, which is kept so that [`Machine::install`] of it needs no space.
    ///
    /// # Errors
    /// [`StateError`]; what stood in the run folder stands there then.
    pub fn swap(&self, next: &Rendered) -> Result<(), StateError> {
        let main = self.run_file(next);
        let includes = next.includes.iter().map(|(path, text)| (path, text));
        for (path, text) in includes.chain([(&main, &next.text)]) {
            // What does not change is not replaced, and what was kept before may still be the way back.
            if !self.state.has(path, text.as_bytes()) {
                self.state.retain(path)?;
            }
        }
        self.install(next).inspect_err(|_| {
            if let Err(error) = self.install(&self.loaded.rendered) {
                tracing::error!(%error, "the config that runs could not be put back");
            }
        })
    }

    /// Gives up the files that [`Machine::swap`] kept: there is no way back any more.
    pub fn release(&self, rendered: &Rendered) {
        for (path, _) in &rendered.includes {
            self.state.release(path);
        }
        self.state.release(&self.run_file(rendered));
    }

    /// Makes a config the one that counts: it is reported, and started after a crash.
    pub fn adopt_config(&mut self, loaded: Loaded) {
        self.port = loaded.rendered.port;
        self.loaded = loaded;
        self.past = self.secrets();
        self.report_config();
        // A reload may have moved the API to another port.
        self.record();
        // It may carry own telemetry where the former did not, or the other way round.
        self.publish_own();
    }

    /// Learns the secrets of a config, which no log line and no status may quote from now on.
    pub fn learn_secrets(&self, loaded: &Loaded) {
        if self.fixed.redaction.is_none() {
            return;
        }
        let files = loaded.files.iter().filter_map(|file| std::str::from_utf8(&file.body).ok());
        let included = loaded.rendered.included.iter().map(|(_, text)| text.as_str());
        self.publisher.learn(files.chain(included).chain([loaded.rendered.text.as_str()]));
    }

    /// Reports the config that counts.
    pub fn report_config(&self) {
        self.learn_secrets(&self.loaded);
        let content_type = media_type(&self.loaded.rendered.name);
        let key = self.shown_key();
        self.publisher.effective_config(effective_config(
            &self.loaded.files,
            self.loaded.rendered.bare(),
            content_type,
            key.as_ref(),
        ));
    }

    /// What the marks in the place of secrets are made with, unless they are to be shown. An offer's content is known to
    /// the server, which makes the same marks of it.
    pub(super) fn shown_key(&self) -> Option<Key> {
        self.fixed.redaction.as_ref().map(|own| match &self.loaded.origin {
            Origin::Offered(entry) => Key::new(entry.content.as_bytes()),
            Origin::Local => own.clone(),
        })
    }
}

/// The media type under which a config file is shown, by its extension.
#[must_use]
pub fn media_type(name: &str) -> &'static str {
    if name.ends_with(".yaml") || name.ends_with(".yml") { "text/yaml" } else { "text/plain" }
}

/// True when the run folder holds this config already, which it does only after a check.
#[must_use]
pub fn is_in_place(state: &StateDir, rendered: &Rendered) -> bool {
    let main = state.run().join(&rendered.name);
    let includes = rendered.includes.iter();
    state.has(&main, rendered.text.as_bytes())
        && includes.into_iter().all(|(path, text)| state.has(path, text.as_bytes()))
}

/// Lets the agent's binary check a config.
///
/// # Errors
/// [`CheckError`].
pub async fn check(fixed: &super::Fixed, state: &StateDir, rendered: &Rendered) -> Result<(), CheckError> {
    // The extension tells the format, so the name keeps its end.
    let staged = state.run().join(format!("staged-{}", rendered.name));
    write_includes(state, rendered)?;
    state.write(&staged, rendered.text.as_bytes())?;
    let line = CommandLine {
        program: fixed.binary.clone(),
        args: fixed.kind.check_args(&staged),
        cwd: fixed.cwd.clone(),
    };
    let finished = run_to_end(&line, CHECK_DEADLINE).await;
    // A staged file that stays behind is overwritten by the next one.
    let _ = std::fs::remove_file(&staged);
    let quoted = |said: String| {
        let mut secrets = Secrets::default();
        if fixed.redaction.is_some() {
            secrets.learn(&rendered.text);
            rendered.included.iter().for_each(|(_, text)| secrets.learn(text));
        }
        secrets.clean(&said).into_owned()
    };
    fixed.kind.judge_check(&finished?).map_err(|said| CheckError::Refused(quoted(said)))
}

fn write_includes(state: &StateDir, rendered: &Rendered) -> Result<(), StateError> {
    rendered.includes.iter().try_for_each(|(path, text)| state.keep(path, text.as_bytes()))
}

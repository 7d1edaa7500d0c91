//! What an earlier supervisor left behind: a process that collects. It is taken over whatever else is wrong, and never
//! is a second one started beside it.

use std::{path::Path, time::Duration};

use rustix::process::Signal;
use tokio::time::timeout;

use super::StartError;
use crate::{
    child::{Adoption, Child, adopt},
    files::read_bounded,
    kind::Source,
    machine::{Fixed, Loaded, Machine, Origin, Ports, is_in_place, media_type},
    report::ShownFile,
    state::{ChildRecord, StateDir},
};

/// Largest config file, in bytes.
pub(super) const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;
/// How long an agent may take to end whose config is not known.
const PATIENCE: Duration = Duration::from_secs(305);

/// What is left of an earlier supervisor's work.
pub(super) struct Left {
    /// The port that its agent used last; 0 when there was none.
    pub(super) port: u16,
    /// The process, if it still runs, with what was written down of it.
    pub(super) running: Option<(Child, ChildRecord)>,
}

impl Left {
    /// Looks for it.
    ///
    /// # Errors
    /// [`StartError::Unknown`], or [`StartError::State`] when the record of it cannot be read.
    pub(super) fn find(state: &StateDir) -> Result<Self, StartError> {
        let Some(record) = state.child()? else { return Ok(Self { port: 0, running: None }) };
        let port = record.port;
        let running = match adopt(&record.identity) {
            Adoption::Alive(child) => Some((child, record)),
            Adoption::Gone => None,
            Adoption::Unknown(reason) => {
                return Err(StartError::Unknown { pid: record.identity.pid, reason });
            }
        };
        Ok(Self { port, running })
    }

    pub(super) fn ports(&self) -> Ports {
        Ports { last: self.port, pid: self.running.as_ref().map(|(child, _)| child.pid()) }
    }

    /// True when the process has loaded exactly this config, and the run folder holds it.
    pub(super) fn runs(&self, state: &StateDir, loaded: &Loaded) -> bool {
        self.running.as_ref().is_some_and(|(_, record)| {
            record.config == state.run().join(&loaded.rendered.name)
                && record.port == loaded.rendered.port
                && record.loaded == loaded.fingerprint()
                && is_in_place(state, &loaded.rendered)
        })
    }

    /// The config that the process was started with, as far as its file tells: for when there is no better one.
    pub(super) async fn config(&self, fixed: &Fixed, state: &StateDir) -> Option<Loaded> {
        let (_, record) = self.running.as_ref()?;
        let bytes = read_bounded(&record.config, 2 * CONFIG_LIMIT).ok().flatten()?;
        let text = String::from_utf8(bytes).ok()?;
        let bare = fixed.kind.own_telemetry().map_or(text.as_str(), |own| own.detached(&text));
        let source = Source { path: record.config.clone(), text: bare.to_owned() };
        let files = vec![shown(&source.path, &source.text)];
        Loaded::prepare(fixed, state, Origin::Local, source, files, self.ports()).await.ok()
    }

    /// Stops the process. How long it may take to deliver what it holds stands in a config that was not read; it is
    /// given the longest time that any config may ask for.
    pub(super) async fn stop(self) {
        let Some((mut child, _)) = self.running else { return };
        let pid = child.pid();
        if child.signal(Signal::TERM).is_ok() && timeout(PATIENCE, child.exited()).await.is_ok() {
            tracing::info!(pid, "the agent that an earlier supervisor left was stopped");
            return;
        }
        if child.kill().await.is_none() {
            tracing::error!(
                pid,
                "the agent that an earlier supervisor left cannot be killed; it still lives"
            );
        }
    }

    /// Gives the process to the machine.
    pub(super) fn hand_over(self, machine: &mut Machine) {
        if let Some((child, record)) = self.running {
            machine.take_over(child, &record);
        }
    }
}

/// A file of the host as it is shown.
pub(super) fn shown(path: &Path, text: &str) -> ShownFile {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    ShownFile {
        content_type: media_type(&name).to_owned(),
        name,
        body: text.to_owned().into(),
        role: String::new(),
    }
}

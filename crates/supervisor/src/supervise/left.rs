//! What an earlier supervisor left behind: a process that collects. It is taken over whatever else is wrong, and never
//! is a second one started beside it.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::process::Signal;
use tokio::time::{sleep, timeout};

use super::StartError;
use crate::{
    child::{Adoption, Child, Identity, adopt, find},
    files::{in_time, read_bounded},
    kind::{AgentKind, RenderError, Rendered, Source},
    machine::{Fixed, Loaded, Machine, Origin, Ports, is_in_place, media_type, unix_nano},
    report::ShownFile,
    state::{ChildRecord, StateDir},
};

/// Largest config file, in bytes.
pub(super) const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;
/// The longest grace time that any config may ask for.
const LONGEST_GRACE: Duration = Duration::from_secs(300);
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
    pub(super) async fn find(state: &StateDir, kind: &dyn AgentKind) -> Result<Self, StartError> {
        let record = state.child()?;
        let port = record.as_ref().map_or(0, |record| record.port);
        if let Some(record) = record.as_ref().filter(|record| record.identity.pid != 0) {
            match adopt(&record.identity) {
                Adoption::Alive(child) => {
                    return Ok(Self { port, running: Some((child, record.clone())) });
                }
                Adoption::Gone => {}
                Adoption::Unknown(reason) => {
                    return Err(StartError::Unknown { pid: record.identity.pid, reason });
                }
            }
        }
        let running = unrecorded(state, kind, record.as_ref()).await?;
        let port = running.as_ref().map_or(port, |(_, record)| record.port);
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
        let origin = Origin::Local;
        let read = Loaded::prepare(fixed, state, origin.clone(), source.clone(), files.clone(), self.ports());
        match read.await {
            // What it includes is not known then; it is watched all the same.
            Err(RenderError::Unreachable(_)) => {
                let rendered = Rendered {
                    name: record.config.file_name()?.to_string_lossy().into_owned(),
                    text: source.text.clone(),
                    port: record.port,
                    grace: LONGEST_GRACE,
                    ..Rendered::default()
                };
                Some(Loaded { origin, source, files, rendered })
            }
            read => read.ok(),
        }
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

/// Looks for a process that was started on a file of the run folder and that nobody wrote down: its supervisor was killed
/// between the start and the record, or could not write it, or it was lost.
async fn unrecorded(
    state: &StateDir,
    kind: &dyn AgentKind,
    record: Option<&ChildRecord>,
) -> Result<Option<(Child, ChildRecord)>, StartError> {
    let begun = record.filter(|record| record.identity.is_unborn());
    // One that was only just begun may not have come to its own command line yet.
    let tries = if begun.is_some() { 5 } else { 1 };
    for number in 0..tries {
        if number > 0 {
            sleep(Duration::from_millis(100)).await;
        }
        let run = state.run();
        let names_run = move |line: &[OsString]| {
            line.iter().any(|arg| Path::new(arg).parent() == Some(&run)).then(|| line.to_vec())
        };
        let lines = in_time(&state.run(), move || find(names_run))
            .await
            .unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()));
        let lines = lines.unwrap_or_else(|error| {
            tracing::warn!(%error, "it cannot be seen whether an agent runs that nobody wrote down");
            Vec::new()
        });
        let starts = |(pid, line): (i32, Vec<OsString>)| Some((pid, started_on(&state.run(), kind, &line)?));
        let mut found: Vec<_> = lines.into_iter().filter_map(starts).collect();
        let Some((pid, (config, port))) = found.pop() else { continue };
        for (other, _) in found {
            tracing::error!(pid = other, "another agent runs on this state folder's config: end it");
        }
        let unknown = |reason: String| StartError::Unknown { pid, reason };
        let Some(identity) = Identity::of(pid).map_err(|error| unknown(error.to_string()))? else { continue };
        let child = match adopt(&identity) {
            Adoption::Alive(child) => child,
            Adoption::Gone => continue,
            Adoption::Unknown(reason) => return Err(unknown(reason)),
        };
        tracing::warn!(pid, "found an agent that an earlier supervisor started and did not write down");
        let as_begun = begun.filter(|begun| begun.config == config && begun.port == port);
        let record = ChildRecord {
            identity,
            config,
            port,
            started_unix_nano: as_begun.map_or_else(unix_nano, |begun| begun.started_unix_nano),
            loaded: as_begun.map(|begun| begun.loaded.clone()).unwrap_or_default(),
        };
        if let Err(error) = state.save_child(&record) {
            tracing::warn!(%error, "what was found cannot be written down");
        }
        return Ok(Some((child, record)));
    }
    Ok(None)
}

/// The file of the run folder that a command line starts an agent on, and the port; `None` for any other.
fn started_on(run: &Path, kind: &dyn AgentKind, line: &[OsString]) -> Option<(PathBuf, u16)> {
    let configs = line.iter().map(PathBuf::from).filter(|arg| arg.parent() == Some(run));
    let ports = || line.iter().filter_map(|arg| arg.to_str()?.parse::<u16>().ok());
    let pairs = configs.flat_map(|config| ports().map(move |port| (config.clone(), port)));
    // An interpreter or a wrapper may stand before them.
    pairs.into_iter().find(|(config, port)| line.ends_with(&kind.start_args(config, *port)))
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

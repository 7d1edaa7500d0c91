//! From settings to a machine with a running process.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tidegate_opamp::RemoteConfigStatuses;
use tokio::sync::watch;

use super::{AgentSettings, StartError};
use crate::{
    agent::AgentReport,
    apply,
    child::{self, CommandLine, LogTail, run_to_end},
    files::read_bounded,
    kind::{AgentKind, ComponentState, Source},
    machine::{Fixed, Loaded, Machine, Origin, Ports, check, media_type},
    report::{Host, Publisher, ShownFile, describe},
    state::{ChildRecord, Journal, StateDir},
};

/// How long the binary may take to print its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(10);
/// Largest config file, in bytes.
const CONFIG_LIMIT: u64 = 8 * 1024 * 1024;

pub(super) async fn begin(
    settings: &AgentSettings,
    kind: Arc<dyn AgentKind>,
) -> Result<(Machine, Journal, watch::Receiver<AgentReport>), StartError> {
    let state = StateDir::open(&settings.state_dir)?;
    let binary = find_binary(&settings.binary)?;
    let version = ask_version(&*kind, &binary, &state).await?;
    let fixed = Fixed {
        kind,
        binary,
        uid: settings.instance_uid,
        host: Host::of_this_machine(),
        attributes: settings.attributes.clone(),
    };
    let mut journal = state.journal();
    forget_unfinished(&mut journal, settings.allow_remote_config);
    let record = state.child();
    let adopted = record
        .as_ref()
        .and_then(|record| child::adopt(&record.identity, &record.program).map(|child| (child, record)));
    let ports = Ports {
        last: record.as_ref().map_or(0, |record| record.port),
        pid: adopted.as_ref().map(|(child, _)| child.pid()),
    };
    let loaded = choose_config(settings, &fixed, &state, &mut journal, ports).await?;
    let log = LogTail::open(&state.log()).map_err(|source| StartError::Log { path: state.log(), source })?;
    let (publisher, reports) = Publisher::new(first_report(&fixed, &version, &journal));
    let mut machine = Machine::new(fixed, state, log, version, loaded, publisher);
    machine.report_config();
    if let Some((child, record)) = adopted {
        let current = runs_this(&machine, record);
        machine.take_over(child, record);
        if !current {
            tracing::info!("the adopted agent runs another config than it should; it is started anew");
            machine.stop().await;
        }
    }
    if machine.running.is_none()
        && let Err(fault) = machine.start()
    {
        machine.could_not_start(&fault);
    }
    if let Some(status) =
        journal.status.as_ref().filter(|status| status.state == RemoteConfigStatuses::Failed.0)
    {
        machine.config_state = ComponentState::failing("failed", status.error.clone());
    }
    machine.publish_health();
    Ok((machine, journal, reports))
}

/// A status that says APPLYING with nothing left to apply is forgotten: without a status the server offers again.
fn forget_unfinished(journal: &mut Journal, allow_remote_config: bool) {
    if !allow_remote_config {
        journal.candidate = None;
    }
    let applying =
        journal.status.as_ref().is_some_and(|status| status.state == RemoteConfigStatuses::Applying.0);
    if applying && journal.candidate.is_none() {
        journal.status = None;
    }
}

/// True when the file that the adopted process was started with holds what it should run.
fn runs_this(machine: &Machine, record: &ChildRecord) -> bool {
    let rendered = &machine.loaded.rendered;
    let path = machine.run_file(rendered);
    let written = read_bounded(&path, CONFIG_LIMIT * 2).ok().flatten();
    record.config == path
        && record.port == rendered.port
        && written.is_some_and(|written| written == rendered.text.as_bytes())
        && rendered.includes.iter().all(|(path, text)| {
            read_bounded(path, CONFIG_LIMIT).ok().flatten().is_some_and(|written| written == text.as_bytes())
        })
}

fn first_report(fixed: &Fixed, version: &str, journal: &Journal) -> AgentReport {
    let name = fixed.kind.service_name();
    AgentReport {
        description: Arc::new(describe(name, version, &fixed.uid, &fixed.host, &fixed.attributes)),
        health: Arc::default(),
        effective_config: Arc::default(),
        remote_config_status: journal.status_message().map(Arc::new),
    }
}

/// The last proven offer if there is one and offers are allowed, else the host's own file.
async fn choose_config(
    settings: &AgentSettings,
    fixed: &Fixed,
    state: &StateDir,
    journal: &mut Journal,
    ports: Ports,
) -> Result<Loaded, StartError> {
    if let Some(entry) = journal.current.clone().filter(|_| settings.allow_remote_config) {
        let offered = apply::load(state, &entry.content).and_then(|offered| {
            let (source, files) =
                apply::store(state, &entry.content, &offered).map_err(|error| error.to_string())?;
            Loaded::prepare(fixed, state, Origin::Offered(entry), source, files, ports)
                .map_err(|error| error.to_string())
        });
        match offered {
            Ok(loaded) => return Ok(loaded),
            Err(error) => {
                tracing::warn!(
                    error,
                    "the last applied config cannot be used; the host's own file runs instead"
                );
                journal.current = None;
            }
        }
    }
    let path = &settings.config;
    let unreadable = |reason| StartError::ConfigFile { path: path.clone(), reason };
    let real = fs::canonicalize(path).map_err(|error| unreadable(plain(&error)))?;
    let bytes = match read_bounded(&real, CONFIG_LIMIT) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => return Err(unreadable("there is no such file".to_owned())),
        Err(error) => return Err(unreadable(plain(&error))),
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(unreadable("it is not UTF-8 text".to_owned()));
    };
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let shown = ShownFile {
        content_type: media_type(&name).to_owned(),
        name,
        body: text.clone().into(),
        role: String::new(),
    };
    let source = Source { path: real, text };
    let loaded = Loaded::prepare(fixed, state, Origin::Local, source, vec![shown], ports)
        .map_err(|source| StartError::Config { path: path.clone(), source })?;
    check(fixed, state, &loaded.rendered)
        .await
        .map_err(|source| StartError::Refused { path: path.clone(), source })?;
    Ok(loaded)
}

fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    }
}

async fn ask_version(kind: &dyn AgentKind, binary: &Path, state: &StateDir) -> Result<String, StartError> {
    let line = CommandLine { program: binary.to_owned(), args: kind.version_args(), cwd: state.run() };
    let finished = run_to_end(&line, &state.scratch(), VERSION_DEADLINE)
        .await
        .map_err(|source| StartError::Version { binary: binary.to_owned(), source })?;
    kind.read_version(&finished.output).ok_or_else(|| StartError::OtherProgram {
        binary: binary.to_owned(),
        expected: kind.service_name(),
        said: crate::text::head(finished.output.trim(), 200).to_owned(),
    })
}

/// Finds the binary: a path as it is, a bare name on PATH.
fn find_binary(binary: &Path) -> Result<PathBuf, StartError> {
    let failed = |reason: &str| StartError::Binary { binary: binary.to_owned(), reason: reason.to_owned() };
    let found = if binary.components().count() > 1 {
        binary.to_owned()
    } else {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .map(|folder| folder.join(binary))
            .find(|candidate| is_program(candidate))
            .ok_or_else(|| failed("it is not on PATH"))?
    };
    // Links are kept: an upgrade of the agent points them elsewhere.
    let found = std::path::absolute(&found).map_err(|error| failed(&plain(&error)))?;
    fs::metadata(&found).map_err(|error| failed(&plain(&error)))?;
    if is_program(&found) { Ok(found) } else { Err(failed("it is not an executable file")) }
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

//! From settings to a machine with a running process.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tidegate_opamp::RemoteConfigStatuses;

use super::{
    AgentSettings, StartError,
    choose::{choose, local, plain, read},
    left::Left,
};
use crate::{
    agent::AgentReport,
    child::{CommandLine, LogTail, run_to_end},
    files::in_time,
    kind::{AgentKind, ComponentState},
    machine::{Fixed, Loaded, Machine, Origin, Own, Ports},
    report::{Host, Publisher, describe},
    state::{Journal, StateDir},
};

/// How long the binary may take to print its version.
const VERSION_DEADLINE: Duration = Duration::from_secs(10);

pub(super) async fn begin(
    settings: &AgentSettings,
    kind: Arc<dyn AgentKind>,
    publisher: &Publisher,
) -> Result<(Machine, Journal), StartError> {
    let state = StateDir::open(&settings.state_dir)?;
    let left = Left::find(&state, &*kind).await?;
    let mut journal = state.journal()?;
    let mut faults = Faults { borne: left.running.is_some(), first: None };
    let binary = faults.bear(find_binary(&settings.binary), || settings.binary.clone())?;
    let version = faults.bear(ask_version(&*kind, &binary, &state).await, String::new)?;
    let fixed = Fixed {
        kind,
        binary,
        uid: settings.instance_uid,
        host: Host::of_this_machine(),
        attributes: settings.attributes.clone(),
        redaction: settings.redact.then(|| state.redaction_key()).transpose()?,
        metrics_interval: settings.metrics_interval,
        limits: settings.limits.clone(),
        own_telemetry: settings.own_telemetry,
        cwd: working_directory(&settings.config, &state).await,
    };
    let own = Own::load(&state, &fixed);
    let carry = |loaded| own.carry(&fixed, &state, &version, loaded);
    forget_unfinished(&mut journal, settings.allow_remote_config);
    let chosen = choose(settings, &fixed, &state, &mut journal, left.ports(), &carry).await;
    // Without a binary that starts, what runs must not be stopped for another config.
    let fits = |loaded: &Loaded| faults.first.is_none() || left.runs(&state, loaded);
    let loaded = match chosen {
        Ok(loaded) if left.running.is_none() || fits(&loaded) => loaded,
        other => match left.config(&fixed, &state).await {
            Some(runs) => {
                faults.bear(other.map(drop), || ())?;
                carry(runs)
            }
            None => other?,
        },
    };
    let log = LogTail::open(&state.log()).map_err(|source| StartError::Log { path: state.log(), source })?;
    publisher.start_over(first_report(&fixed, &version, &journal));
    let stale = left.running.is_some() && faults.first.is_none() && !left.runs(&state, &loaded);
    let mut machine = Machine::new(fixed, state, log, version, loaded, publisher.clone());
    if machine.loaded.origin != Origin::Local
        && let Ok(own) = read(&settings.config, &machine.state.run()).await
    {
        // Lines of the log may be from the time when it ran.
        machine.keep_secret([own.text.as_str()]);
    }
    machine.report_config();
    left.hand_over(&mut machine);
    if stale {
        tracing::info!("the adopted agent runs another config than it should; it is started anew");
        // A process is not stopped that could not be started again.
        match machine.ready().await {
            Ok(()) => {
                // One that cannot be killed is kept in sight, and started anew when it is gone.
                let _ = machine.stop().await;
            }
            Err(error) => {
                tracing::error!(error, "the config that should run cannot be started; the agent runs on");
                faults.first = Some(error);
            }
        }
    }
    if machine.running.is_none()
        && let Err(fault) = machine.start().await
    {
        machine.could_not_start(&fault);
    }
    let failed = journal.status.as_ref().filter(|status| status.state == RemoteConfigStatuses::Failed.0);
    if let Some(said) = faults.first.or_else(|| failed.map(|status| status.error.clone())) {
        machine.config_state = ComponentState::failing("failed", said);
    }
    machine.publish_health();
    machine.own_was_interrupted();
    machine.learn_components().await;
    Ok((machine, journal))
}

/// What a rehearsal showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// The agent's version.
    pub version: String,
    /// What the reader of its config should know.
    pub warnings: Vec<String>,
}

/// Goes through a start up to the point at which a process would be started, in a folder of its own.
pub(super) async fn rehearse(
    settings: &AgentSettings,
    kind: Arc<dyn AgentKind>,
) -> Result<Rehearsal, StartError> {
    let state = StateDir::open(&settings.state_dir)?;
    let binary = find_binary(&settings.binary)?;
    let version = ask_version(&*kind, &binary, &state).await?;
    let fixed = Fixed {
        kind,
        binary,
        uid: settings.instance_uid,
        host: Host::of_this_machine(),
        attributes: settings.attributes.clone(),
        redaction: None,
        metrics_interval: None,
        limits: settings.limits.clone(),
        own_telemetry: None,
        cwd: working_directory(&settings.config, &state).await,
    };
    let loaded = local(settings, &fixed, &state, Ports::default(), &|loaded| loaded).await?;
    Ok(Rehearsal { version, warnings: loaded.rendered.warnings })
}

/// Where the agent is to run: the folder of the host's own config, for that is where it would be started by hand. One
/// that cannot be entered is replaced by the run folder.
async fn working_directory(config: &Path, state: &StateDir) -> PathBuf {
    let config = config.to_owned();
    let run = state.run();
    let found = in_time(&run, move || {
        let folder = std::path::absolute(config).ok()?.parent()?.to_owned();
        folder.is_dir().then_some(folder)
    });
    found.await.flatten().unwrap_or_else(|| {
        tracing::warn!(
            "the folder of the agent's own config cannot be entered; it runs in the supervisor's run folder"
        );
        run.clone()
    })
}

/// Faults of a start. Where a process runs already they are told in its health: it goes on collecting, and it has
/// someone who watches it.
struct Faults {
    borne: bool,
    first: Option<String>,
}

impl Faults {
    fn bear<T>(&mut self, done: Result<T, StartError>, instead: impl FnOnce() -> T) -> Result<T, StartError> {
        match done {
            Err(error) if self.borne => {
                tracing::error!("{error}; the agent that runs is watched on");
                self.first.get_or_insert_with(|| error.to_string());
                Ok(instead())
            }
            other => other,
        }
    }
}

/// A status that says APPLYING with nothing left to apply is forgotten: without a status the server offers again.
fn forget_unfinished(journal: &mut Journal, allow_remote_config: bool) {
    if !allow_remote_config {
        journal.drop_candidate();
    }
    let applying =
        journal.status.as_ref().is_some_and(|status| status.state == RemoteConfigStatuses::Applying.0);
    if applying && journal.candidate.is_none() {
        journal.status = None;
    }
}

fn first_report(fixed: &Fixed, version: &str, journal: &Journal) -> AgentReport {
    let name = fixed.kind.service_name();
    AgentReport {
        description: Arc::new(describe(name, version, &fixed.uid, &fixed.host, &fixed.attributes)),
        health: Arc::default(),
        effective_config: Arc::default(),
        remote_config_status: journal.status_message().map(Arc::new),
        digest: None,
        available_components: None,
        own_telemetry: None,
    }
}

async fn ask_version(kind: &dyn AgentKind, binary: &Path, state: &StateDir) -> Result<String, StartError> {
    let line = CommandLine { program: binary.to_owned(), args: kind.version_args(), cwd: state.run() };
    let finished = run_to_end(&line, VERSION_DEADLINE)
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

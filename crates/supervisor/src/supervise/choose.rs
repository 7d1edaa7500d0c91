//! Which config runs at a start, and what that makes of the status that was reported last.

use std::{fs, io, path::Path};

use tidegate_opamp::RemoteConfigStatuses;

use super::{
    AgentSettings, StartError,
    left::{CONFIG_LIMIT, shown},
};
use crate::{
    apply,
    files::{IN_TIME, in_time, read_bounded},
    kind::{RenderError, Source},
    machine::{Fixed, Loaded, Origin, Ports, check, is_in_place},
    state::{Entry, Journal, StateDir},
};

/// Gives a config what it carries beside itself.
pub(super) type Carry<'a> = &'a (dyn Fn(Loaded) -> Loaded + Sync);

/// Why a stored offer cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unusable {
    /// Its files are not there any more.
    #[error("{0}")]
    Files(String),
    /// It cannot be rendered.
    #[error(transparent)]
    Render(#[from] RenderError),
}

/// The last proven offer if there is one and offers are allowed, else the host's own file. When it is the host's own
/// file, no status goes on saying that an offer is applied. While a process runs, a file system that does not
/// answer is no reason for another config.
pub(super) async fn choose(
    settings: &AgentSettings,
    fixed: &Fixed,
    state: &StateDir,
    journal: &mut Journal,
    ports: Ports,
    carry: Carry<'_>,
) -> Result<Loaded, StartError> {
    if !settings.allow_remote_config {
        // The report says nothing of offers then. On disk the status stays as it is, for the day on which they are
        // allowed again.
        journal.status.take_if(|status| status.state == RemoteConfigStatuses::Applied.0);
    }
    let mut reason = None;
    if let Some(entry) = journal.current.clone().filter(|_| settings.allow_remote_config) {
        let content = state.config(&entry.content);
        match offered(entry, fixed, state, ports).await {
            Ok(loaded) => return Ok(carry(loaded)),
            Err(Unusable::Render(source @ RenderError::Unreachable(_))) if ports.pid.is_some() => {
                return Err(StartError::Config { path: content, source });
            }
            Err(error) => {
                let error = error.to_string();
                tracing::warn!(
                    error,
                    "the last applied config cannot be used; the host's own file runs instead"
                );
                reason = Some(error);
            }
        }
    }
    let loaded = local(settings, fixed, state, ports, carry).await?;
    if settings.allow_remote_config
        && retract(journal, reason.as_deref())
        && let Err(error) = state.save_journal(journal)
    {
        tracing::warn!(%error, "it could not be written down that the applied config does not run");
    }
    Ok(loaded)
}

/// A stored offer.
pub(super) async fn offered(
    entry: Entry,
    fixed: &Fixed,
    state: &StateDir,
    ports: Ports,
) -> Result<Loaded, Unusable> {
    let offered = apply::load(state, &entry.content).map_err(Unusable::Files)?;
    let (source, files) = apply::shown(state, &entry.content, &offered);
    Ok(Loaded::prepare(fixed, state, Origin::Offered(entry), source, files, ports).await?)
}

/// Takes back a status of APPLIED, for the host's own file runs. True when the journal is to be saved.
fn retract(journal: &mut Journal, reason: Option<&str>) -> bool {
    let applied = RemoteConfigStatuses::Applied.0;
    let lost = journal.current.take().is_some();
    // What does not run is not waited on: its files stay, for whoever looks for what was wrong with them.
    journal.unconfirmed = None;
    let Some(status) = journal.status.as_mut().filter(|status| status.state == applied) else { return lost };
    status.state = RemoteConfigStatuses::Failed.0;
    let reason = reason.unwrap_or("it is not in the supervisor's state folder any more");
    status.error = format!(
        "the applied config cannot be used after a restart, the host's own file runs: {}",
        crate::text::head(reason, 1900)
    );
    true
}

/// The host's own file.
pub(super) async fn local(
    settings: &AgentSettings,
    fixed: &Fixed,
    state: &StateDir,
    ports: Ports,
    carry: Carry<'_>,
) -> Result<Loaded, StartError> {
    let path = &settings.config;
    let unreadable = |reason| StartError::ConfigFile { path: path.clone(), reason };
    let source = read(path, &state.run()).await.map_err(unreadable)?;
    let shown = shown(path, &source.text);
    let loaded = Loaded::prepare(fixed, state, Origin::Local, source, vec![shown], ports)
        .await
        .map_err(|source| StartError::Config { path: path.clone(), source })?;
    let mut carrying = carry(loaded.clone());
    // What was checked and is in place need not be written anew for another check.
    if is_in_place(state, &carrying.rendered) {
        return Ok(carrying);
    }
    let mut checked = check(fixed, state, &carrying.rendered).await;
    if checked.is_err() && carrying != loaded {
        // The agent's own telemetry is not worth its work.
        checked = check(fixed, state, &loaded.rendered).await;
        carrying = loaded;
    }
    checked.map_err(|source| StartError::Refused { path: path.clone(), source })?;
    Ok(carrying)
}

/// What a file holds, or why it cannot be read; `run` is the run folder of the agent that it is for.
pub(super) async fn read(path: &Path, run: &Path) -> Result<Source, String> {
    let named = path.to_owned();
    let reading = in_time(run, move || {
        let real = fs::canonicalize(named).map_err(|error| plain(&error))?;
        Ok(Source { text: text_of(&real)?, path: real })
    });
    let silent = || format!("its file system does not answer within {} s", IN_TIME.as_secs());
    reading.await.ok_or_else(silent).flatten()
}

fn text_of(path: &Path) -> Result<String, String> {
    match read_bounded(path, CONFIG_LIMIT) {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned()),
        Ok(None) => Err("there is no such file".to_owned()),
        Err(error) => Err(plain(&error)),
    }
}

/// What the system said of a file, in words for whoever named it.
pub(super) fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "this user may not read it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{StatusRecord, Unconfirmed};

    fn journal(state: RemoteConfigStatuses) -> Journal {
        Journal {
            current: Some(Entry { hash: "aa".into(), content: "c".into() }),
            status: Some(StatusRecord { hash: "aa".into(), state: state.0, error: String::new() }),
            ..Journal::default()
        }
    }

    #[test]
    fn given_an_applied_offer_that_does_not_run_when_the_own_file_does_then_the_status_says_so() {
        let unconfirmed = Some(Unconfirmed::Runs { former: None });
        let mut applied = Journal { unconfirmed, ..journal(RemoteConfigStatuses::Applied) };
        assert!(retract(&mut applied, Some("x is missing")));
        let status = applied.status.unwrap();
        assert_eq!((status.state, status.hash.as_str()), (RemoteConfigStatuses::Failed.0, "aa"));
        assert!(status.error.ends_with("runs: x is missing"), "{}", status.error);
        assert_eq!((applied.current, applied.unconfirmed), (None, None));
    }

    #[test]
    fn given_a_status_of_another_offer_that_failed_then_it_stays() {
        let mut failed = journal(RemoteConfigStatuses::Failed);
        let before = failed.status.clone();
        assert!(retract(&mut failed, Some("x")));
        assert_eq!(failed.status, before);
    }
}

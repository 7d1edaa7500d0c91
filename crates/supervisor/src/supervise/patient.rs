//! An agent that cannot be supervised yet: it is tried again, and its server is told why meanwhile.

use std::{sync::Arc, time::Duration};

use tidegate_opamp::{ComponentHealth, RemoteConfigStatus, RemoteConfigStatuses};
use tokio::{sync::mpsc, time::Instant};

use super::{
    AgentSettings, StartError, begin,
    left::Left,
    mailbox::{Later, Mailbox},
    task,
};
use crate::{
    agent::{AgentCommand, AgentReport, Heard},
    machine::unix_nano,
    report::{Host, Publisher, describe},
    state::StateDir,
};

/// First and longest pause between two tries; it doubles.
const FIRST: Duration = Duration::from_secs(1);
const LAST: Duration = Duration::from_secs(60);

/// What can be said of an agent before its program was asked anything.
pub(super) fn unknown(settings: &AgentSettings) -> AgentReport {
    let name = settings.kind.implementation().service_name();
    let host = Host::of_this_machine();
    AgentReport {
        description: Arc::new(describe(name, "", &settings.instance_uid, &host, &settings.attributes)),
        health: Arc::new(ComponentHealth { status: "starting".to_owned(), ..ComponentHealth::default() }),
        effective_config: Arc::default(),
        remote_config_status: None,
        digest: None,
        available_components: None,
        own_telemetry: None,
    }
}

/// Tries until supervision can begin, then supervises.
pub(super) async fn supervise(
    settings: AgentSettings,
    mut commands: mpsc::Receiver<AgentCommand>,
    publisher: Publisher,
    heard: Heard,
) {
    let mut pause = FIRST;
    let mut later = Later::default();
    loop {
        match Box::pin(begin::begin(&settings, settings.kind.implementation(), &publisher)).await {
            Ok((machine, journal)) => {
                let mailbox = Mailbox::new(commands, later);
                return task::supervise(machine, journal, settings, mailbox, heard).await;
            }
            Err(error) => {
                let uid = settings.instance_uid;
                tracing::error!(%uid, retry_in_ms = pause.as_millis(), "the agent cannot be supervised: {error}");
                tell(&publisher, &error);
                if !wait(&settings, &mut commands, &mut later, &publisher, pause, &error).await {
                    return;
                }
                pause = (pause * 2).min(LAST);
            }
        }
    }
}

/// Reports why; the same reason again is no news.
fn tell(publisher: &Publisher, error: &StartError) {
    let last_error = crate::text::head(&error.to_string(), 2000).to_owned();
    if publisher.newest().health.last_error != last_error {
        publisher.health(ComponentHealth {
            status: "failed".to_owned(),
            last_error,
            status_time_unix_nano: unix_nano(),
            ..ComponentHealth::default()
        });
    }
}

/// Waits for the next try, or for an order to make one. False when it is not wanted any more.
async fn wait(
    settings: &AgentSettings,
    commands: &mut mpsc::Receiver<AgentCommand>,
    later: &mut Later,
    publisher: &Publisher,
    pause: Duration,
    why: &StartError,
) -> bool {
    let until = Instant::now() + pause;
    loop {
        let command = tokio::select! {
            biased;
            command = commands.recv() => command,
            () = tokio::time::sleep_until(until) => return true,
        };
        let reply = match command {
            None => return false,
            Some(AgentCommand::Restart) => return true,
            // Whoever asked sees that nobody answers; the newest offer gets the answer of all.
            Some(AgentCommand::Ask(_) | AgentCommand::Replaced(_)) => continue,
            Some(AgentCommand::OwnTelemetry(offer)) => {
                later.offer(offer);
                continue;
            }
            Some(AgentCommand::Renamed(uid)) => {
                later.renamed = Some(uid);
                continue;
            }
            Some(AgentCommand::Apply(offer)) => {
                publisher.remote_config_status(RemoteConfigStatus {
                    last_remote_config_hash: offer.config_hash,
                    status: RemoteConfigStatuses::Failed,
                    error_message: format!("the agent cannot be supervised: {why}"),
                    ..RemoteConfigStatus::default()
                });
                continue;
            }
            Some(AgentCommand::Stop(reply)) => {
                stop_left(settings).await;
                reply
            }
            Some(AgentCommand::Release(reply)) => reply,
        };
        // Whoever asked may have gone.
        let _ = reply.send(());
        return false;
    }
}

/// What an earlier supervisor started and this one could not take over is not left behind either.
async fn stop_left(settings: &AgentSettings) {
    let found = async {
        let state = StateDir::open(&settings.state_dir)?;
        let left = Left::find(&state, &*settings.kind.implementation()).await?;
        Ok::<_, StartError>((state, left))
    };
    match found.await {
        Ok((_state, left)) => left.stop().await,
        Err(error) => {
            tracing::warn!(%error, "it is not known whether an agent of an earlier supervisor runs");
        }
    }
}

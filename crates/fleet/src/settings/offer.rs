//! The part of a message to an agent that holds its connection settings.

use std::sync::Arc;
use std::time::Duration;

use tidegate_opamp::{
    AgentCapabilities, ConnectionSettingsOffers, OpAMPConnectionSettings, TelemetryConnectionSettings,
};

use super::{Heartbeat, Held, Offered, OfferedOpamp, Own, Resolved};
use crate::agent::Link;
use crate::occasion::Occasion;
use crate::{Agent, Timestamp};

/// How long an agent that says nothing of what it was offered may take to come back with it. Some agents come back by a
/// new connection and have forgotten the offer's hash: told at once again, they would reconnect for ever.
const SETTLING: Duration = Duration::from_secs(60);

/// The settings that `agent` should be told now, each class only with its capability (OpAMP S111); notes that they are
/// offered. `None` when it has them, has refused them (S116), cannot take any of them, or was told before.
pub(crate) fn offer(
    agent: &mut Agent,
    occasion: Occasion,
    now: Timestamp,
) -> Option<ConnectionSettingsOffers> {
    let held = agent.settings.as_deref()?;
    let desired = Arc::clone(held.desired.as_ref()?);
    let told = is_told(agent, held, &desired);
    let again = if agent.reports_settings_status() {
        // A reply repeats it until it is answered (S115); what is sent unasked says it once.
        !held.is_answered() && (occasion != Occasion::Push || !told)
    } else {
        !told
    };
    if !again {
        return None;
    }
    let opamp = opamp(agent, held, &desired, now);
    let other_connections =
        if agent.capabilities.contains(AgentCapabilities::ACCEPTS_OTHER_CONNECTION_SETTINGS) {
            desired.other.iter().map(|(name, part)| (name.clone(), part.value.clone())).collect()
        } else {
            Default::default()
        };
    let [own_metrics, own_traces, own_logs] = Own::ALL.map(|kind| own(agent, held, &desired, kind));
    let message = ConnectionSettingsOffers {
        hash: bytes::Bytes::copy_from_slice(&desired.hash),
        opamp,
        own_metrics,
        own_traces,
        own_logs,
        other_connections,
        ..ConnectionSettingsOffers::default()
    };
    let says_nothing = message.opamp.is_none()
        && message.own_metrics.is_none()
        && message.own_traces.is_none()
        && message.own_logs.is_none()
        && message.other_connections.is_empty();
    if says_nothing {
        return None;
    }
    note(agent, &message, &desired, now);
    Some(message)
}

/// True when these settings went out since the agent began.
fn is_told(agent: &Agent, held: &Held, desired: &Resolved) -> bool {
    let Link::Up { since, .. } = agent.link else {
        return false;
    };
    let since = held.began.map_or(since, |began| began.max(since));
    held.record.offered.as_ref().is_some_and(|offered| offered.hash == desired.hash && offered.at >= since)
}

/// True when the agent may be told of its OpAMP connection, and there is something to tell.
pub(super) fn takes_opamp(agent: &Agent, held: &Held, desired: &Resolved) -> bool {
    let beats = agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT);
    let heartbeat = desired.heartbeat.as_ref().filter(|_| beats);
    if agent.capabilities.contains(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS) {
        let told = held.record.offered.as_ref().is_some_and(|offered| offered.opamp.is_some());
        return desired.opamp.is_some() || heartbeat.is_some() || told;
    }
    // Allowed by the flow of heartbeats, forbidden by the class's rule: on an operator's word alone (OpAMP S112).
    heartbeat.is_some_and(|heartbeat| heartbeat.value.force)
}

/// The settings of the OpAMP connection, complete (ruling A8): an endpoint that is never empty (S120), headers,
/// certificate, TLS and proxy as the rule gives them, an interval that is not 0 unless an operator said so (S084).
fn opamp(agent: &Agent, held: &Held, desired: &Resolved, now: Timestamp) -> Option<OpAMPConnectionSettings> {
    if !takes_opamp(agent, held, desired) {
        return None;
    }
    let before = held.record.offered.as_ref().and_then(|offered| offered.opamp.as_ref());
    if !agent.reports_settings_status()
        && before.is_some_and(|before| before.hash == desired.hash && now.since(before.at) < SETTLING)
    {
        return None;
    }
    let mut settings = desired.opamp.as_ref().map(|part| part.value.clone()).unwrap_or_default();
    if settings.destination_endpoint.is_empty() {
        settings.destination_endpoint = own_endpoint(agent, held, desired)?;
    }
    settings.heartbeat_interval_seconds = match interval(agent, desired) {
        Heartbeat::Every(seconds) => seconds.into(),
        Heartbeat::Off => 0,
    };
    Some(settings)
}

/// The interval as it is offered: one that polls has to speak to be told anything, so it is never told to stop.
pub(super) fn interval(agent: &Agent, desired: &Resolved) -> Heartbeat {
    match desired.interval() {
        Heartbeat::Off if agent.polls() => Heartbeat::Every(desired.terms.interval_seconds),
        interval => interval,
    }
}

/// This server's URL for an agent: the advertised one in the transport that the agent uses, else the URL it came by.
pub(super) fn own_endpoint(agent: &Agent, held: &Held, desired: &Resolved) -> Option<String> {
    let Some(advertised) = &desired.terms.endpoint else {
        return held.reached.as_ref().map(ToString::to_string);
    };
    let (scheme, rest) = advertised.split_once("://")?;
    let secure = matches!(scheme, "wss" | "https");
    let http = matches!(agent.link, Link::Up { transport, .. } if transport.as_str() == "http");
    let scheme = match (http, secure) {
        (true, true) => "https",
        (true, false) => "http",
        (false, true) => "wss",
        (false, false) => "ws",
    };
    Some(format!("{scheme}://{rest}"))
}

/// Where telemetry of one kind goes; all kinds go out together, because a known supervisor lays each offer over all
/// three (OpAMP S118). One that was told before and is no longer given is withdrawn by an empty endpoint (ruling A9).
fn own(agent: &Agent, held: &Held, desired: &Resolved, kind: Own) -> Option<TelemetryConnectionSettings> {
    if !agent.capabilities.contains(kind.capability()) {
        return None;
    }
    let given = desired.own[kind as usize].as_ref().map(|part| part.value.clone());
    given.or_else(|| (held.record.own_told & bit(kind) != 0).then(TelemetryConnectionSettings::default))
}

const fn bit(kind: Own) -> u8 {
    1 << kind as u8
}

/// Notes what goes out.
fn note(agent: &mut Agent, message: &ConnectionSettingsOffers, desired: &Resolved, now: Timestamp) {
    let interval = interval(agent, desired);
    let assumed =
        !agent.reports_settings_status() && agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT);
    let here = agent.settings.as_deref().and_then(|held| own_endpoint(agent, held, desired));
    let Some(held) = agent.settings.as_mut() else {
        return;
    };
    let before = held.record.offered.take().and_then(|offered| offered.opamp);
    let told = message.opamp.as_ref().map(|opamp| OfferedOpamp {
        hash: desired.hash,
        at: now,
        interval,
        moved_to: (here.as_ref() != Some(&opamp.destination_endpoint))
            .then(|| opamp.destination_endpoint.as_str().into()),
    });
    if told.is_some() && assumed {
        held.record.in_force = Some(interval);
    }
    held.record.offered = Some(Offered { hash: desired.hash, at: now, opamp: told.or(before) });
    let sent = [&message.own_metrics, &message.own_traces, &message.own_logs];
    for (kind, sent) in Own::ALL.into_iter().zip(sent) {
        if sent.is_some() {
            held.record.own_told |= bit(kind);
        }
    }
}

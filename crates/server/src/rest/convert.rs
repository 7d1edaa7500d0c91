//! From the domain's values to the API's.

use std::collections::BTreeMap;

use serde_json::Value;
use tidegate_api as api;
use tidegate_fleet::agent::Link;
use tidegate_fleet::agent::axes::{Axis, ConfigState, Connection, Health, Proof};
use tidegate_fleet::{Command, CommandKind, Origin, Push};
use tidegate_opamp::{AgentConfigMap, ComponentDetails, ComponentHealth, KeyValue};
use tidegate_store::StoredEvent;

use super::settings_convert;
pub(super) use super::time::time;
use crate::control::{AgentView, PushState, PushView, PushWarning};

/// Nanoseconds since 1970, as agents give them; 0 is "never", and what lies beyond the calendar is none.
fn nanoseconds(at: u64) -> Option<api::Timestamp> {
    if at == 0 { None } else { api::Timestamp::from_nanosecond(i128::from(at)).ok() }
}

fn axis<T: Copy>(axis: &Axis<T>, word: impl Fn(T) -> &'static str) -> api::Axis {
    api::Axis {
        value: word(axis.value).to_owned(),
        observed_at: time(axis.observed_at),
        reason: axis.reason.clone(),
    }
}

pub(super) fn agent(view: &AgentView) -> api::Agent {
    let agent = &view.agent;
    let attributes: BTreeMap<_, _> =
        agent.attributes().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    api::Agent {
        uid: agent.uid.to_string(),
        name: agent.name(),
        service: api::Service {
            name: attributes.get("service.name").cloned(),
            version: attributes.get("service.version").cloned(),
        },
        connection: axis(&view.connection, Connection::as_str),
        health: axis(&view.health, Health::as_str),
        config: api::ConfigAxis {
            axis: axis(&view.config, ConfigState::as_str),
            desired: agent.desired().map(|desired| desired.config.hash.to_string()),
            acknowledged: agent.acknowledged_hash().map(|hash| hexadecimal(&hash)),
            push: agent.desired().map(|desired| desired.push.0.clone()),
            proof: view.proof.map(|proof| match proof {
                Proof::Proven => "proven".to_owned(),
                Proof::Unproven => "unproven".to_owned(),
            }),
        },
        attention: api::Attention {
            level: view.attention.0.as_str().to_owned(),
            reason: view.attention.1.clone(),
        },
        heartbeat: Some(settings_convert::heartbeat(&view.heartbeat)),
        transport: match agent.link {
            Link::Up { transport, .. } => Some(transport.as_str().to_owned()),
            Link::Down { .. } | Link::Departed { .. } => None,
        },
        first_seen: time(agent.first_seen),
        last_seen: time(agent.last_seen),
        started_at: nanoseconds(agent.start_time()),
        attributes,
        labels: agent.labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        capabilities: agent.capabilities.names().map(std::borrow::Cow::into_owned).collect(),
        custom_capabilities: agent.custom_capabilities(),
    }
}

pub(super) fn agent_detail(view: &AgentView) -> api::AgentDetail {
    let reported = view.agent.reported();
    let effective = reported.effective_config.as_ref().and_then(|fact| fact.get().config_map);
    // What it runs is told as it reports it: a host may show its secrets.
    let desired =
        view.agent.desired().map(|desired| files(&view.agent.without_secrets(&desired.config.files)));
    api::AgentDetail {
        agent: agent(view),
        components: reported.health.as_ref().map(|fact| components(&fact.get())).unwrap_or_default(),
        effective_config: effective.as_ref().map(files).unwrap_or_default(),
        desired_config: desired.unwrap_or_default(),
        available_components: view.available.as_ref().map(|available| api::AvailableComponents {
            hash: hexadecimal(&available.hash),
            components: available_components(&available.components),
        }),
        schema: view.schema.map(|hash| hash.to_string()),
        connection_settings: view.settings.as_ref().map(settings_convert::agent_settings),
    }
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn available_components(
    components: &BTreeMap<String, ComponentDetails>,
) -> BTreeMap<String, api::AvailableComponent> {
    let component = |details: &ComponentDetails| api::AvailableComponent {
        metadata: texts(&details.metadata),
        components: available_components(&details.sub_component_map),
    };
    components.iter().map(|(name, details)| (name.clone(), component(details))).collect()
}

pub(super) fn texts(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| pair.value.as_ref().map(ToString::to_string).unwrap_or_default();
    pairs.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}

fn components(health: &ComponentHealth) -> BTreeMap<String, api::Component> {
    let component = |below: &ComponentHealth| api::Component {
        healthy: below.healthy,
        status: below.status.clone(),
        last_error: below.last_error.clone(),
        observed_at: nanoseconds(below.status_time_unix_nano),
        attributes: texts(&below.attributes),
        components: components(below),
    };
    health.component_health_map.iter().map(|(name, below)| (name.clone(), component(below))).collect()
}

pub(super) fn files(map: &AgentConfigMap) -> Vec<api::ConfigFile> {
    map.config_map
        .iter()
        .map(|(name, file)| api::ConfigFile {
            name: name.clone(),
            content_type: file.content_type.clone(),
            role: file.role.clone(),
            body: String::from_utf8_lossy(&file.body).into_owned(),
        })
        .collect()
}

pub(super) fn command(command: &Command) -> api::Command {
    let (kind, capability, message_type) = match &command.kind {
        CommandKind::Restart => ("restart", None, None),
        CommandKind::Custom { capability, kind, .. } => {
            ("custom", Some(capability.clone()), Some(kind.clone()))
        }
    };
    let outcome = command.outcome.as_ref();
    let answer = outcome.and_then(|outcome| {
        let data = outcome.answer.as_deref()?;
        let text = || Value::String(String::from_utf8_lossy(data).into_owned());
        let data = serde_json::from_slice(data).unwrap_or_else(|_| text());
        Some(api::Answer { message_type: outcome.answer_kind.clone().unwrap_or_default(), data })
    });
    api::Command {
        id: command.id.0.clone(),
        agent: command.agent.to_string(),
        kind: kind.to_owned(),
        capability,
        message_type,
        state: command.state.as_str().to_owned(),
        ended: command.has_ended(),
        reason: outcome.map(|outcome| outcome.detail.clone()).unwrap_or_default(),
        actor: command.actor.clone(),
        created_at: time(command.created_at),
        deadline: time(command.deadline),
        sent_at: command.sent_at.map(time),
        finished_at: command.finished_at.map(time),
        answer,
    }
}

fn push_warning(warning: &PushWarning) -> api::PushWarning {
    let position = warning.finding.position;
    api::PushWarning {
        schema: warning.schema.to_string(),
        agents: warning.agents,
        file: warning.finding.file.clone(),
        line: position.map(|position| position.line),
        column: position.map(|position| position.column),
        message: warning.finding.message.clone(),
        fix: warning.finding.fix.clone(),
    }
}

pub(super) fn push(view: &PushView) -> api::Push {
    let mut summary = api::PushSummary { total: view.agents.len() as u64, ..api::PushSummary::default() };
    let agents = view.agents.iter().map(|(state, reason, agent)| {
        *match state {
            PushState::Pending => &mut summary.pending,
            PushState::Applying => &mut summary.applying,
            PushState::Proven => &mut summary.proven,
            PushState::Unproven => &mut summary.unproven,
            PushState::Failed => &mut summary.failed,
            PushState::Superseded => &mut summary.superseded,
            PushState::Refused => &mut summary.refused,
        } += 1;
        api::PushAgent {
            uid: agent.agent.uid.to_string(),
            name: agent.agent.name(),
            state: push_state(*state).to_owned(),
            reason: reason.clone(),
            connection: axis(&agent.connection, Connection::as_str),
        }
    });
    let agents = agents.collect();
    let push = &view.push;
    api::Push {
        id: push.id.0.clone(),
        config: push.config.to_string(),
        q: push.query.clone(),
        actor: push.actor.clone(),
        at: time(push.at),
        retry_of: retry_of(push),
        roll_back_of: roll_back_of(push),
        summary,
        warnings: view.warnings.iter().map(push_warning).collect(),
        agents,
    }
}

/// The word for how far an agent has come.
pub(super) const fn push_state(state: PushState) -> &'static str {
    match state {
        PushState::Pending => "pending",
        PushState::Applying => "applying",
        PushState::Proven => "proven",
        PushState::Unproven => "unproven",
        PushState::Failed => "failed",
        PushState::Superseded => "superseded",
        PushState::Refused => "refused",
    }
}

pub(super) fn push_listed(push: &Push) -> api::PushListed {
    api::PushListed {
        id: push.id.0.clone(),
        config: push.config.to_string(),
        q: push.query.clone(),
        actor: push.actor.clone(),
        at: time(push.at),
        retry_of: retry_of(push),
        roll_back_of: roll_back_of(push),
        total: (push.targets.len() + push.refused.len()) as u64,
        refused: push.refused.len() as u64,
    }
}

fn retry_of(push: &Push) -> Option<String> {
    if let Origin::Retry(of) = &push.origin { Some(of.0.clone()) } else { None }
}

fn roll_back_of(push: &Push) -> Option<String> {
    if let Origin::RollBack(of) = &push.origin { Some(of.0.clone()) } else { None }
}

pub(super) fn event(stored: &StoredEvent, name: &str) -> api::Event {
    api::Event {
        number: stored.number,
        at: time(stored.event.at),
        kind: stored.event.kind.as_str().to_owned(),
        agent: stored.event.agent.to_string(),
        name: name.to_owned(),
        text: stored.event.text.clone(),
    }
}

//! A report laid over what is known: a part that is there replaces the stored one whole, a part that is not leaves
//! it as it is (OpAMP S068, S069).

use tidegate_opamp::{AgentToServer, CustomMessage, RemoteConfigStatus, RemoteConfigStatuses};

use super::{Received, event};
use crate::agent::axes;
use crate::{Agent, EventKind, Timestamp};

/// Lays `message` over `agent`; returns its custom message.
pub(super) fn merge(
    agent: &mut Agent,
    message: AgentToServer,
    now: Timestamp,
    received: &mut Received,
) -> Option<CustomMessage> {
    if message.capabilities != 0 && message.capabilities != agent.capabilities.0 {
        agent.capabilities.0 = message.capabilities;
        received.changed.identity = true;
    }
    let was_described = agent.reported().description.is_some();
    if let Some(description) = &message.agent_description
        && agent.hear_description(description, now)
    {
        received.changed.identity = true;
        if was_described {
            received.events.push(event(agent, now, EventKind::Description, "its description changed"));
        }
    }
    if let Some(custom) = &message.custom_capabilities {
        received.changed.identity |= agent.hear_custom_capabilities(custom, now);
    }
    // An effective config without a map says nothing; it does not wipe what is known (OpAMP S094).
    if let Some(config) = message.effective_config.as_ref().filter(|config| config.config_map.is_some()) {
        received.changed.effective_config |= agent.hear_effective_config(config, now);
    }
    if let Some(packages) = &message.package_statuses {
        received.changed.other |= agent.hear_packages(packages, now);
    }
    if let Some(components) = &message.available_components {
        received.changed.other |= agent.hear_components(components, now);
    }
    if let Some(status) = &message.connection_settings_status {
        received.changed.other |= agent.hear_settings_status(status, now);
        if let Some(text) = agent.hear_settings_answer(status, now) {
            received.events.push(event(agent, now, EventKind::Settings, text));
        }
    }
    if let Some(health) = &message.health {
        merge_health(agent, health, now, received);
    }
    // opamp-go sends an empty status before it ever had a config: nothing is known by that (ruling A11).
    if let Some(status) = message.remote_config_status.as_ref().filter(|status| !is_blank(status)) {
        merge_status(agent, status, now, received);
    }
    message.custom_message
}

fn merge_health(
    agent: &mut Agent,
    health: &tidegate_opamp::ComponentHealth,
    now: Timestamp,
    received: &mut Received,
) {
    let before = axes::health(agent);
    if !agent.hear_health(health, now) {
        return;
    }
    received.changed.health = true;
    let after = axes::health(agent);
    if before.value != after.value || before.reason != after.reason {
        let text = match after.reason.as_str() {
            "" => after.value.as_str().to_owned(),
            reason => format!("{}: {reason}", after.value.as_str()),
        };
        received.events.push(event(agent, now, EventKind::Health, text));
    }
}

fn merge_status(agent: &mut Agent, status: &RemoteConfigStatus, now: Timestamp, received: &mut Received) {
    if agent.hear_config_status(status, now) {
        received.changed.config_status = true;
        let text = match status.status {
            RemoteConfigStatuses::Failed => format!("failed: {}", status.error_message),
            other => format!("{other:?}"),
        };
        received.events.push(event(agent, now, EventKind::Config, text));
    }
}

fn is_blank(status: &RemoteConfigStatus) -> bool {
    status.last_remote_config_hash.is_empty()
        && status.status == RemoteConfigStatuses::Unset
        && status.error_message.is_empty()
}

//! An agent's last messages as JSON: the names are those of OpAMP, bytes are in hexadecimal.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use tidegate_api as api;
use tidegate_fleet::agent::{Fact, Sequence};
use tidegate_opamp::{
    AgentConfigMap, ComponentDetails, ComponentHealth, KeyValue, Message, PackageStatus, PackageStatuses,
};

use super::convert::{hexadecimal, texts, time};
use crate::control::AgentView;

/// Most bytes of a part that is shown.
const MAX_BYTES: usize = 1024 * 1024;

/// What the server holds of an agent's messages.
pub(super) fn of(view: &AgentView) -> api::AgentReport {
    let (agent, reported) = (&view.agent, view.agent.reported());
    let mut parts = Parts(BTreeMap::new());
    parts.put("agent_description", reported.description.as_ref(), |message| {
        json!({
            "identifying_attributes": texts(&message.identifying_attributes),
            "non_identifying_attributes": texts(&message.non_identifying_attributes),
        })
    });
    parts.put("health", reported.health.as_ref(), health);
    parts.put("effective_config", reported.effective_config.as_ref(), |message| {
        let shown = message.config_map.as_ref().map(|map| files(&view.agent.without_secrets(map)));
        json!({"config_map": shown.unwrap_or_default()})
    });
    parts.put("remote_config_status", reported.remote_config_status.as_ref(), |message| {
        json!({
            "last_remote_config_hash": hexadecimal(&message.last_remote_config_hash),
            "status": format!("{:?}", message.status),
            "error_message": message.error_message,
        })
    });
    parts.put("package_statuses", reported.package_statuses.as_ref(), packages);
    parts.put(
        "custom_capabilities",
        reported.custom_capabilities.as_ref(),
        |message| json!({"capabilities": message.capabilities}),
    );
    parts.put(
        "available_components",
        reported.available_components.as_ref(),
        |message| json!({"hash": hexadecimal(&message.hash), "components": details(&message.components)}),
    );
    parts.put("connection_settings_status", reported.connection_settings_status.as_ref(), |message| {
        json!({
            "last_connection_settings_hash": hexadecimal(&message.last_connection_settings_hash),
            "status": format!("{:?}", message.status),
            "error_message": message.error_message,
        })
    });
    let (sequence_num, sequence_exact) = match agent.sequence {
        Sequence::Unknown => (None, false),
        Sequence::Exact(number) => (Some(number), true),
        Sequence::AtLeast(number) => (Some(number), false),
    };
    api::AgentReport {
        uid: agent.uid.to_string(),
        sequence_num,
        sequence_exact,
        capabilities: agent.capabilities.0,
        parts: parts.0,
    }
}

struct Parts(BTreeMap<String, api::ReportPart>);

impl Parts {
    fn put<T: Message + Default>(
        &mut self,
        name: &str,
        fact: Option<&Fact<T>>,
        told: impl FnOnce(&T) -> Value,
    ) {
        let Some(fact) = fact else { return };
        let bytes = fact.encoded().len();
        let message = if bytes > MAX_BYTES { Value::Null } else { told(&fact.get()) };
        let part = api::ReportPart { observed_at: time(fact.observed_at), bytes: bytes as u64, message };
        self.0.insert(name.to_owned(), part);
    }
}

fn health(message: &ComponentHealth) -> Value {
    let below: Map<_, _> =
        message.component_health_map.iter().map(|(name, below)| (name.clone(), health(below))).collect();
    json!({
        "healthy": message.healthy,
        "start_time_unix_nano": message.start_time_unix_nano,
        "last_error": message.last_error,
        "status": message.status,
        "status_time_unix_nano": message.status_time_unix_nano,
        "attributes": texts(&message.attributes),
        "component_health_map": below,
    })
}

fn files(map: &AgentConfigMap) -> Map<String, Value> {
    let file = |(name, file): (&String, &tidegate_opamp::AgentConfigObject)| {
        let told = json!({
            "body": String::from_utf8_lossy(&file.body),
            "content_type": file.content_type,
            "role": file.role,
        });
        (name.clone(), told)
    };
    map.config_map.iter().map(file).collect()
}

fn packages(message: &PackageStatuses) -> Value {
    let package = |(name, package): (&String, &PackageStatus)| {
        let told = json!({
            "agent_has_version": package.agent_has_version,
            "agent_has_hash": hexadecimal(&package.agent_has_hash),
            "server_offered_version": package.server_offered_version,
            "server_offered_hash": hexadecimal(&package.server_offered_hash),
            "status": format!("{:?}", package.status),
            "error_message": package.error_message,
        });
        (name.clone(), told)
    };
    let packages: Map<_, _> = message.packages.iter().map(package).collect();
    json!({
        "packages": packages,
        "server_provided_all_packages_hash": hexadecimal(&message.server_provided_all_packages_hash),
        "error_message": message.error_message,
    })
}

fn details(components: &BTreeMap<String, ComponentDetails>) -> Map<String, Value> {
    let one = |(name, details): (&String, &ComponentDetails)| {
        let metadata: &[KeyValue] = &details.metadata;
        let below = self::details(&details.sub_component_map);
        (name.clone(), json!({"metadata": texts(metadata), "sub_component_map": below}))
    };
    components.iter().map(one).collect()
}

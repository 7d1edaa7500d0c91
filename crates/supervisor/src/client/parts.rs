//! The parts of a report: which of them the server has, and which are due.

use std::sync::Arc;

use tidegate_opamp::{
    AgentDescription, AgentToServer, ComponentHealth, ConnectionSettingsStatus, CustomCapabilities,
    EffectiveConfig, InstanceUid, RemoteConfigStatus, ServerCapabilities,
};

use crate::agent::AgentReport;

/// A key of the description that mirrors the agent's uid (OpAMP C048).
const SERVICE_INSTANCE_ID: &str = "service.instance.id";

/// The parts of a report, each `None` where there is none or where it was not sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    pub(super) description: Option<Arc<AgentDescription>>,
    pub(super) health: Option<Arc<ComponentHealth>>,
    pub(super) effective_config: Option<Arc<EffectiveConfig>>,
    pub(super) remote_config_status: Option<Arc<RemoteConfigStatus>>,
    pub(super) custom_capabilities: Option<Arc<Vec<String>>>,
    pub(super) connection_settings_status: Option<Arc<ConnectionSettingsStatus>>,
}

/// The value as it is now, if it is not what was sent.
fn fresh<T: PartialEq>(now: Option<&Arc<T>>, sent: Option<&Arc<T>>) -> Option<Arc<T>> {
    let now = now?;
    let same = sent.is_some_and(|sent| Arc::ptr_eq(now, sent) || now == sent);
    (!same).then(|| Arc::clone(now))
}

impl Parts {
    /// The parts of what the process side says.
    pub(super) fn of(report: &AgentReport, custom: Arc<Vec<String>>) -> Self {
        Self {
            description: Some(Arc::clone(&report.description)),
            health: Some(Arc::clone(&report.health)),
            effective_config: Some(Arc::clone(&report.effective_config)),
            remote_config_status: report.remote_config_status.clone(),
            custom_capabilities: Some(custom),
            connection_settings_status: None,
        }
    }

    /// What of `self` the server does not have yet, less what it cannot take (OpAMP C009, C010: 0 stands for
    /// "not known", and then everything goes).
    pub(super) fn beyond(&self, sent: &Self, server: ServerCapabilities) -> Self {
        let takes = |capability| server.0 == 0 || server.contains(capability);
        let status = takes(ServerCapabilities::ACCEPTS_STATUS);
        let effective = takes(ServerCapabilities::ACCEPTS_EFFECTIVE_CONFIG);
        let remote = takes(ServerCapabilities::OFFERS_REMOTE_CONFIG);
        let settings = takes(ServerCapabilities::OFFERS_CONNECTION_SETTINGS);
        Self {
            description: fresh(self.description.as_ref(), sent.description.as_ref()).filter(|_| status),
            health: fresh(self.health.as_ref(), sent.health.as_ref()).filter(|_| status),
            effective_config: fresh(self.effective_config.as_ref(), sent.effective_config.as_ref())
                .filter(|_| effective),
            remote_config_status: fresh(
                self.remote_config_status.as_ref(),
                sent.remote_config_status.as_ref(),
            )
            .filter(|_| remote),
            connection_settings_status: fresh(
                self.connection_settings_status.as_ref(),
                sent.connection_settings_status.as_ref(),
            )
            .filter(|_| settings),
            // No bit of the server guards custom capabilities.
            custom_capabilities: fresh(self.custom_capabilities.as_ref(), sent.custom_capabilities.as_ref()),
        }
    }

    /// True when no part is there.
    pub(super) fn is_empty(&self) -> bool {
        self.description.is_none()
            && self.health.is_none()
            && self.effective_config.is_none()
            && self.remote_config_status.is_none()
            && self.custom_capabilities.is_none()
            && self.connection_settings_status.is_none()
    }

    /// Notes that the parts of `due` were sent.
    pub(super) fn note(&mut self, due: &Self) {
        fn put<T: Clone>(slot: &mut Option<T>, value: &Option<T>) {
            if value.is_some() {
                slot.clone_from(value);
            }
        }
        put(&mut self.description, &due.description);
        put(&mut self.health, &due.health);
        put(&mut self.effective_config, &due.effective_config);
        put(&mut self.remote_config_status, &due.remote_config_status);
        put(&mut self.custom_capabilities, &due.custom_capabilities);
        put(&mut self.connection_settings_status, &due.connection_settings_status);
    }

    /// Puts the parts into a message. Where the description mirrors `mirrored`, it says `uid` instead.
    pub(super) fn fill(&self, message: &mut AgentToServer, mirrored: InstanceUid, uid: InstanceUid) {
        message.agent_description =
            self.description.as_deref().map(|description| rename(description, mirrored, uid));
        message.health = self.health.as_deref().cloned();
        message.effective_config = self.effective_config.as_deref().cloned();
        message.remote_config_status = self.remote_config_status.as_deref().cloned();
        message.connection_settings_status = self.connection_settings_status.as_deref().cloned();
        message.custom_capabilities = self
            .custom_capabilities
            .as_deref()
            .map(|names| CustomCapabilities { capabilities: names.clone(), ..CustomCapabilities::default() });
    }
}

fn rename(description: &AgentDescription, mirrored: InstanceUid, uid: InstanceUid) -> AgentDescription {
    let mut description = description.clone();
    if mirrored != uid {
        let before = mirrored.to_string();
        for attribute in &mut description.identifying_attributes {
            let mirrors =
                attribute.value.as_ref().and_then(|value| value.as_str()).is_some_and(|id| id == before);
            if attribute.key == SERVICE_INSTANCE_ID && mirrors {
                attribute.value = Some(uid.to_string().into());
            }
        }
    }
    description
}

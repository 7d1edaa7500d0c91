//! The parts of a report: which of them the server has, and which are due.

use std::sync::Arc;

use tidegate_opamp::{
    AgentDescription, AgentToServer, AvailableComponents, ComponentHealth, ConnectionSettingsStatus,
    CustomCapabilities, EffectiveConfig, InstanceUid, Message as _, RemoteConfigStatus, ServerCapabilities,
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
    pub(super) available_components: Option<Arc<AvailableComponents>>,
    /// The components are listed, whether or not their hash was sent; without that only the hash goes (OpAMP C165).
    pub(super) lists_components: bool,
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
            available_components: report.available_components.clone(),
            lists_components: false,
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
            // No bit of the server guards custom capabilities and components.
            custom_capabilities: fresh(self.custom_capabilities.as_ref(), sent.custom_capabilities.as_ref()),
            available_components: match &self.available_components {
                Some(components) if self.lists_components => Some(Arc::clone(components)),
                components => fresh(components.as_ref(), sent.available_components.as_ref()),
            },
            lists_components: self.lists_components,
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
            && self.available_components.is_none()
    }

    /// Notes that the parts of `due` were sent.
    pub(super) fn note(&mut self, due: &Self) {
        fn note<T: Clone>(slot: &mut Option<T>, value: &Option<T>) {
            if value.is_some() {
                slot.clone_from(value);
            }
        }
        note(&mut self.description, &due.description);
        note(&mut self.health, &due.health);
        note(&mut self.effective_config, &due.effective_config);
        note(&mut self.remote_config_status, &due.remote_config_status);
        note(&mut self.custom_capabilities, &due.custom_capabilities);
        note(&mut self.connection_settings_status, &due.connection_settings_status);
        note(&mut self.available_components, &due.available_components);
    }

    /// Puts the parts into a message that may have so many bytes; what makes it too large is left out. Where the
    /// description mirrors the first uid, it says the second instead. True when the list of components did not fit
    /// beside the others and is to go by itself.
    pub(super) fn fill(
        &self,
        message: &mut AgentToServer,
        limit: usize,
        uids: (InstanceUid, InstanceUid),
    ) -> bool {
        self.put(message, uids);
        let mut waits = false;
        if self.lists_components && message.encoded_len() > limit {
            waits = message.effective_config.is_some();
            if !waits {
                tracing::warn!(limit, "the components are not listed: the message would exceed the limit");
            }
            message.available_components = self.available_components.as_deref().map(hash_alone);
        }
        if message.encoded_len() > limit {
            tracing::warn!(limit, "the effective config is not reported: the message would exceed the limit");
            message.effective_config = None;
        }
        if message.encoded_len() > limit {
            tracing::warn!(limit, "a report is not sent: the message would exceed the limit");
            Self::default().put(message, uids);
        }
        waits
    }

    fn put(&self, message: &mut AgentToServer, (mirrored, uid): (InstanceUid, InstanceUid)) {
        message.agent_description =
            self.description.as_deref().map(|description| rename(description, mirrored, uid));
        message.health = self.health.as_deref().cloned();
        message.effective_config = self.effective_config.as_deref().cloned();
        message.remote_config_status = self.remote_config_status.as_deref().cloned();
        message.connection_settings_status = self.connection_settings_status.as_deref().cloned();
        message.available_components = match self.available_components.as_deref() {
            Some(all) if self.lists_components => Some(all.clone()),
            all => all.map(hash_alone),
        };
        message.custom_capabilities = self
            .custom_capabilities
            .as_deref()
            .map(|names| CustomCapabilities { capabilities: names.clone(), ..CustomCapabilities::default() });
    }
}

fn hash_alone(all: &AvailableComponents) -> AvailableComponents {
    AvailableComponents { hash: all.hash.clone(), ..AvailableComponents::default() }
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

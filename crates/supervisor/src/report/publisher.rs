//! The sending end of the reports: a new one goes out only when a part has changed.

use std::sync::Arc;

use tidegate_custom::metrics::Digest;
use tidegate_opamp::{AgentDescription, ComponentHealth, EffectiveConfig, RemoteConfigStatus};
use tokio::sync::watch;

use crate::agent::AgentReport;

/// Publishes reports; its copies publish to the same place.
#[derive(Clone, Debug)]
pub struct Publisher(watch::Sender<AgentReport>);

impl Publisher {
    /// Starts with a first report, and gives the receiving end.
    #[must_use]
    pub fn new(first: AgentReport) -> (Self, watch::Receiver<AgentReport>) {
        let (sender, receiver) = watch::channel(first);
        (Self(sender), receiver)
    }

    /// Replaces the whole report.
    pub fn start_over(&self, report: AgentReport) {
        self.0.send_replace(report);
    }

    /// The newest report.
    #[must_use]
    pub fn newest(&self) -> AgentReport {
        self.0.borrow().clone()
    }

    /// Sets the description.
    pub fn description(&self, description: AgentDescription) {
        self.set(description, |report| &mut report.description);
    }

    /// Sets the health.
    pub fn health(&self, health: ComponentHealth) {
        self.set(health, |report| &mut report.health);
    }

    /// Sets the effective config.
    pub fn effective_config(&self, config: EffectiveConfig) {
        self.set(config, |report| &mut report.effective_config);
    }

    /// Sets the digest of metrics.
    pub fn digest(&self, digest: Arc<Digest>) {
        self.0.send_modify(|report| report.digest = Some(digest));
    }

    /// Sets the remote config status.
    pub fn remote_config_status(&self, status: RemoteConfigStatus) {
        let status = Some(Arc::new(status));
        self.0.send_if_modified(|report| {
            let changed = report.remote_config_status != status;
            if changed {
                report.remote_config_status = status;
            }
            changed
        });
    }

    fn set<T: PartialEq>(&self, value: T, part: fn(&mut AgentReport) -> &mut Arc<T>) {
        self.0.send_if_modified(|report| {
            let part = part(report);
            let changed = **part != value;
            if changed {
                *part = Arc::new(value);
            }
            changed
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_equal_parts_when_set_then_nobody_is_woken() {
        let first = AgentReport {
            description: Arc::default(),
            health: Arc::default(),
            effective_config: Arc::default(),
            remote_config_status: None,
            digest: None,
        };
        let (publisher, mut receiver) = Publisher::new(first);
        publisher.health(ComponentHealth::default());
        publisher.description(AgentDescription::default());
        assert!(!receiver.has_changed().unwrap());
        publisher.health(ComponentHealth { healthy: true, ..ComponentHealth::default() });
        publisher.remote_config_status(RemoteConfigStatus::default());
        assert!(receiver.has_changed().unwrap());
        receiver.mark_unchanged();
        publisher.remote_config_status(RemoteConfigStatus::default());
        assert!(!receiver.has_changed().unwrap());
    }
}

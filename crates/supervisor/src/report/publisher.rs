//! The sending end of the reports: a new one goes out only when a part has changed.

use std::borrow::Cow;
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_custom::metrics::Digest;
use tidegate_opamp::{
    AgentDescription, AvailableComponents, ComponentHealth, EffectiveConfig, RemoteConfigStatus,
};
use tokio::sync::watch;

use super::Secrets;
use crate::agent::{AgentReport, OwnReport};

/// Publishes reports; its copies publish to the same place. No health and no status leaves it with a secret that it was
/// told of (OpAMP C085).
#[derive(Clone, Debug)]
pub struct Publisher {
    reports: watch::Sender<AgentReport>,
    secrets: Arc<Mutex<Secrets>>,
}

impl Publisher {
    /// Starts with a first report, and gives the receiving end.
    #[must_use]
    pub fn new(first: AgentReport) -> (Self, watch::Receiver<AgentReport>) {
        let (sender, receiver) = watch::channel(first);
        (Self { reports: sender, secrets: Arc::default() }, receiver)
    }

    /// Replaces the whole report.
    pub fn start_over(&self, report: AgentReport) {
        self.reports.send_replace(report);
    }

    /// Learns the secrets of a config that runs or may be quoted.
    pub fn learn<'a>(&self, texts: impl IntoIterator<Item = &'a str>) {
        let mut secrets = self.secrets.lock();
        texts.into_iter().for_each(|text| secrets.learn(text));
    }

    /// A text without the secrets that were learned.
    #[must_use]
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.secrets.lock().clean(text)
    }

    fn clean_health(&self, health: &mut ComponentHealth) {
        if let Cow::Owned(cleaned) = self.clean(&health.last_error) {
            health.last_error = cleaned;
        }
        health.component_health_map.values_mut().for_each(|below| self.clean_health(below));
    }

    /// The newest report.
    #[must_use]
    pub fn newest(&self) -> AgentReport {
        self.reports.borrow().clone()
    }

    /// Sets the description.
    pub fn description(&self, description: AgentDescription) {
        self.set(description, |report| &mut report.description);
    }

    /// Sets the health.
    pub fn health(&self, mut health: ComponentHealth) {
        self.clean_health(&mut health);
        self.set(health, |report| &mut report.health);
    }

    /// Sets the effective config.
    pub fn effective_config(&self, config: EffectiveConfig) {
        self.set(config, |report| &mut report.effective_config);
    }

    /// Sets the digest of metrics.
    pub fn digest(&self, digest: Arc<Digest>) {
        self.reports.send_modify(|report| report.digest = Some(digest));
    }

    /// Sets the remote config status.
    pub fn remote_config_status(&self, mut status: RemoteConfigStatus) {
        if let Cow::Owned(cleaned) = self.clean(&status.error_message) {
            status.error_message = cleaned;
        }
        let status = Some(Arc::new(status));
        self.reports.send_if_modified(|report| {
            let changed = report.remote_config_status != status;
            if changed {
                report.remote_config_status = status;
            }
            changed
        });
    }

    /// Sets what the build can run; `None` where that is not known.
    pub fn available_components(&self, components: Option<Arc<AvailableComponents>>) {
        self.reports.send_if_modified(|report| {
            let changed = report.available_components != components;
            if changed {
                report.available_components = components;
            }
            changed
        });
    }

    /// Sets what can be sent of the agent's own telemetry, and what became of the last offer.
    pub fn own_telemetry(&self, own: Option<Arc<OwnReport>>) {
        self.reports.send_if_modified(|report| {
            let changed = report.own_telemetry != own;
            if changed {
                report.own_telemetry = own;
            }
            changed
        });
    }

    fn set<T: PartialEq>(&self, value: T, part: fn(&mut AgentReport) -> &mut Arc<T>) {
        self.reports.send_if_modified(|report| {
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
        let first = AgentReport::default();
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

    /// C085: secrets that were learned are in no health and no status.
    #[test]
    fn given_a_secret_that_was_learned_when_a_health_or_status_quotes_it_then_it_is_not_published() {
        let first = AgentReport::default();
        let (publisher, receiver) = Publisher::new(first);
        publisher.learn(["token s3cr3t\n"]);
        let said = |text: &str| ComponentHealth { last_error: text.to_owned(), ..ComponentHealth::default() };
        let below = [("output:a".to_owned(), said("no s3cr3t"))].into();
        publisher.health(ComponentHealth { component_health_map: below, ..said("s3cr3t is wrong") });
        let error_message = "bad: s3cr3t".to_owned();
        publisher.remote_config_status(RemoteConfigStatus { error_message, ..RemoteConfigStatus::default() });
        let told = format!("{:?}", *receiver.borrow());
        assert!(!told.contains("s3cr3t") && told.matches("(secret)").count() == 3, "{told}");
    }
}

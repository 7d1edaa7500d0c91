//! What the server knows of one agent.

mod attributes;
pub mod axes;
mod behind;
mod desired;
mod digest;
mod fact;
mod labels;
mod limits;
pub mod settings;

use std::sync::Arc;

use tidegate_fluent::redact::{Key, Restorer, redact_rest};
use tidegate_opamp::{
    AgentCapabilities, AgentConfigMap, AgentDescription, AvailableComponents, ComponentHealth, ConfigHash,
    ConnectionSettingsStatus, CustomCapabilities, EffectiveConfig, InstanceUid, Message, PackageStatuses,
    RemoteConfigStatus, RemoteConfigStatuses,
};

use crate::Timestamp;

pub use attributes::Attributes;
use axes::ConfigState;
pub use desired::{Assignment, Desired};
use digest::{Digest, Running};
pub use fact::{Fact, Reported};
pub use labels::{InvalidLabel, LabelPatch, Labels};
pub use limits::{LimitExceeded, Limits};
use settings::Held;

/// How an agent reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// A socket that stays open.
    WebSocket,
    /// A socket opened for each message and closed after it.
    Visits,
    /// A request now and then.
    Http,
}

impl Transport {
    /// True when the agent comes and goes, so that silence alone tells that it is gone.
    #[must_use]
    pub const fn polls(self) -> bool {
        matches!(self, Self::Visits | Self::Http)
    }

    /// The word for the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WebSocket | Self::Visits => "websocket",
            Self::Http => "http",
        }
    }
}

/// The state of an agent's link to this server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// It speaks to this server.
    Up {
        /// By which transport.
        transport: Transport,
        /// Since when.
        since: Timestamp,
    },
    /// Its socket closed, or the server was restarted since.
    Down {
        /// Since when.
        since: Timestamp,
    },
    /// It said farewell.
    Departed {
        /// When.
        since: Timestamp,
    },
}

/// The last sequence number of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// No number is known: the next message must be a full report.
    Unknown,
    /// The number of the last message.
    Exact(u64),
    /// The server crashed since: the last message had at least this number (ruling A16).
    AtLeast(u64),
}

/// One agent: one `instance_uid`, one supervised process.
#[derive(Clone, Debug, PartialEq)]
pub struct Agent {
    /// Its id.
    pub uid: InstanceUid,
    /// The credential of the host that reports it, once hosts have credentials.
    pub host_credential: Option<String>,
    /// When it first reported.
    pub first_seen: Timestamp,
    /// When it last spoke.
    pub last_seen: Timestamp,
    /// Its last sequence number.
    pub sequence: Sequence,
    /// When it was last asked for its full state.
    pub full_state_asked_at: Option<Timestamp>,
    /// What it can do; the last value that was not 0 (OpAMP S010).
    pub capabilities: AgentCapabilities,
    /// Its link.
    pub link: Link,
    /// The uid that it was given and does not use yet (OpAMP S056).
    pub assigned_uid: Option<InstanceUid>,
    /// Its connection settings, where it has some or had.
    pub settings: Option<Box<Held>>,
    reported: Reported,
    desired: Option<Desired>,
    digest: Digest,
    /// What operators say of it.
    pub labels: Labels,
}

impl Agent {
    /// An agent that is heard of for the first time.
    #[must_use]
    pub fn new(uid: InstanceUid, now: Timestamp) -> Self {
        Self {
            uid,
            host_credential: None,
            first_seen: now,
            last_seen: now,
            sequence: Sequence::Unknown,
            full_state_asked_at: None,
            capabilities: AgentCapabilities(0),
            link: Link::Down { since: now },
            reported: Reported::default(),
            desired: None,
            digest: Digest::default(),
            assigned_uid: None,
            settings: None,
            labels: Labels::default(),
        }
    }

    /// What it said of itself.
    #[must_use]
    pub const fn reported(&self) -> &Reported {
        &self.reported
    }

    /// What it said of itself, as a store or a table of shared bodies gives it back.
    pub fn restore(&mut self, reported: Reported) {
        self.reported = reported;
        self.digest.of_health(&self.reported);
        self.digest.of_status(&self.reported);
        self.digest.of_running(&self.reported, self.desired.as_ref());
    }

    /// Lets equal bodies of many agents be one: `share` gets the bytes of each part that agents tend to have in common
    /// and gives equal ones.
    pub fn share_bodies(&mut self, share: impl Fn(&Arc<[u8]>) -> Arc<[u8]>) {
        fn shared<T: Message + Default>(
            part: Option<&mut Fact<T>>,
            share: &impl Fn(&Arc<[u8]>) -> Arc<[u8]>,
        ) {
            if let Some(fact) = part {
                fact.share(share(fact.encoded()));
            }
        }
        shared(self.reported.effective_config.as_mut(), &share);
        shared(self.reported.custom_capabilities.as_mut(), &share);
        shared(self.reported.available_components.as_mut(), &share);
        shared(self.reported.package_statuses.as_mut(), &share);
    }

    /// Bytes of all that it reported.
    #[must_use]
    pub fn reported_bytes(&self) -> usize {
        fn bytes<T: Message + Default>(fact: Option<&Fact<T>>) -> usize {
            fact.map_or(0, |fact| fact.encoded().len())
        }
        let reported = &self.reported;
        bytes(reported.description.as_ref())
            + bytes(reported.health.as_ref())
            + bytes(reported.effective_config.as_ref())
            + bytes(reported.remote_config_status.as_ref())
            + bytes(reported.package_statuses.as_ref())
            + bytes(reported.custom_capabilities.as_ref())
            + bytes(reported.available_components.as_ref())
            + bytes(reported.connection_settings_status.as_ref())
    }

    /// What it should run.
    #[must_use]
    pub const fn desired(&self) -> Option<&Desired> {
        self.desired.as_ref()
    }

    /// Gives it a config, or takes away the one it has.
    pub fn assign(&mut self, desired: Option<Desired>) {
        let earlier = std::mem::replace(&mut self.desired, desired);
        if let (Some(desired), Some(earlier)) = (&mut self.desired, earlier) {
            let status =
                (self.digest.acknowledged == Some(earlier.config.hash.0)).then_some(self.digest.status);
            desired.follow(earlier, status);
        }
        self.digest.of_running(&self.reported, self.desired.as_ref());
    }

    /// Files that it reported without the secrets that are known by their names: each is a mark, as supervisors of ours
    /// report them anyway.
    #[must_use]
    pub fn without_secrets(&self, files: &AgentConfigMap) -> AgentConfigMap {
        let key = self.key();
        let mut files = files.clone();
        for file in files.config_map.values_mut() {
            // A byte that is no text must not let the rest through as it is.
            file.body = redact_rest(&String::from_utf8_lossy(&file.body), &key).into();
        }
        files
    }

    /// Tells the secrets of the files that it reports, where it reports them plain, by their marks of
    /// [`without_secrets`](Self::without_secrets).
    pub fn tell_secrets(&self, to: &mut Restorer) {
        let effective = self.reported.effective_config.as_ref().and_then(|fact| fact.get().config_map);
        let key = self.key();
        for file in effective.iter().flat_map(|files| files.config_map.values()) {
            if let Ok(text) = std::str::from_utf8(&file.body) {
                to.learn(text, &key);
            }
        }
    }

    /// The key that its secrets are marked under.
    fn key(&self) -> Key {
        self.desired.as_ref().map_or_else(|| Key::new(self.uid.as_bytes()), |it| it.config.key())
    }

    /// What it would go back to from a config that it is to be given next: the one that it has, where it applied that,
    /// else the one that it had before. `None` where nothing is known, or that is the next one itself.
    #[must_use]
    pub fn former_for(&self, next: &ConfigHash) -> Option<Arc<Assignment>> {
        let desired = self.desired.as_ref()?;
        let applied = matches!(
            axes::config_value(self).0,
            ConfigState::InSync | ConfigState::Unverifiable | ConfigState::Drifted
        );
        let former = if applied && desired.config.hash != *next {
            Some(desired.assignment())
        } else {
            desired.former()
        };
        former.filter(|former| former.config.hash != *next).cloned()
    }

    /// Its config was put into a message that leaves; `None` says that it did not leave after all.
    pub fn offered(&mut self, at: Option<Timestamp>) {
        if let Some(desired) = &mut self.desired {
            desired.offered_at = at;
        }
    }

    /// Notes that a message with its config is larger than one may be, `bytes` in all; false when it has another config
    /// by now. That config is not offered again (OpAMP S024, S025).
    pub fn unsendable(&mut self, hash: &[u8], bytes: usize) -> bool {
        let desired = self.desired.as_mut().filter(|desired| desired.config.hash.0[..] == *hash);
        desired.is_some_and(|desired| {
            desired.unsendable(bytes);
            true
        })
    }

    pub(crate) fn hear_description(&mut self, value: &AgentDescription, now: Timestamp) -> bool {
        replace(&mut self.reported.description, value, now)
    }

    pub(crate) fn hear_health(&mut self, value: &ComponentHealth, now: Timestamp) -> bool {
        let changed = replace(&mut self.reported.health, value, now);
        if changed {
            self.digest.of_health(&self.reported);
        }
        changed
    }

    pub(crate) fn hear_effective_config(&mut self, value: &EffectiveConfig, now: Timestamp) -> bool {
        let changed = replace(&mut self.reported.effective_config, value, now);
        if changed {
            self.digest.of_running(&self.reported, self.desired.as_ref());
        }
        changed
    }

    pub(crate) fn hear_config_status(&mut self, value: &RemoteConfigStatus, now: Timestamp) -> bool {
        let changed = replace(&mut self.reported.remote_config_status, value, now);
        if changed {
            self.digest.of_status(&self.reported);
            let Digest { acknowledged: named, status, .. } = self.digest;
            match &mut self.desired {
                Some(desired) if named == Some(desired.config.hash.0) => desired.taken(),
                Some(desired) => desired.other_named(named.as_ref(), status),
                None => {}
            }
            self.digest.of_running(&self.reported, self.desired.as_ref());
        }
        changed
    }

    pub(crate) fn hear_packages(&mut self, value: &PackageStatuses, now: Timestamp) -> bool {
        replace(&mut self.reported.package_statuses, value, now)
    }

    pub(crate) fn hear_custom_capabilities(&mut self, value: &CustomCapabilities, now: Timestamp) -> bool {
        replace(&mut self.reported.custom_capabilities, value, now)
    }

    pub(crate) fn hear_components(&mut self, value: &AvailableComponents, now: Timestamp) -> bool {
        replace(&mut self.reported.available_components, value, now)
    }

    pub(crate) fn hear_settings_status(&mut self, value: &ConnectionSettingsStatus, now: Timestamp) -> bool {
        replace(&mut self.reported.connection_settings_status, value, now)
    }

    /// Its attributes, under OpenTelemetry's names. Decodes the description: ask once, not per attribute.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        self.reported
            .description
            .as_ref()
            .map_or_else(Attributes::default, |fact| Attributes::of(&fact.get()))
    }

    /// What people call it: the host's name, else the service's instance id, else the uid.
    #[must_use]
    pub fn name(&self) -> String {
        self.attributes().name().map_or_else(|| self.uid.to_string(), ToOwned::to_owned)
    }

    /// When its process started, nanoseconds since 1970; 0 when it does not run or never said.
    #[must_use]
    pub const fn start_time(&self) -> u64 {
        self.digest.start_time
    }

    /// The bare names of its custom capabilities.
    #[must_use]
    pub fn custom_capabilities(&self) -> Vec<String> {
        let listed = self.reported.custom_capabilities.as_ref().map(Fact::get).unwrap_or_default();
        listed.capabilities.iter().map(|name| tidegate_custom::bare(name).to_owned()).collect()
    }

    /// The hash of the last config it acknowledged, as it sent it.
    #[must_use]
    pub fn acknowledged_hash(&self) -> Option<bytes::Bytes> {
        let status = self.reported.remote_config_status.as_ref()?.get();
        Some(status.last_remote_config_hash).filter(|hash| !hash.is_empty())
    }

    /// True when the last config it acknowledged is `hash`, whatever became of it.
    #[must_use]
    pub fn acknowledged(&self, hash: &tidegate_opamp::ConfigHash) -> bool {
        self.digest.acknowledged == Some(hash.0)
    }

    /// How far the last config that it acknowledged has come.
    #[must_use]
    pub const fn config_status(&self) -> RemoteConfigStatuses {
        self.digest.status
    }
}

/// Puts a part in the place of the known one; true when it differs.
fn replace<T: Message + Default>(slot: &mut Option<Fact<T>>, value: &T, now: Timestamp) -> bool {
    let heard = Fact::new(value, now);
    match slot {
        Some(fact) if fact.encoded() == heard.encoded() => {
            fact.observed_at = now;
            false
        }
        _ => {
            *slot = Some(heard);
            true
        }
    }
}

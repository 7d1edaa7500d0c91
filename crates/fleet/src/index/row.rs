//! One agent in an index: numbers, and ids of texts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, InstanceUid};

use super::Clock;
use super::intern::{Id, Interner, NONE};
use crate::Timestamp;
use crate::agent::axes::{self, Attention, ConfigState, Connection, Health, Proof};
use crate::query::facts::{Facts, Presence};
use crate::query::version;

/// Stands between the names of custom capabilities, which are one text of an index.
pub(super) const SEPARATOR: char = '\n';

#[derive(Debug)]
pub(super) struct Row {
    pub(super) uid: InstanceUid,
    pub(super) capabilities: AgentCapabilities,
    pub(super) first_seen: Timestamp,
    last_seen: AtomicU64,
    /// Attributes, then labels, each as key and value.
    pairs: Box<[(Id, Id)]>,
    attributes: u32,
    /// How its name begins, so that most names are compared without a look at them.
    pub(super) name_head: u64,
    pub(super) name: Id,
    pub(super) error: Id,
    pub(super) config_hash: Id,
    pub(super) custom: Id,
    pub(super) presence: Presence,
    pub(super) health: Health,
    pub(super) config: ConfigState,
    pub(super) proof: Option<Proof>,
}

impl Row {
    pub(super) fn new(facts: &Facts<'_>, texts: &mut Interner) -> Self {
        let agent = facts.agent;
        let mut optional = |text: &str| if text.is_empty() { NONE } else { texts.take(text) };
        let error = optional(&facts.error);
        let hash = agent.desired().map(|desired| desired.config.hash.to_string());
        let config_hash = optional(hash.as_deref().unwrap_or_default());
        let names = agent.custom_capabilities();
        let custom = optional(&names.join("\n"));
        let pairs: Box<[_]> = facts
            .attributes
            .iter()
            .chain(agent.labels.iter())
            .map(|(key, value)| (texts.take(key), texts.take(value)))
            .collect();
        let labels = agent.labels.len();
        Self {
            uid: agent.uid,
            capabilities: agent.capabilities,
            first_seen: agent.first_seen,
            last_seen: AtomicU64::new(agent.last_seen.0),
            attributes: u32::try_from(pairs.len() - labels).unwrap_or(0),
            pairs,
            name_head: version::text_head(&facts.name),
            name: texts.take(&facts.name),
            error,
            config_hash,
            custom,
            presence: facts.presence,
            health: facts.health,
            config: facts.config,
            proof: facts.proof,
        }
    }

    /// Gives its texts back.
    pub(super) fn release(&self, texts: &mut Interner) {
        let own = [self.name, self.error, self.config_hash, self.custom];
        let paired = self.pairs.iter().flat_map(|(key, value)| [*key, *value]);
        own.into_iter().chain(paired).for_each(|id| texts.release(id));
    }

    pub(super) fn touch(&self, now: Timestamp) {
        self.last_seen.store(now.0, Ordering::Relaxed);
    }

    pub(super) fn last_seen(&self) -> Timestamp {
        Timestamp(self.last_seen.load(Ordering::Relaxed))
    }

    pub(super) fn attribute(&self, key: Id) -> Id {
        find(self.pairs.get(..self.attributes as usize), key)
    }

    /// The names of its attributes and labels, each with whether it is a label.
    pub(super) fn keys(&self) -> impl Iterator<Item = (bool, Id)> {
        let attributes = self.attributes as usize;
        self.pairs.iter().enumerate().map(move |(index, (key, _))| (index >= attributes, *key))
    }

    pub(super) fn label(&self, key: Id) -> Id {
        find(self.pairs.get(self.attributes as usize..), key)
    }

    pub(super) fn connection(&self, clock: Clock) -> Connection {
        self.presence.connection(clock.now.since(self.last_seen()), clock.interval)
    }

    pub(super) fn attention(&self, clock: Clock) -> Attention {
        axes::level(self.connection(clock), self.health, self.config)
    }

    pub(super) fn age(&self, seen: Timestamp, clock: Clock) -> Duration {
        clock.now.since(seen)
    }
}

fn find(pairs: Option<&[(Id, Id)]>, key: Id) -> Id {
    pairs.unwrap_or_default().iter().find(|(known, _)| *known == key).map_or(NONE, |(_, value)| *value)
}

//! What builds can run, by the hash that agents report for it: asked once for each build, not for each agent
//! (OpAMP S167–S170).

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_custom::schema::{SchemaHash, schema_of};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::{AgentCapabilities, AvailableComponents, Message};
use tidegate_store::{KnownComponents, Write};

use super::hash::FastHash;

/// Builds that are known at most; a fleet runs a few, and hostile agents may report any number.
const MAX_BUILDS: usize = 1_000;

/// Bytes of all their lists together.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Agents' requests that are remembered, so that an agent that never answers is not asked at every message.
const MAX_ASKED: usize = 1_000_000;

/// What is known of a build.
#[derive(Debug)]
struct Build {
    list: Arc<[u8]>,
    /// The schema of its plugins, where it says so and is believed.
    schema: Option<SchemaHash>,
}

impl Build {
    fn new(hash: &[u8], list: &[u8]) -> Self {
        let decoded = AvailableComponents::decode(list).unwrap_or_default();
        Self { list: list.into(), schema: schema_of(hash, &decoded.components) }
    }
}

#[derive(Debug, Default)]
struct Known {
    builds: HashMap<Bytes, Build>,
    bytes: usize,
    /// Agents and hashes that were asked for, each pair by its hash.
    asked: HashSet<u64>,
}

/// The known builds.
#[derive(Debug, Default)]
pub(crate) struct Components {
    known: Mutex<Known>,
    hasher: FastHash,
}

/// What an agent's report of its components means.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The list is wanted.
    pub(super) ask: bool,
    /// A list that was not known.
    pub(super) write: Option<Write>,
}

impl Components {
    /// The builds that a store knows.
    pub(super) fn new(stored: Vec<KnownComponents>) -> Self {
        let components = Self::default();
        for build in stored {
            components.keep(build.hash, &build.components);
        }
        components
    }

    /// The list of a build.
    pub(crate) fn list(&self, hash: &[u8]) -> Option<AvailableComponents> {
        let list = self.known.lock().builds.get(hash).map(|build| Arc::clone(&build.list))?;
        AvailableComponents::decode(&*list).ok()
    }

    /// The schema of a build's plugins.
    pub(super) fn schema(&self, hash: &[u8]) -> Option<SchemaHash> {
        self.known.lock().builds.get(hash)?.schema
    }

    fn keep(&self, hash: Bytes, list: &[u8]) -> bool {
        let mut known = self.known.lock();
        if hash.is_empty()
            || known.builds.contains_key(&hash)
            || known.builds.len() >= MAX_BUILDS
            || known.bytes + list.len() > MAX_BYTES
        {
            return false;
        }
        known.bytes += list.len();
        let build = Build::new(&hash, list);
        known.builds.insert(hash, build);
        true
    }

    /// Takes an agent's report of its components.
    pub(super) fn hear(&self, agent: &Agent, now: Timestamp) -> Heard {
        let Some(fact) = &agent.reported().available_components else {
            return Heard::default();
        };
        let reported = fact.get();
        // Copied: a slice would keep the whole message.
        let hash = Bytes::copy_from_slice(&reported.hash);
        if !reported.components.is_empty() {
            let kept = self.keep(hash.clone(), fact.encoded());
            let components = Bytes::copy_from_slice(fact.encoded());
            let write = kept.then(|| Write::Components(KnownComponents { hash, components, since: now }));
            return Heard { ask: false, write };
        }
        let may_ask = agent.capabilities.contains(AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS);
        let mut known = self.known.lock();
        if !may_ask || hash.is_empty() || known.builds.contains_key(&hash) {
            return Heard::default();
        }
        if known.asked.len() >= MAX_ASKED {
            known.asked.clear();
        }
        Heard { ask: known.asked.insert(self.hasher.hash_one((agent.uid, &hash))), write: None }
    }
}

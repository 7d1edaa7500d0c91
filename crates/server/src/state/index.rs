//! The index of the fleet: what lists, facets and selections ask, without a look at the agents themselves.

use std::hash::BuildHasher;

use parking_lot::RwLock;
use tidegate_fleet::index::{Clock, Found, Names, Request, Scan, Shard};
use tidegate_fleet::query::facts::Facts;
use tidegate_fleet::query::{Key, Query};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::InstanceUid;

use super::hash::FastHash;

/// With 100,000 agents a shard is scanned in a fraction of a millisecond; nobody waits longer for its lock.
const SHARDS: usize = 64;

/// The rows of all agents. Locks of it are taken within those of the registry, never the other way round.
#[derive(Debug)]
pub(crate) struct Index {
    shards: Box<[RwLock<Shard>]>,
    hasher: FastHash,
}

impl Index {
    pub(crate) fn new() -> Self {
        Self { shards: (0..SHARDS).map(|_| RwLock::default()).collect(), hasher: FastHash::default() }
    }

    fn shard(&self, uid: &InstanceUid) -> &RwLock<Shard> {
        // The modulus is the number of shards.
        &self.shards[usize::try_from(self.hasher.hash_one(uid) >> 40).unwrap_or(0) % SHARDS]
    }

    /// Something of an agent changed, or it is new.
    pub(crate) fn update(&self, agent: &Agent) {
        // Worked out before the lock is taken.
        let facts = Facts::of(agent);
        self.shard(&agent.uid).write().update(&facts);
    }

    /// An agent spoke, and nothing of it changed.
    pub(crate) fn touch(&self, uid: &InstanceUid, now: Timestamp) {
        self.shard(uid).read().touch(uid, now);
    }

    /// An agent is gone.
    pub(crate) fn remove(&self, uid: &InstanceUid) {
        self.shard(uid).write().remove(uid);
    }

    /// The name of an agent that matches a query.
    pub(crate) fn name_if(&self, uid: &InstanceUid, query: &Query, clock: Clock) -> Option<String> {
        let shard = self.shard(uid).read();
        let matches = shard.matches(uid, query, clock)?;
        matches.then(|| shard.name(uid).map(ToOwned::to_owned)).flatten()
    }

    /// The same, and counts only those values of facets that begin so.
    pub(crate) async fn scan_values(&self, request: Request<'_>, prefix: &str) -> Found {
        let mut scan = Scan::new(request).with_prefix(prefix);
        for shard in &self.shards {
            scan.shard(&shard.read());
            tokio::task::yield_now().await;
        }
        scan.finish()
    }

    /// The attributes and labels that agents have, the most frequent first, whose names begin so.
    pub(crate) async fn names(&self, prefix: &str, most: usize) -> Vec<(Key, u64)> {
        let mut names = Names::new(prefix);
        for shard in &self.shards {
            names.shard(&shard.read());
            tokio::task::yield_now().await;
        }
        names.finish(most)
    }

    /// Looks at every agent, a shard at a time, and lets others run in between.
    pub(crate) async fn scan(&self, request: Request<'_>) -> Found {
        self.scan_values(request, "").await
    }
}

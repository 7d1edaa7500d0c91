//! Every known agent, in shards so that no lock is shared by the whole fleet.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tidegate_fleet::Agent;
use tidegate_opamp::InstanceUid;

use super::Entry;
use super::hash::FastHash;

const SHARDS: usize = 64;

/// A part of the agents, with those of them that the store is behind on.
#[derive(Debug, Default)]
struct Shard {
    // Boxed: a table of large values wastes half of its room.
    entries: HashMap<InstanceUid, Box<Entry>, FastHash>,
    behind: Vec<InstanceUid>,
}

impl Shard {
    /// After work on an entry that may have changed anything.
    fn worked(&mut self, uid: &InstanceUid) {
        if let Some(entry) = self.entries.get_mut(uid)
            && entry.is_behind()
            && !std::mem::replace(&mut entry.listed, true)
        {
            self.behind.push(*uid);
        }
    }
}

/// The agents by uid.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: Box<[Mutex<Shard>]>,
    hasher: FastHash,
    count: AtomicUsize,
    max: usize,
}

/// There is no room for another agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

impl Registry {
    pub(crate) fn new(max: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self { shards, hasher: FastHash::default(), count: AtomicUsize::new(0), max }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn shard(&self, uid: &InstanceUid) -> &Mutex<Shard> {
        // The modulus is the number of shards; other bits than those that the shard's own table uses.
        &self.shards[usize::try_from(self.hasher.hash_one(uid) >> 40).unwrap_or(0) % SHARDS]
    }

    /// Puts an agent in, replacing one of its uid.
    pub(crate) fn insert(&self, entry: Entry) {
        let uid = entry.agent.uid;
        let mut shard = self.shard(&uid).lock();
        if shard.entries.insert(uid, Box::new(entry)).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        shard.worked(&uid);
    }

    /// Looks at an agent, where it is known.
    pub(crate) fn look<T>(&self, uid: &InstanceUid, look: impl FnOnce(&Entry) -> T) -> Option<T> {
        self.shard(uid).lock().entries.get(uid).map(|entry| look(entry))
    }

    /// Works on an agent, where it is known. What the agent should be told may be different after it.
    pub(crate) fn with<T>(&self, uid: &InstanceUid, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard(uid).lock();
        let entry = shard.entries.get_mut(uid)?;
        entry.settled = false;
        let done = work(entry);
        shard.worked(uid);
        Some(done)
    }

    /// Works on what the store knows of an agent; what the agent should be told stays as it is.
    pub(super) fn with_settled<T>(&self, uid: &InstanceUid, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let mut shard = self.shard(uid).lock();
        let done = shard.entries.get_mut(uid).map(|entry| work(entry));
        shard.worked(uid);
        done
    }

    /// Notes a sign of life of an agent, where it is known; nothing that is written or told may change by it.
    pub(crate) fn beat<T>(&self, uid: &InstanceUid, note: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.shard(uid).lock().entries.get_mut(uid).map(|entry| note(entry))
    }

    /// Works on an agent, made by `make` when it is not known.
    pub(crate) fn with_or_insert<T>(
        &self,
        uid: &InstanceUid,
        make: impl FnOnce() -> Agent,
        work: impl FnOnce(&mut Entry) -> T,
    ) -> Result<T, Full> {
        let mut shard = self.shard(uid).lock();
        if !shard.entries.contains_key(uid) {
            if self.len() >= self.max {
                return Err(Full);
            }
            self.count.fetch_add(1, Ordering::Relaxed);
        }
        let entry = shard.entries.entry(*uid).or_insert_with(|| Box::new(Entry::new(make())));
        entry.settled = false;
        let done = work(entry);
        shard.worked(uid);
        Ok(done)
    }

    /// Takes an agent out again, where `condition` holds.
    pub(crate) fn remove_if(
        &self,
        uid: &InstanceUid,
        condition: impl FnOnce(&Entry) -> bool,
    ) -> Option<Entry> {
        let mut shard = self.shard(uid).lock();
        if !shard.entries.get(uid).is_some_and(|entry| condition(entry)) {
            return None;
        }
        self.count.fetch_sub(1, Ordering::Relaxed);
        shard.entries.remove(uid).map(|entry| *entry)
    }

    /// Looks at every agent, one shard at a time.
    pub(crate) fn for_each(&self, mut look: impl FnMut(&Entry)) {
        for shard in &self.shards {
            shard.lock().entries.values().for_each(|entry| look(entry));
        }
    }

    /// Works on every agent, one shard at a time; nothing that is written may change by it.
    pub(super) fn work_on_each(&self, mut work: impl FnMut(&mut Entry)) {
        for shard in &self.shards {
            shard.lock().entries.values_mut().for_each(|entry| work(entry));
        }
    }

    /// Takes the list of the agents that the store is behind on.
    pub(crate) fn take_behind(&self) -> Vec<InstanceUid> {
        let mut behind = Vec::new();
        for shard in &self.shards {
            behind.append(&mut shard.lock().behind);
        }
        behind
    }
}

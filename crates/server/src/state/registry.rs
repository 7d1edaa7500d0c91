//! Every known agent, in shards so that no lock is shared by the whole fleet.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tidegate_fleet::agent::axes;
use tidegate_fleet::{Agent, Command};
use tidegate_opamp::InstanceUid;

use super::Connection;

const SHARDS: usize = 64;

/// Ended commands of one agent that are kept in memory.
const ENDED_COMMANDS: usize = 20;

/// An agent and what belongs to it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) agent: Agent,
    /// Its commands, oldest first.
    pub(crate) commands: VecDeque<Command>,
    /// The socket that it speaks through, where it does.
    pub(crate) connection: Option<Arc<Connection>>,
    /// The connection axis as it was last announced, so that silence is announced once.
    pub(crate) announced: Option<axes::Connection>,
    /// Something durable changed since it was last written.
    pub(crate) dirty: bool,
    /// Its record differs from the stored one in its number or time alone.
    pub(crate) unsaved_number: bool,
    /// The store has a record of it, so that intents for it find it again.
    pub(crate) stored: bool,
    /// A command differs from its stored record.
    pub(crate) commands_dirty: bool,
}

impl Entry {
    pub(crate) fn new(agent: Agent) -> Self {
        Self {
            agent,
            commands: VecDeque::new(),
            connection: None,
            announced: None,
            dirty: false,
            unsaved_number: false,
            stored: false,
            commands_dirty: false,
        }
    }

    /// Drops the oldest ended commands beyond what is kept.
    pub(crate) fn forget_ended(&mut self) {
        let ended = self.commands.iter().filter(|command| command.has_ended()).count();
        let mut surplus = ended.saturating_sub(ENDED_COMMANDS);
        self.commands.retain(|command| {
            let drop = surplus > 0 && command.has_ended();
            surplus -= usize::from(drop);
            !drop
        });
    }
}

type Shard = Mutex<HashMap<InstanceUid, Entry>>;

/// The agents by uid.
#[derive(Debug)]
pub(crate) struct Registry {
    shards: Box<[Shard]>,
    hasher: RandomState,
    count: AtomicUsize,
    max: usize,
}

/// There is no room for another agent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Full;

impl Registry {
    pub(crate) fn new(max: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Shard::default()).collect();
        Self { shards, hasher: RandomState::new(), count: AtomicUsize::new(0), max }
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn shard(&self, uid: &InstanceUid) -> &Shard {
        // The modulus is the number of shards.
        &self.shards[usize::try_from(self.hasher.hash_one(uid)).unwrap_or(0) % SHARDS]
    }

    /// Puts an agent in, replacing one of its uid.
    pub(crate) fn insert(&self, entry: Entry) {
        if self.shard(&entry.agent.uid).lock().insert(entry.agent.uid, entry).is_none() {
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Works on an agent, where it is known.
    pub(crate) fn with<T>(&self, uid: &InstanceUid, work: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.shard(uid).lock().get_mut(uid).map(work)
    }

    /// Works on an agent, made by `make` when it is not known.
    pub(crate) fn with_or_insert<T>(
        &self,
        uid: &InstanceUid,
        make: impl FnOnce() -> Agent,
        work: impl FnOnce(&mut Entry) -> T,
    ) -> Result<T, Full> {
        let mut shard = self.shard(uid).lock();
        if let Some(entry) = shard.get_mut(uid) {
            return Ok(work(entry));
        }
        if self.len() >= self.max {
            return Err(Full);
        }
        self.count.fetch_add(1, Ordering::Relaxed);
        Ok(work(shard.entry(*uid).or_insert_with(|| Entry::new(make()))))
    }

    /// Takes an agent out again, where `condition` holds.
    pub(crate) fn remove_if(&self, uid: &InstanceUid, condition: impl FnOnce(&Entry) -> bool) {
        let mut shard = self.shard(uid).lock();
        if shard.get(uid).is_some_and(condition) {
            shard.remove(uid);
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Looks at every agent, one shard at a time.
    pub(crate) fn for_each(&self, mut work: impl FnMut(&mut Entry)) {
        for shard in &self.shards {
            shard.lock().values_mut().for_each(&mut work);
        }
    }
}

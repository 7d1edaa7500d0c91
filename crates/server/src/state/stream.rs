//! What happens, in order, for those who follow it and for the store.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, RwLock};
use tidegate_fleet::Event;
use tidegate_opamp::InstanceUid;
use tidegate_store::StoredEvent;
use tokio::sync::Notify;

/// Events that are kept in memory.
const KEPT: usize = 10_000;

/// Numbers skipped after a crash: the last events may not have been written, and a number is never given twice.
const CRASH_GAP: u64 = 100_000;

/// Someone who follows. Agents that changed are noted once each until they are asked for: there are no more of them than
/// agents, however slowly someone reads. Events stay in the log, where each follower has its own place.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    changed: Mutex<BTreeSet<InstanceUid>>,
    wake: Notify,
}

impl Follower {
    /// Waits for an event or a change. Safe to cancel.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    /// Whether agents changed that were not taken yet.
    pub(crate) fn has_changed(&self) -> bool {
        !self.changed.lock().is_empty()
    }

    /// Takes the agents that changed since the last time.
    pub(crate) fn take_changed(&self) -> BTreeSet<InstanceUid> {
        std::mem::take(&mut self.changed.lock())
    }

    /// Forgets that an agent changed, since it is about to be looked at.
    pub(crate) fn forget(&self, uid: &InstanceUid) {
        self.changed.lock().remove(uid);
    }
}

/// The stream of events.
#[derive(Debug)]
pub(crate) struct Stream {
    log: Mutex<Log>,
    followers: RwLock<Vec<Weak<Follower>>>,
}

#[derive(Debug, Default)]
struct Log {
    last: u64,
    events: VecDeque<StoredEvent>,
    unsaved: Vec<StoredEvent>,
}

impl Stream {
    /// A stream that goes on after the stored events.
    pub(crate) fn new(events: Vec<StoredEvent>, clean: bool) -> Self {
        let last = events.last().map_or(0, |event| event.number) + if clean { 0 } else { CRASH_GAP };
        let log = Log { last, events: events.into(), unsaved: Vec::new() };
        Self { log: Mutex::new(log), followers: RwLock::default() }
    }

    /// Puts events at the end and tells everyone.
    pub(crate) fn publish(&self, events: Vec<Event>) {
        for event in events {
            let mut log = self.log.lock();
            log.last += 1;
            let stored = StoredEvent { number: log.last, event };
            if log.events.len() == KEPT {
                log.events.pop_front();
            }
            log.events.push_back(stored.clone());
            // Bounded: while the store takes nothing, no more are kept for it than here.
            if log.unsaved.len() < KEPT {
                log.unsaved.push(stored);
            }
        }
        for follower in self.followers.read().iter().filter_map(Weak::upgrade) {
            follower.wake.notify_one();
        }
    }

    /// The events that are kept and meet a condition, oldest first.
    pub(crate) fn of(&self, wanted: impl Fn(&StoredEvent) -> bool) -> Vec<StoredEvent> {
        self.log.lock().events.iter().filter(|stored| wanted(stored)).cloned().collect()
    }

    /// Tells everyone that an agent changed, or is not there any more.
    pub(crate) fn changed(&self, uid: InstanceUid) {
        for follower in self.followers.read().iter().filter_map(Weak::upgrade) {
            follower.changed.lock().insert(uid);
            follower.wake.notify_one();
        }
    }

    /// Follows what comes from now on, until the follower is dropped.
    pub(crate) fn follow(&self) -> Arc<Follower> {
        let follower = Arc::new(Follower::default());
        let mut followers = self.followers.write();
        followers.retain(|known| known.strong_count() > 0);
        followers.push(Arc::downgrade(&follower));
        follower
    }

    /// At most `limit` events after `number`, or `None` when some of them are no longer kept.
    pub(crate) fn after(&self, number: u64, limit: usize) -> Option<Vec<StoredEvent>> {
        let log = self.log.lock();
        if number >= log.last {
            return Some(Vec::new());
        }
        log.events.front().filter(|first| first.number <= number + 1)?;
        let start = log.events.partition_point(|event| event.number <= number);
        Some(log.events.range(start..).take(limit).cloned().collect())
    }

    /// The events after `number`, or `None` in their place when some of them are no longer kept; and the number of the
    /// last event, taken at the same moment.
    pub(crate) fn since(&self, number: Option<u64>) -> (Option<Vec<StoredEvent>>, u64) {
        let log = self.log.lock();
        let number = number.unwrap_or(log.last);
        let reaches =
            number >= log.last || log.events.front().is_some_and(|first| first.number <= number + 1);
        let missed =
            reaches.then(|| log.events.iter().filter(|event| event.number > number).cloned().collect());
        (missed, log.last)
    }

    /// The newest events, oldest first.
    pub(crate) fn newest(&self, count: usize) -> Vec<StoredEvent> {
        let log = self.log.lock();
        log.events.iter().skip(log.events.len().saturating_sub(count)).cloned().collect()
    }

    /// The events that the store does not have yet.
    pub(crate) fn take_unsaved(&self) -> Vec<StoredEvent> {
        std::mem::take(&mut self.log.lock().unsaved)
    }

    /// Gives events back that could not be written.
    pub(crate) fn put_back_unsaved(&self, mut events: Vec<StoredEvent>) {
        let mut log = self.log.lock();
        events.append(&mut log.unsaved);
        // Bounded: while the disk is full the oldest go.
        let surplus = events.len().saturating_sub(KEPT);
        events.drain(..surplus);
        log.unsaved = events;
    }
}

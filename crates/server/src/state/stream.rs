//! What happens, in order, for those who follow it and for the store.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tidegate_fleet::Event;
use tidegate_opamp::InstanceUid;
use tidegate_store::StoredEvent;
use tokio::sync::broadcast;

/// Events that are kept in memory.
const KEPT: usize = 10_000;

/// Notices that a slow follower may lag behind before it must start anew.
const BACKLOG: usize = 8_192;

/// Numbers skipped after a crash: the last events may not have been written, and a number is never given twice.
const CRASH_GAP: u64 = 100_000;

/// What a follower is told.
#[derive(Clone, Debug)]
pub(crate) enum Notice {
    /// Something happened.
    Event(StoredEvent),
    /// An agent changed.
    Agent(InstanceUid),
}

/// The stream of events.
#[derive(Debug)]
pub(crate) struct Stream {
    log: Mutex<Log>,
    notices: broadcast::Sender<Notice>,
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
        Self { log: Mutex::new(log), notices: broadcast::channel(BACKLOG).0 }
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
                log.unsaved.push(stored.clone());
            }
            // Sent under the lock, so that followers see the order of the numbers. No follower is no error.
            let _ = self.notices.send(Notice::Event(stored));
        }
    }

    /// Tells everyone that an agent changed.
    pub(crate) fn changed(&self, uid: InstanceUid) {
        let _ = self.notices.send(Notice::Agent(uid));
    }

    /// Follows what comes from now on.
    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
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

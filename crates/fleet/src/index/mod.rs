//! An index of agents: what a query, a list or a facet needs of each, in a few hundred bytes.
//!
//! It is made of shards that know nothing of each other, so that a caller locks one at a time. A row is worked out of
//! [`Facts`] when something of the agent changes; a heartbeat only moves a number. What time alone changes (the
//! connection axis, and attention with it) is worked out when it is asked.
//!
//! Every scan looks at every row: comparing ids and small numbers costs less than keeping an order up to date. A text is
//! compared with a pattern once for each distinct value, however many rows have it.

mod facet;
mod intern;
mod names;
mod order;
mod plan;
mod row;
mod scan;
#[cfg(test)]
mod tests;
mod uid;

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use hashbrown::HashTable;
use tidegate_opamp::InstanceUid;

use crate::Timestamp;
use crate::query::Query;
use crate::query::facts::Facts;

pub use facet::{Facet, MAX_FACET_VALUES};
use intern::Interner;
pub use names::Names;
pub use order::{Position, Sort, SortValue, Unsortable};
use plan::Plan;
use row::Row;
pub use scan::{Found, Request, Scan};

/// When a question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now.
    pub now: Timestamp,
    /// The interval in which agents are expected to speak.
    pub interval: Duration,
}

/// A part of an index.
#[derive(Debug, Default)]
pub struct Shard {
    rows: Vec<Option<Row>>,
    free: Vec<u32>,
    uids: HashTable<u32>,
    texts: Interner,
    hasher: RandomState,
}

impl Shard {
    /// How many agents are in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    /// Puts an agent in as it is now, in place of what was known of it.
    pub fn update(&mut self, facts: &Facts<'_>) {
        let row = Row::new(facts, &mut self.texts);
        let uid = row.uid;
        if let Some(known) = self.find(&uid).and_then(|slot| self.rows.get_mut(slot)) {
            if let Some(old) = known.replace(row) {
                old.release(&mut self.texts);
            }
            return;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                make_room(&mut self.rows);
                self.rows.push(None);
                u32::try_from(self.rows.len() - 1).unwrap_or(u32::MAX)
            }
        };
        if let Some(place) = self.rows.get_mut(slot as usize) {
            *place = Some(row);
        }
        let Self { rows, uids, hasher, .. } = self;
        let hash = |slot: &u32| {
            let row = rows.get(*slot as usize).and_then(Option::as_ref);
            row.map_or(0, |row| hasher.hash_one(row.uid))
        };
        uids.insert_unique(hasher.hash_one(uid), slot, hash);
    }

    /// The agent spoke and nothing else changed.
    pub fn touch(&self, uid: &InstanceUid, now: Timestamp) {
        if let Some(row) = self.row(uid) {
            row.touch(now);
        }
    }

    /// Takes an agent out.
    pub fn remove(&mut self, uid: &InstanceUid) {
        let Some(slot) = self.find(uid) else { return };
        let Self { rows, free, uids, texts, hasher } = self;
        let is = |known: &u32| *known as usize == slot;
        if let Ok(entry) = uids.find_entry(hasher.hash_one(uid), is) {
            let (slot, _) = entry.remove();
            if let Some(row) = rows.get_mut(slot as usize).and_then(Option::take) {
                row.release(texts);
            }
            free.push(slot);
        }
    }

    /// Asks a query of one agent; `None` when it is not in this shard.
    #[must_use]
    pub fn matches(&self, uid: &InstanceUid, query: &Query, clock: Clock) -> Option<bool> {
        let row = self.row(uid)?;
        Some(Plan::of(query.root(), self, false).holds(row, self, clock))
    }

    /// The name of an agent.
    #[must_use]
    pub fn name(&self, uid: &InstanceUid) -> Option<&str> {
        self.row(uid).map(|row| self.texts.text(row.name))
    }

    fn find(&self, uid: &InstanceUid) -> Option<usize> {
        let is = |slot: &u32| {
            self.rows.get(*slot as usize).and_then(Option::as_ref).is_some_and(|row| row.uid == *uid)
        };
        self.uids.find(self.hasher.hash_one(uid), is).map(|slot| *slot as usize)
    }

    fn row(&self, uid: &InstanceUid) -> Option<&Row> {
        self.rows.get(self.find(uid)?)?.as_ref()
    }

    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().flatten()
    }
}

/// Grows by an eighth: doubling would leave half of a large index empty.
fn make_room<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 8 + 16);
    }
}

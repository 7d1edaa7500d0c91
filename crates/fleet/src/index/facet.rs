//! How many agents have which value of a key.

use hashbrown::HashTable;
use tidegate_opamp::AgentCapabilities;

use super::intern::{Hash, NONE, hash, spread};
use super::plan::{Axis, Column};
use super::row::{Row, SEPARATOR};
use super::{Clock, Shard};
use crate::query::Key;

/// Most values of a facet that are told; the rest is one number.
pub const MAX_FACET_VALUES: usize = 50;

/// Most distinct values that are told apart while counting.
const MAX_DISTINCT: usize = 20_000;

/// The values of one key among the agents that match all terms about other keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facet {
    /// The key.
    pub key: Key,
    /// Values with the number of agents, the most first, then by value.
    pub values: Vec<(String, u64)>,
    /// Agents with other values than these.
    pub other: u64,
    /// Agents without a value.
    pub missing: u64,
}

/// Counts one key over all shards.
pub(super) struct Counter<'a> {
    key: &'a Key,
    /// How the values begin that are counted, whatever their case.
    prefix: &'a str,
    counts: HashTable<Counted>,
    other: u64,
    missing: u64,
}

/// A value and how many agents have it. The hash tells most values apart without a look at their texts.
struct Counted {
    hash: Hash,
    value: Box<str>,
    count: u64,
}

/// Counts one key within one shard, by number.
pub(super) enum Tally {
    Axis(Axis, Vec<u64>, u64),
    Text(Option<Column>, Vec<u32>, u64),
    Capability(Box<[u64; 64]>, Vec<u32>),
}

impl Tally {
    pub(super) fn of(key: &Key, shard: &Shard) -> Self {
        let texts = || vec![0; shard.texts.bound()];
        match (Axis::of(key), key) {
            (Some(axis), _) => Self::Axis(axis, vec![0; axis.words().len()], 0),
            (None, Key::Capability) => Self::Capability(Box::new([0; 64]), texts()),
            (None, key) => Self::Text(Column::of(key, shard), texts(), 0),
        }
    }

    pub(super) fn count(&mut self, row: &Row, clock: Clock) {
        match self {
            Self::Axis(axis, counts, missing) => {
                let place = axis.value(row, clock).and_then(|at| counts.get_mut(usize::from(at)));
                *place.unwrap_or(missing) += 1;
            }
            Self::Text(column, counts, missing) => {
                let id = column.map_or(NONE, |column| column.id(row));
                match counts.get_mut(id as usize) {
                    Some(count) => *count += 1,
                    None => *missing += 1,
                }
            }
            Self::Capability(bits, counts) => {
                for (bit, count) in bits.iter_mut().enumerate() {
                    *count += row.capabilities.0 >> bit & 1;
                }
                if let Some(count) = counts.get_mut(row.custom as usize) {
                    *count += 1;
                }
            }
        }
    }
}

impl<'a> Counter<'a> {
    pub(super) fn new(key: &'a Key, prefix: &'a str) -> Self {
        Self { key, prefix, counts: HashTable::new(), other: 0, missing: 0 }
    }

    /// Adds what was counted in a shard.
    pub(super) fn add(&mut self, tally: Tally, shard: &Shard) {
        match tally {
            Tally::Axis(axis, counts, missing) => {
                self.missing += missing;
                axis.words().iter().zip(counts).for_each(|(word, count)| self.word(word, count));
            }
            Tally::Text(_, counts, missing) => {
                self.missing += missing;
                for (id, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                    self.value(shard.texts.hash(id), || shard.texts.text(id), count.into());
                }
            }
            Tally::Capability(bits, counts) => {
                for (bit, count) in bits.iter().enumerate() {
                    let names = AgentCapabilities(1 << bit).names();
                    names.for_each(|name| self.word(&name, *count));
                }
                for (id, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                    let names = shard.texts.text(id).split(SEPARATOR);
                    names.for_each(|name| self.word(name, count.into()));
                }
            }
        }
    }

    fn word(&mut self, value: &str, count: u64) {
        if count > 0 {
            self.value(hash(value), || value, count);
        }
    }

    fn value<'t>(&mut self, hash: Hash, value: impl Fn() -> &'t str, count: u64) {
        if !self.prefix.is_empty() && !begins(value(), self.prefix) {
            return;
        }
        let is = |known: &Counted| known.hash == hash && *known.value == *value();
        if let Some(known) = self.counts.find_mut(spread(hash), is) {
            known.count += count;
        } else if self.counts.len() < MAX_DISTINCT {
            let counted = Counted { hash, value: value().into(), count };
            self.counts.insert_unique(spread(hash), counted, |known| spread(known.hash));
        } else {
            self.other += count;
        }
    }

    pub(super) fn finish(self) -> Facet {
        let mut values: Vec<_> =
            self.counts.into_iter().map(|counted| (String::from(counted.value), counted.count)).collect();
        let most = |(a, n): &(String, u64), (b, m): &(String, u64)| m.cmp(n).then_with(|| a.cmp(b));
        if values.len() > MAX_FACET_VALUES {
            values.select_nth_unstable_by(MAX_FACET_VALUES, most);
        }
        let rest = values.split_off(values.len().min(MAX_FACET_VALUES));
        values.sort_unstable_by(most);
        let other = self.other + rest.iter().map(|(_, count)| count).sum::<u64>();
        Facet { key: self.key.clone(), values, other, missing: self.missing }
    }
}

/// True when a text begins so, whatever the case of its ASCII letters.
pub(super) fn begins(text: &str, prefix: &str) -> bool {
    text.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

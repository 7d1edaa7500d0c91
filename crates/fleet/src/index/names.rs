//! Which attributes and labels agents have.

use std::collections::HashMap;

use super::Shard;
use super::facet::begins;
use super::intern::Id;
use crate::query::Key;

/// Most names that are told apart while counting.
const MAX_DISTINCT: usize = 20_000;

/// Counts attributes and labels by name, over all shards.
#[derive(Debug)]
pub struct Names<'a> {
    prefix: &'a str,
    counts: HashMap<(bool, String), u64>,
}

impl<'a> Names<'a> {
    /// Counts those whose name in the search language, such as `label.env`, begins so or has it behind its first dot.
    #[must_use]
    pub fn new(prefix: &'a str) -> Self {
        Self { prefix, counts: HashMap::new() }
    }

    /// Looks at every row of a shard.
    pub fn shard(&mut self, shard: &Shard) {
        let mut counts = [vec![0_u64; shard.texts.bound()], vec![0_u64; shard.texts.bound()]];
        for row in shard.rows() {
            for (is_label, key) in row.keys() {
                if let Some(count) = counts[usize::from(is_label)].get_mut(key as usize) {
                    *count += 1;
                }
            }
        }
        for (is_label, counts) in [false, true].into_iter().zip(counts) {
            for (id, count) in (0..).zip(counts).filter(|(_, count)| *count > 0) {
                self.add(is_label, shard, id, count);
            }
        }
    }

    fn add(&mut self, is_label: bool, shard: &Shard, id: Id, count: u64) {
        let name = shard.texts.text(id);
        let written = format!("{}{name}", if is_label { "label." } else { "attr." });
        if !begins(&written, self.prefix) && !begins(name, self.prefix) {
            return;
        }
        let place = (is_label, name.to_owned());
        if self.counts.len() < MAX_DISTINCT || self.counts.contains_key(&place) {
            *self.counts.entry(place).or_default() += count;
        }
    }

    /// The names with the number of agents that have them, the most first, then by name; at most so many.
    #[must_use]
    pub fn finish(self, most: usize) -> Vec<(Key, u64)> {
        let mut names: Vec<_> = self.counts.into_iter().collect();
        names.sort_unstable_by(|((_, a), n), ((_, b), m)| m.cmp(n).then_with(|| a.cmp(b)));
        names.truncate(most);
        let key = |((is_label, name), count): ((bool, String), u64)| {
            let name = name.into_boxed_str();
            (if is_label { Key::Label(name) } else { Key::Attribute(name) }, count)
        };
        names.into_iter().map(key).collect()
    }
}

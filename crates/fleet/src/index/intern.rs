//! Texts that many rows share, each kept once and counted.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use hashbrown::HashTable;

/// Names a text of one interner.
pub(super) type Id = u32;

/// The hash of a text.
pub(super) type Hash = u32;

/// No text.
pub(super) const NONE: Id = Id::MAX;

/// Longest text that is kept, in bytes; what is longer is cut.
pub(super) const MAX_TEXT_BYTES: usize = 256;

/// One for all interners, so that the hash of a text is the same in each.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

#[derive(Debug, Default)]
pub(super) struct Interner {
    slots: Vec<Slot>,
    free: Vec<Id>,
    table: HashTable<Id>,
}

#[derive(Debug)]
struct Slot {
    text: Box<str>,
    references: u32,
    hash: Hash,
}

impl Interner {
    /// The id of a text, which is kept until it was released as often as it was taken.
    pub(super) fn take(&mut self, text: &str) -> Id {
        let text = cut(text);
        let hash = hash(text);
        let Self { slots, free, table } = self;
        let is = |id: &Id| slots[*id as usize].is(hash, text);
        if let Some(id) = table.find(spread(hash), is).copied() {
            slots[id as usize].references += 1;
            return id;
        }
        let slot = Slot { text: text.into(), references: 1, hash };
        let id = match free.pop() {
            Some(id) => {
                slots[id as usize] = slot;
                id
            }
            None => {
                super::make_room(slots);
                slots.push(slot);
                Id::try_from(slots.len() - 1).unwrap_or(NONE - 1)
            }
        };
        table.insert_unique(spread(hash), id, |id| spread(slots[*id as usize].hash));
        id
    }

    /// Gives one reference back.
    pub(super) fn release(&mut self, id: Id) {
        let Some(slot) = self.slots.get_mut(id as usize) else { return };
        slot.references = slot.references.saturating_sub(1);
        if slot.references > 0 {
            return;
        }
        if let Ok(entry) = self.table.find_entry(spread(slot.hash), |known| *known == id) {
            entry.remove();
            slot.text = Box::default();
            self.free.push(id);
        }
    }

    /// The id of a text that some row has.
    pub(super) fn find(&self, text: &str) -> Option<Id> {
        let text = cut(text);
        let hash = hash(text);
        self.table.find(spread(hash), |id| self.slots[*id as usize].is(hash, text)).copied()
    }

    /// The hash of a text, as [`hash`] has it.
    pub(super) fn hash(&self, id: Id) -> Hash {
        self.slots.get(id as usize).map_or(0, |slot| slot.hash)
    }

    /// The text of an id; empty for [`NONE`].
    pub(super) fn text(&self, id: Id) -> &str {
        self.slots.get(id as usize).map_or("", |slot| &slot.text)
    }

    /// One more than the highest id.
    pub(super) fn bound(&self) -> usize {
        self.slots.len()
    }
}

impl Slot {
    fn is(&self, hash: Hash, text: &str) -> bool {
        self.hash == hash && *self.text == *text
    }
}

/// The hash of a text, the same in all interners of a process.
#[expect(clippy::cast_possible_truncation, reason = "half of a hash is one too")]
pub(super) fn hash(text: &str) -> Hash {
    HASHER.hash_one(text) as Hash
}

/// Both halves alike: a table looks at the lowest bits and at the highest.
pub(super) fn spread(hash: Hash) -> u64 {
    u64::from(hash) << 32 | u64::from(hash)
}

fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_TEXT_BYTES)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_texts_when_taken_and_released_then_each_is_kept_once_and_slots_are_used_again() {
        let mut interner = Interner::default();
        let (a, b) = (interner.take("a"), interner.take("b"));
        assert_eq!(interner.take("a"), a);
        assert_eq!((interner.text(a), interner.text(b), interner.text(NONE)), ("a", "b", ""));
        interner.release(a);
        assert_eq!(interner.find("a"), Some(a));
        interner.release(a);
        assert_eq!((interner.find("a"), interner.text(a)), (None, ""));
        assert_eq!(interner.take("c"), a, "the slot is free again");
        assert_eq!(interner.bound(), 2);
        interner.release(NONE);
    }

    #[test]
    fn given_a_long_text_when_taken_then_it_is_cut_between_characters() {
        let mut interner = Interner::default();
        let long = "ü".repeat(200);
        let id = interner.take(&long);
        assert_eq!(interner.text(id), "ü".repeat(128));
        assert_eq!(interner.find(&long), Some(id));
        let odd = format!("x{long}");
        let id = interner.take(&odd);
        assert_eq!(interner.text(id).len(), 255);
    }
}

//! Which custom messages were carried out, and what came of them: an id is carried out once.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};
use tidegate_opamp::CustomMessage;

/// Ids that are remembered.
const MOST: usize = 1000;

/// Bytes of answers that are remembered; the oldest answers go first, their ids stay.
const MOST_BYTES: usize = 1024 * 1024;

/// What identifies a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
pub(super) struct Key {
    pub(super) capability: String,
    pub(super) id: String,
}

/// What is known of a message.
#[derive(Debug, PartialEq)]
pub(super) enum Seen {
    /// It is new, and noted from now on.
    Never,
    /// It is being carried out, or was; with its answer, if there is one.
    Before(Option<CustomMessage>),
}

/// One message.
#[derive(Debug, Default)]
struct Entry {
    ended: bool,
    answer: Option<CustomMessage>,
    /// Whether it is one that is written down.
    written: bool,
}

/// The last ids and their answers.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    order: VecDeque<Key>,
    entries: HashMap<Key, Entry>,
    bytes: usize,
}

impl Remembered {
    /// Looks a message up and notes it.
    pub(super) fn begin(&mut self, key: &Key) -> Seen {
        if let Some(entry) = self.entries.get(key) {
            return Seen::Before(entry.answer.clone());
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            let answer = self.entries.remove(&oldest).and_then(|entry| entry.answer);
            self.bytes -= answer.map_or(0, |answer| answer.data.len());
        }
        self.order.push_back(key.clone());
        self.entries.insert(key.clone(), Entry::default());
        Seen::Never
    }

    /// Notes what came of a message that was begun.
    pub(super) fn finish(&mut self, key: &Key, answer: Option<CustomMessage>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        entry.ended = true;
        self.bytes += answer.as_ref().map_or(0, |answer| answer.data.len());
        self.bytes -= entry.answer.as_ref().map_or(0, |before| before.data.len());
        entry.answer = answer;
        for oldest in &self.order {
            if self.bytes <= MOST_BYTES {
                break;
            }
            if let Some(dropped) = self.entries.get_mut(oldest).and_then(|entry| entry.answer.take()) {
                self.bytes -= dropped.data.len();
            }
        }
    }

    /// Forgets a message that was begun and not carried out.
    pub(super) fn forget(&mut self, key: &Key) {
        self.order.retain(|known| known != key);
        let answer = self.entries.remove(key).and_then(|entry| entry.answer);
        self.bytes -= answer.map_or(0, |answer| answer.data.len());
    }

    /// Notes that a message that was begun is one that is written down.
    pub(super) fn set_written(&mut self, key: &Key) {
        if let Some(entry) = self.entries.get_mut(key) {
            entry.written = true;
        }
    }

    /// The answer of a message, if it is one that is written down.
    pub(super) fn written(&self, key: &Key) -> Option<Option<&CustomMessage>> {
        self.entries.get(key).filter(|entry| entry.written).map(|entry| entry.answer.as_ref())
    }

    /// Those that are written down, the oldest first, with their answers where they have ended.
    pub(super) fn all_written(&self) -> impl Iterator<Item = (&Key, Option<Option<&CustomMessage>>)> {
        let known = |key| self.entries.get_key_value(key).filter(|(_, entry)| entry.written);
        self.order
            .iter()
            .filter_map(known)
            .map(|(key, entry)| (key, entry.ended.then_some(entry.answer.as_ref())))
    }

    /// Those that were begun and have not ended.
    pub(super) fn open(&self) -> Vec<Key> {
        self.all_written().filter(|(_, ended)| ended.is_none()).map(|(key, _)| key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: usize) -> Key {
        Key { capability: "c".to_owned(), id: id.to_string() }
    }

    fn answer(bytes: usize) -> CustomMessage {
        CustomMessage { data: vec![b'x'; bytes].into(), ..CustomMessage::default() }
    }

    #[test]
    fn given_an_id_when_it_comes_again_then_its_answer_is_known() {
        let mut remembered = Remembered::default();
        assert_eq!(remembered.begin(&key(1)), Seen::Never);
        assert_eq!(remembered.begin(&key(1)), Seen::Before(None));
        remembered.finish(&key(1), Some(answer(3)));
        assert_eq!(remembered.begin(&key(1)), Seen::Before(Some(answer(3))));
        let other = Key { capability: "d".to_owned(), ..key(1) };
        assert_eq!(remembered.begin(&other), Seen::Never);
    }

    #[test]
    fn given_more_ids_than_are_remembered_then_the_oldest_is_forgotten() {
        let mut remembered = Remembered::default();
        for id in 0..=MOST {
            remembered.begin(&key(id));
            remembered.finish(&key(id), Some(answer(1)));
        }
        assert_eq!((remembered.entries.len(), remembered.bytes), (MOST, MOST));
        assert!(matches!(remembered.begin(&key(1)), Seen::Before(Some(_))));
        assert_eq!(remembered.begin(&key(0)), Seen::Never);
    }

    #[test]
    fn given_large_answers_then_old_ones_give_way_but_their_ids_stay() {
        let mut remembered = Remembered::default();
        for id in 0..3 {
            remembered.begin(&key(id));
            remembered.finish(&key(id), Some(answer(MOST_BYTES / 2)));
        }
        assert_eq!(remembered.begin(&key(0)), Seen::Before(None));
        assert!(matches!(remembered.begin(&key(2)), Seen::Before(Some(_))));
        assert_eq!(remembered.bytes, MOST_BYTES);
    }
}

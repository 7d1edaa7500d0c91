//! Which custom messages were carried out, and what came of them: an id is carried out once.

use std::collections::{HashMap, VecDeque};

use tidegate_opamp::CustomMessage;

/// Ids that are remembered.
const MOST: usize = 1000;

/// Bytes of answers that are remembered; the oldest answers go first, their ids stay.
const MOST_BYTES: usize = 1024 * 1024;

/// What identifies a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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

/// The last ids and their answers.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    order: VecDeque<Key>,
    answers: HashMap<Key, Option<CustomMessage>>,
    bytes: usize,
}

impl Remembered {
    /// Looks a message up and notes it.
    pub(super) fn begin(&mut self, key: &Key) -> Seen {
        if let Some(answer) = self.answers.get(key) {
            return Seen::Before(answer.clone());
        }
        if self.order.len() >= MOST
            && let Some(oldest) = self.order.pop_front()
        {
            let answer = self.answers.remove(&oldest).flatten();
            self.bytes -= answer.map_or(0, |answer| answer.data.len());
        }
        self.order.push_back(key.clone());
        self.answers.insert(key.clone(), None);
        Seen::Never
    }

    /// Notes what came of a message that was begun.
    pub(super) fn finish(&mut self, key: &Key, answer: Option<CustomMessage>) {
        let Some(slot) = self.answers.get_mut(key) else { return };
        self.bytes += answer.as_ref().map_or(0, |answer| answer.data.len());
        self.bytes -= slot.as_ref().map_or(0, |before| before.data.len());
        *slot = answer;
        for oldest in &self.order {
            if self.bytes <= MOST_BYTES {
                break;
            }
            if let Some(dropped) = self.answers.get_mut(oldest).and_then(Option::take) {
                self.bytes -= dropped.data.len();
            }
        }
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
        assert_eq!((remembered.answers.len(), remembered.bytes), (MOST, MOST));
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

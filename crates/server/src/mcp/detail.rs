//! How much an answer tells, and the room that this leaves for what it lists.

use serde::Deserialize;
use serde_json::Value;

use super::fence;

/// How much is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Detail {
    #[default]
    Brief,
    Full,
}

impl Detail {
    /// Most bytes of an answer's JSON.
    pub(super) const fn bytes(self) -> usize {
        match self {
            Self::Brief => 4_096,
            Self::Full => 65_536,
        }
    }

    /// Most bytes of one text from an agent.
    pub(super) const fn text(self) -> usize {
        match self {
            Self::Brief => fence::BRIEF,
            Self::Full => fence::FULL,
        }
    }

    /// The room for what an answer lists.
    pub(super) const fn room(self) -> Room {
        Room { left: self.bytes() - RESERVED }
    }
}

/// Bytes that every answer has beside its lists.
const RESERVED: usize = 700;

/// What is left of an answer's bytes.
#[derive(Debug)]
pub(super) struct Room {
    left: usize,
}

impl Room {
    /// True where a value still fits; it is counted then.
    pub(super) fn takes(&mut self, value: &Value) -> bool {
        let bytes = value.to_string().len() + 1;
        let fits = bytes <= self.left;
        if fits {
            self.left -= bytes;
        }
        fits
    }

    /// A value where it fits.
    pub(super) fn fit(&mut self, value: Value) -> Option<Value> {
        self.takes(&value).then_some(value)
    }

    /// The first values that fit, and whether these are all.
    pub(super) fn fill(&mut self, values: impl IntoIterator<Item = Value>) -> (Vec<Value>, bool) {
        let mut taken = Vec::new();
        for value in values {
            if !self.takes(&value) {
                return (taken, false);
            }
            taken.push(value);
        }
        (taken, true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn given_a_room_when_filled_then_nothing_goes_over_it() {
        let mut room = Room { left: 20 };
        let (taken, all) = room.fill(["12345678", "12345678", "12345678"].map(Value::from));
        assert_eq!((taken.len(), all), (1, false));
        assert_eq!(room.fit(json!("123456")), Some(json!("123456")));
        assert_eq!(room.fit(json!(1)), None);
    }
}

//! Answers: one JSON object, told as structured content and as text, of a bounded size.

use rmcp::model::{CallToolResult, ContentBlock};
use serde::Deserialize;
use serde_json::Value;

use super::fence;
use super::problem::Problem;

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

/// An answer that went well.
pub(super) fn good(value: Value, detail: Detail) -> CallToolResult {
    let text = value.to_string();
    if text.len() > detail.bytes() {
        return bad(&Problem::too_large(text.len(), detail));
    }
    let mut blocks = Vec::new();
    if text.contains(fence::KEY) {
        blocks.push(ContentBlock::text(fence::LABEL));
    }
    blocks.push(ContentBlock::text(text));
    let mut result = CallToolResult::success(blocks);
    result.structured_content = Some(value);
    result
}

/// An answer that tells why nothing was done, as a problem (RFC 9457).
pub(super) fn bad(problem: &Problem) -> CallToolResult {
    let value = problem.json();
    let mut result = CallToolResult::error(vec![ContentBlock::text(value.to_string())]);
    result.structured_content = Some(value);
    result
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

    #[test]
    fn given_an_answer_beyond_its_bound_then_it_is_refused_and_not_sent() {
        let large = json!({"text": "x".repeat(5_000)});
        assert_eq!(good(large.clone(), Detail::Brief).is_error, Some(true));
        assert_eq!(good(large, Detail::Full).is_error, Some(false));
    }
}

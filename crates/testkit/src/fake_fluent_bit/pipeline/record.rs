//! Records, and their size as Fluent Bit counts it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// One log record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// When it came in, since the epoch.
    pub time: Duration,
    /// Its map.
    pub body: Value,
    /// The bytes of everything around the map in a chunk.
    pub frame: u64,
}

/// `[[time, {}], map]` in MessagePack, less the map.
const FRAME: u64 = 13;

/// What the `http` input adds to that: it writes its maps with a longer header (measured).
const HTTP_EXTRA: u64 = 4;

impl Record {
    /// A record of this moment.
    #[must_use]
    pub fn now(body: Value) -> Self {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { time, body, frame: FRAME }
    }

    /// A record that came in over HTTP at this moment.
    #[must_use]
    pub fn over_http(body: Value) -> Self {
        Self { frame: FRAME + HTTP_EXTRA, ..Self::now(body) }
    }

    /// Its bytes in a chunk.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.frame + packed_len(&self.body)
    }
}

/// The length of a value in MessagePack, packed as tightly as Fluent Bit does.
#[must_use]
pub fn packed_len(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(positive), _) => match positive {
                0..=127 => 1,
                128..=255 => 2,
                256..=65_535 => 3,
                65_536..=4_294_967_295 => 5,
                _ => 9,
            },
            (None, Some(negative)) => match negative {
                -32..=-1 => 1,
                -128..=-33 => 2,
                -32_768..=-129 => 3,
                -2_147_483_648..=-32_769 => 5,
                _ => 9,
            },
            (None, None) => 9,
        },
        Value::String(text) => {
            let length = text.len() as u64;
            length
                + match length {
                    0..=31 => 1,
                    32..=255 => 2,
                    256..=65_535 => 3,
                    _ => 5,
                }
        }
        Value::Array(items) => counted(items.len()) + items.iter().map(packed_len).sum::<u64>(),
        Value::Object(map) => {
            let key = |key: &String| packed_len(&Value::String(key.clone()));
            counted(map.len()) + map.iter().map(|(name, value)| key(name) + packed_len(value)).sum::<u64>()
        }
    }
}

fn counted(length: usize) -> u64 {
    match length {
        0..=15 => 1,
        16..=65_535 => 3,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_dummys_record_when_measured_then_it_has_the_captured_28_bytes() {
        let record = Record::now(serde_json::json!({"message": "dummy"}));
        assert_eq!(record.bytes(), 28);
    }
}

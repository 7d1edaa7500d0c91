//! What all payloads share: bounds, errors, and reading fields of a JSON object.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Map, Value};

/// Largest payload that is read or written, in bytes.
pub const MAX_DATA_BYTES: usize = 64 * 1024;

/// Largest excerpt of an HTTP answer's body, in bytes.
pub const MAX_BODY_BYTES: usize = 8 * 1024;

/// Largest correlation id, in bytes.
pub const MAX_ID_BYTES: usize = 128;

/// Largest error text, classifier or action, in bytes.
pub const MAX_TEXT_BYTES: usize = 2 * 1024;

/// Why a payload cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
    /// More than [`MAX_DATA_BYTES`].
    #[error("the payload has {0} bytes, at most {MAX_DATA_BYTES} are allowed")]
    TooLarge(usize),
    /// Not JSON.
    #[error("the payload is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("the payload is not a JSON object")]
    NotObject,
    /// A field that must be there is not.
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    /// A field is there in another form than it should be.
    #[error("field `{field}` must be {expected}")]
    WrongForm {
        /// The field's name.
        field: &'static str,
        /// The form that it should have, in words.
        expected: &'static str,
    },
    /// A field is longer than allowed.
    #[error("field `{field}` has {bytes} bytes, at most {limit} are allowed")]
    FieldTooLong {
        /// The field's name.
        field: &'static str,
        /// Its length in bytes.
        bytes: usize,
        /// The most that is allowed, in bytes.
        limit: usize,
    },
}

/// The beginning of a text that fits into `limit` bytes, cut between characters, and whether anything was cut.
#[must_use]
pub fn excerpt(text: &str, limit: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(limit.min(text.len()));
    (text.get(..end).unwrap_or_default(), end < text.len())
}

/// Writes a payload as JSON.
pub(crate) fn encode(payload: &impl Serialize) -> Result<Bytes, PayloadError> {
    let data = serde_json::to_vec(payload).map_err(|error| PayloadError::NotJson(error.to_string()))?;
    check_size(&data)?;
    Ok(Bytes::from(data))
}

/// What stands in the field `outcome` of an answer where nobody knows what came of the request.
const UNKNOWN: &str = "unknown";

/// Whether an answer says that nobody knows what came of the request.
#[must_use]
pub fn is_unknown_outcome(data: &[u8]) -> bool {
    Fields::read(data).is_ok_and(|mut fields| fields.is_unknown_outcome())
}

// serde hands fields over by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn as_outcome<S: serde::Serializer>(_unknown: &bool, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(UNKNOWN)
}

#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) const fn is_known(unknown: &bool) -> bool {
    !*unknown
}

pub(crate) fn check_size(data: &[u8]) -> Result<(), PayloadError> {
    if data.len() > MAX_DATA_BYTES { Err(PayloadError::TooLarge(data.len())) } else { Ok(()) }
}

/// The fields of a payload that have not been taken yet.
pub(crate) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a payload that must be a JSON object.
    pub(crate) fn read(data: &[u8]) -> Result<Self, PayloadError> {
        check_size(data)?;
        match serde_json::from_slice(data) {
            Ok(Value::Object(map)) => Ok(Self(map)),
            Ok(_) => Err(PayloadError::NotObject),
            Err(error) => Err(PayloadError::NotJson(error.to_string())),
        }
    }

    pub(crate) const fn of(map: Map<String, Value>) -> Self {
        Self(map)
    }

    /// Like [`Fields::read`], with no bytes at all read as an object without fields.
    pub(crate) fn read_or_empty(data: &[u8]) -> Result<Self, PayloadError> {
        if data.is_empty() { Ok(Self(Map::new())) } else { Self::read(data) }
    }

    pub(crate) fn has(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(|value| !value.is_null())
    }

    pub(crate) fn put(&mut self, field: &str, value: Value) {
        self.0.insert(field.to_owned(), value);
    }

    pub(crate) fn take(&mut self, field: &'static str) -> Option<Value> {
        self.0.remove(field).filter(|value| !value.is_null())
    }

    pub(crate) fn text(&mut self, field: &'static str, limit: usize) -> Result<Option<String>, PayloadError> {
        match self.take(field) {
            None => Ok(None),
            Some(Value::String(text)) if text.len() > limit => {
                Err(PayloadError::FieldTooLong { field, bytes: text.len(), limit })
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(PayloadError::WrongForm { field, expected: "text" }),
        }
    }

    pub(crate) fn number(&mut self, field: &'static str) -> Result<Option<u64>, PayloadError> {
        const EXPECTED: &str = "a whole number, 0 or more";
        self.take(field)
            .map(|value| value.as_u64().ok_or(PayloadError::WrongForm { field, expected: EXPECTED }))
            .transpose()
    }

    pub(crate) fn flag(&mut self, field: &'static str) -> Result<Option<bool>, PayloadError> {
        self.take(field)
            .map(|value| value.as_bool().ok_or(PayloadError::WrongForm { field, expected: "true or false" }))
            .transpose()
    }

    /// Whether the answer says that its outcome is unknown; any other word says nothing.
    pub(crate) fn is_unknown_outcome(&mut self) -> bool {
        self.take("outcome").is_some_and(|outcome| outcome == UNKNOWN)
    }

    /// A correlation id: text or a whole number, 1 to [`MAX_ID_BYTES`] bytes.
    pub(crate) fn id(&mut self) -> Result<Option<String>, PayloadError> {
        const WRONG: PayloadError =
            PayloadError::WrongForm { field: "id", expected: "text that is not empty" };
        match self.take("id") {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(WRONG),
            Some(Value::String(text)) if text.len() > MAX_ID_BYTES => {
                Err(PayloadError::FieldTooLong { field: "id", bytes: text.len(), limit: MAX_ID_BYTES })
            }
            Some(Value::String(text)) => Ok(Some(text)),
            Some(Value::Number(number)) if number.is_u64() => Ok(Some(number.to_string())),
            Some(_) => Err(WRONG),
        }
    }

    /// An HTTP status, as text (the form that peers write) or as a number; 0 stands for "no answer".
    pub(crate) fn http_code(&mut self) -> Result<u16, PayloadError> {
        const FIELD: &str = "http_code";
        const WRONG: PayloadError =
            PayloadError::WrongForm { field: FIELD, expected: "a number from 0 to 999, or text of one" };
        let code = match self.take(FIELD).ok_or(PayloadError::Missing(FIELD))? {
            Value::String(text) => text.trim().parse().ok(),
            Value::Number(number) => number.as_u64().and_then(|code| u16::try_from(code).ok()),
            _ => None,
        };
        code.filter(|code| *code <= 999).ok_or(WRONG)
    }

    /// What was not taken.
    pub(crate) fn rest(self) -> Map<String, Value> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_of_wide_characters_when_cut_then_no_character_is_split() {
        assert_eq!(excerpt("añb", 2), ("a", true));
        assert_eq!(excerpt("añb", 3), ("añ", true));
        assert_eq!(excerpt("añb", 4), ("añb", false));
        assert_eq!(excerpt("", 0), ("", false));
    }
}

//! What an agent answers to a request of a capability that has no answers of its own: how it went, in the form of
//! ChatOps.

use serde::Serialize;
use tidegate_opamp::CustomMessage;

use crate::chatops::{FAILURE, RESULT};
use crate::payload::{
    Fields, MAX_DATA_BYTES, MAX_TEXT_BYTES, PayloadError, as_outcome, encode, excerpt, is_known,
};

/// Most of a body that an answer carries, in bytes.
pub const MAX_ANSWER_BODY_BYTES: usize = 32 * 1024;

/// How a request went. A `failure` when there is an error, else a `result`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The request's id, where it had one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What went wrong, for a person to read.
    #[serde(rename = "err_msg", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True when nobody knows whether the request was carried out; written as `"outcome":"unknown"`.
    #[serde(rename = "outcome", serialize_with = "as_outcome", skip_serializing_if = "is_known")]
    pub unknown: bool,
    /// Status of an HTTP call; 0 when it brought no answer. Written as text, as in ChatOps.
    #[serde(serialize_with = "as_text", skip_serializing_if = "Option::is_none")]
    pub http_code: Option<u16>,
    /// Exit code of a program; absent when it did not end by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// The beginning of what was answered or printed.
    pub body: String,
    /// Whether `body` is only the beginning.
    pub truncated: bool,
    /// Milliseconds that it took.
    pub duration_ms: u64,
}

impl Answer {
    /// A request that was not carried out.
    #[must_use]
    pub fn refused(id: Option<String>, why: impl Into<String>) -> Self {
        Self { id, error: Some(why.into()), ..Self::default() }
    }

    /// Reads the payload of an answer of this type.
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(kind: &str, data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        let error = fields.text("err_msg", usize::MAX)?;
        let exit_code = match fields.take("exit_code").map(|code| code.as_i64().map(i32::try_from)) {
            None => None,
            Some(Some(Ok(code))) => Some(code),
            Some(_) => {
                return Err(PayloadError::WrongForm { field: "exit_code", expected: "a whole number" });
            }
        };
        Ok(Self {
            id: fields.id()?,
            error: (kind == FAILURE).then(|| error.unwrap_or_default()),
            unknown: fields.is_unknown_outcome(),
            http_code: if fields.has("http_code") { Some(fields.http_code()?) } else { None },
            exit_code,
            body: fields.text("body", usize::MAX)?.unwrap_or_default(),
            truncated: fields.flag("truncated")?.unwrap_or_default(),
            duration_ms: fields.number("duration_ms")?.unwrap_or_default(),
        })
    }

    /// The answer as a message, under the name by which the peer knows the capability. Texts are cut until it fits.
    ///
    /// # Errors
    /// [`PayloadError`], for an id that is too long.
    pub fn to_message(&self, capability: &str) -> Result<CustomMessage, PayloadError> {
        let shorten = |text: &String| excerpt(text, MAX_TEXT_BYTES).0.to_owned();
        let mut bounded = Self { error: self.error.as_ref().map(shorten), ..self.clone() };
        bounded.cut(MAX_ANSWER_BODY_BYTES);
        let data = loop {
            match encode(&bounded) {
                // Escapes make a text up to six times as long.
                Err(PayloadError::TooLarge(bytes)) if !bounded.body.is_empty() => {
                    let beyond = bytes.saturating_sub(MAX_DATA_BYTES);
                    bounded.cut(bounded.body.len().saturating_sub((beyond / 6).max(1024)));
                }
                other => break other?,
            }
        };
        let kind = if bounded.error.is_some() { FAILURE } else { RESULT };
        Ok(CustomMessage {
            capability: capability.to_owned(),
            kind: kind.to_owned(),
            data,
            ..CustomMessage::default()
        })
    }

    fn cut(&mut self, limit: usize) {
        let (body, cut) = excerpt(&self.body, limit);
        self.truncated |= cut;
        self.body.truncate(body.len());
    }
}

// serde hands the field over by reference.
#[allow(clippy::ref_option)]
fn as_text<S: serde::Serializer>(code: &Option<u16>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&code.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn written(answer: &Answer) -> (String, Value) {
        let message = answer.to_message("com.example").unwrap();
        assert_eq!(&Answer::parse(&message.kind, &message.data).unwrap(), answer);
        (message.kind, serde_json::from_slice(&message.data).unwrap())
    }

    #[test]
    fn given_answers_when_written_then_they_say_what_is_known_and_read_back() {
        let done =
            Answer { id: Some("1".into()), exit_code: Some(0), body: "{}".into(), ..Answer::default() };
        let expected = json!({"id": "1", "exit_code": 0, "body": "{}", "truncated": false, "duration_ms": 0});
        assert_eq!(written(&done), ("result".to_owned(), expected));
        let lost = Answer { unknown: true, http_code: Some(0), ..Answer::refused(None, "why") };
        let expected = json!({"err_msg": "why", "outcome": "unknown", "http_code": "0", "body": "",
                              "truncated": false, "duration_ms": 0});
        assert_eq!(written(&lost), ("failure".to_owned(), expected));
        assert!(Answer::parse("result", br#"{"exit_code": "x"}"#).is_err());
    }

    #[test]
    fn given_the_worst_body_when_written_then_it_is_cut_to_what_is_sent() {
        let answer = Answer { body: "\u{1}".repeat(1 << 20), ..Answer::refused(None, "\u{1}".repeat(9999)) };
        let message = answer.to_message("com.example").unwrap();
        let read = Answer::parse(&message.kind, &message.data).unwrap();
        assert!(message.data.len() <= MAX_DATA_BYTES && read.truncated);
        assert!(read.body.len() > 5000, "{}", read.body.len());
        let plain = Answer { body: "x".repeat(1 << 20), ..Answer::default() }.to_message("c").unwrap();
        assert_eq!(Answer::parse(&plain.kind, &plain.data).unwrap().body.len(), MAX_ANSWER_BODY_BYTES);
    }
}

//! ChatOps: a request makes the supervisor call the agent's own local HTTP input; the answer tells how it went.

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use tidegate_opamp::CustomMessage;

use crate::payload::{
    Fields, MAX_BODY_BYTES, MAX_TEXT_BYTES, PayloadError, as_outcome, encode, excerpt, is_known,
};

/// [`CustomMessage::kind`] of a request, server to agent.
pub const REQUEST: &str = "request";

/// [`CustomMessage::kind`] of a failure, agent to server.
pub const FAILURE: &str = "failure";

/// [`CustomMessage::kind`] of a success, agent to server; only sent when asked for.
pub const RESULT: &str = "result";

/// Longest tag, in bytes.
pub const MAX_TAG_BYTES: usize = 128;

/// Which requests are answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reply {
    /// Failures only.
    #[default]
    OnFailure,
    /// Successes too (`"reply": "always"`).
    Always,
}

/// What the agent's pipeline is asked to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Peers write `custom`.
    pub classifier: String,
    /// Peers write `chatopcommand`.
    pub action: String,
    /// Path of the local HTTP input, without a leading slash; empty means `/`. Not checked here: see
    /// [`check_tag`].
    pub tag: String,
    /// Body of the local call.
    pub attributes: Map<String, Value>,
    /// Correlates the answer; a request with an id is carried out once. Without one, only failures are answered
    /// and only by `http_code` and `err_msg`.
    pub id: Option<String>,
    /// Milliseconds that the local call may take; the supervisor's own limit holds as well.
    pub deadline_ms: Option<u64>,
    /// Which outcomes are answered; counts only beside an id.
    pub reply: Reply,
    /// Further pairs, kept as they came.
    pub extra: Map<String, Value>,
}

impl Request {
    /// A request in the form that every peer understands.
    #[must_use]
    pub fn new(tag: impl Into<String>, attributes: Map<String, Value>) -> Self {
        Self {
            classifier: "custom".to_owned(),
            action: "chatopcommand".to_owned(),
            tag: tag.into(),
            attributes,
            id: None,
            deadline_ms: None,
            reply: Reply::default(),
            extra: Map::new(),
        }
    }

    /// Reads [`CustomMessage::data`]. Attributes that are absent or unreadable become an empty object.
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        let deadline_ms = fields.number("deadline_ms")?;
        if deadline_ms == Some(0) {
            return Err(PayloadError::WrongForm { field: "deadline_ms", expected: "more than 0" });
        }
        Ok(Self {
            classifier: fields.text("classifier", MAX_TEXT_BYTES)?.unwrap_or_default(),
            action: fields.text("action", MAX_TEXT_BYTES)?.unwrap_or_default(),
            tag: fields.text("tag", MAX_TEXT_BYTES)?.unwrap_or_default(),
            attributes: attributes(fields.take("attributes")),
            id: fields.id()?,
            deadline_ms,
            reply: match fields.text("reply", MAX_TEXT_BYTES)?.as_deref() {
                Some("always") => Reply::Always,
                _ => Reply::OnFailure,
            },
            extra: fields.rest(),
        })
    }

    /// Writes [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_data(&self) -> Result<Bytes, PayloadError> {
        let mut object = self.extra.clone();
        let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
        put("classifier", Value::from(self.classifier.as_str()));
        put("action", Value::from(self.action.as_str()));
        put("tag", Value::from(self.tag.as_str()));
        put("attributes", Value::Object(self.attributes.clone()));
        if let Some(id) = &self.id {
            put("id", Value::from(id.as_str()));
        }
        if let Some(deadline) = self.deadline_ms {
            put("deadline_ms", Value::from(deadline));
        }
        if self.reply == Reply::Always {
            put("reply", Value::from("always"));
        }
        encode(&object)
    }

    /// The request as a message, under the name by which the peer knows the capability.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self, capability: &str) -> Result<CustomMessage, PayloadError> {
        Ok(message(capability, REQUEST, self.to_data()?))
    }
}

fn attributes(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(map)) => map,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    }
}

fn message(capability: &str, kind: &str, data: Bytes) -> CustomMessage {
    CustomMessage {
        capability: capability.to_owned(),
        kind: kind.to_owned(),
        data,
        ..CustomMessage::default()
    }
}

/// How a request with an id went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Execution {
    /// The request's id.
    pub id: String,
    /// The beginning of the answer's body, at most [`MAX_BODY_BYTES`]; bytes that are no UTF-8 are replaced.
    pub body: String,
    /// Whether `body` is only the beginning.
    pub truncated: bool,
    /// Milliseconds that the local call took.
    pub duration_ms: u64,
}

impl Execution {
    /// Cuts the body to what is allowed.
    #[must_use]
    pub fn new(id: impl Into<String>, body: &str, truncated: bool, duration_ms: u64) -> Self {
        let (body, cut) = excerpt(body, MAX_BODY_BYTES);
        Self { id: id.into(), body: body.to_owned(), truncated: truncated || cut, duration_ms }
    }

    fn take(fields: &mut Fields) -> Result<Option<Self>, PayloadError> {
        let Some(id) = fields.id()? else { return Ok(None) };
        let body = fields.text("body", usize::MAX)?.unwrap_or_default();
        let truncated = fields.flag("truncated")?.unwrap_or_default();
        Ok(Some(Self::new(id, &body, truncated, fields.number("duration_ms")?.unwrap_or_default())))
    }
}

/// The local call did not end with a 2xx status, or there was none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The status; 0 when the call brought no answer. Written as text, as peers do.
    #[serde(serialize_with = "as_text")]
    pub http_code: u16,
    /// What went wrong, for a person to read.
    pub err_msg: String,
    /// True when nobody knows whether the call was made or what came of it; written as `"outcome":"unknown"`.
    #[serde(rename = "outcome", serialize_with = "as_outcome", skip_serializing_if = "is_known")]
    pub unknown: bool,
    /// Present when the request had an id.
    #[serde(flatten)]
    pub execution: Option<Execution>,
}

impl Failure {
    /// Reads [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        Ok(Self {
            http_code: fields.http_code()?,
            err_msg: fields.text("err_msg", usize::MAX)?.map(|text| shorten(&text)).unwrap_or_default(),
            unknown: fields.is_unknown_outcome(),
            execution: Execution::take(&mut fields)?,
        })
    }

    /// The failure as a message, under the name by which the peer knows the capability.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self, capability: &str) -> Result<CustomMessage, PayloadError> {
        let bounded = Self { err_msg: shorten(&self.err_msg), ..self.clone() };
        Ok(message(capability, FAILURE, encode(&bounded)?))
    }
}

fn shorten(text: &str) -> String {
    excerpt(text, MAX_TEXT_BYTES).0.to_owned()
}

/// The local call ended with a 2xx status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Success {
    /// The status. Written as text, as in a [`Failure`].
    #[serde(serialize_with = "as_text")]
    pub http_code: u16,
    /// How it went.
    #[serde(flatten)]
    pub execution: Execution,
}

impl Success {
    /// Reads [`CustomMessage::data`].
    ///
    /// # Errors
    /// [`PayloadError`], which names the field.
    pub fn parse(data: &[u8]) -> Result<Self, PayloadError> {
        let mut fields = Fields::read(data)?;
        let http_code = fields.http_code()?;
        let execution = Execution::take(&mut fields)?.ok_or(PayloadError::Missing("id"))?;
        Ok(Self { http_code, execution })
    }

    /// The success as a message, under the name by which the peer knows the capability.
    ///
    /// # Errors
    /// [`PayloadError::TooLarge`].
    pub fn to_message(&self, capability: &str) -> Result<CustomMessage, PayloadError> {
        Ok(message(capability, RESULT, encode(self)?))
    }
}

// serde hands the field over by reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn as_text<S: Serializer>(code: &u16, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(code)
}

/// Why a tag may not become part of a local URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidTag {
    /// Longer than [`MAX_TAG_BYTES`].
    #[error("the tag is longer than {MAX_TAG_BYTES} characters")]
    TooLong,
    /// A character outside `[A-Za-z0-9._-/]`.
    #[error("the tag has a character other than letters, digits, `.`, `_`, `-` and `/`")]
    Character,
    /// Two dots in a row.
    #[error("the tag has `..` in it")]
    DotDot,
}

/// Checks a tag before it becomes the path of a local call: `[A-Za-z0-9._-/]`, no `..`, at most
/// [`MAX_TAG_BYTES`]. An empty tag means the path `/`.
///
/// # Errors
/// [`InvalidTag`].
pub fn check_tag(tag: &str) -> Result<(), InvalidTag> {
    if tag.len() > MAX_TAG_BYTES {
        Err(InvalidTag::TooLong)
    } else if !tag.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte)) {
        Err(InvalidTag::Character)
    } else if tag.contains("..") {
        Err(InvalidTag::DotDot)
    } else {
        Ok(())
    }
}

#[cfg(test)]
#[path = "chatops_tests.rs"]
mod tests;

//! From a custom message to what it means.

use tidegate_opamp::CustomMessage;

use crate::answer::Answer;
use crate::chatops::{self, Failure, Request, Success};
use crate::inspect::{self, DryRun, Logs};
use crate::metrics::{self, Digest};
use crate::name::{CHATOPS, DIAGNOSTICS, DRY_RUN, LOGS, METRICS, NULL_COMMAND, SCHEMA, SHUTDOWN, bare};
use crate::order::{self, Order};
use crate::payload::{Fields, PayloadError};
use crate::schema::{self, Chunk, Fetch, Unavailable};

/// A custom message that this crate knows.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// Server to agent: an action of the agent's pipeline.
    ChatOpsRequest(Request),
    /// Agent to server: the action failed.
    ChatOpsFailure(Failure),
    /// Agent to server: the action succeeded.
    ChatOpsSuccess(Success),
    /// Agent to server: the counters of its components.
    Metrics(Digest),
    /// Server to agent: shut the agent down.
    Shutdown(Order),
    /// Server to agent: do nothing.
    Null(Order),
    /// Server to agent: tell the last lines of the log.
    Logs(Logs),
    /// Server to agent: check a config.
    DryRun(DryRun),
    /// Server to agent: tell what helps to find a fault.
    Diagnostics(Order),
    /// Server to agent: send a piece of the schema.
    SchemaFetch(Fetch),
    /// Agent to server: a piece of the schema.
    SchemaChunk(Chunk),
    /// Agent to server: why there is no piece.
    SchemaUnavailable(Unavailable),
    /// Agent to server: what was found.
    Inspected(serde_json::Map<String, serde_json::Value>),
    /// Agent to server: why nothing was found.
    NotInspected(Answer),
}

/// Why a custom message cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No capability of this crate; to be ignored (OpAMP C160).
    #[error("the custom capability is not known")]
    UnknownCapability,
    /// A capability of this crate, but not a type of it; to be ignored (OpAMP C160).
    #[error("`{capability}` has no message of this type")]
    UnknownType {
        /// The capability's bare name.
        capability: &'static str,
    },
    /// The payload is not what the type asks for.
    #[error("a `{kind}` of `{capability}` cannot be used: {error}")]
    Payload {
        /// The capability's bare name.
        capability: &'static str,
        /// The message's type.
        kind: &'static str,
        /// What is wrong; its text is part of this error's.
        error: PayloadError,
    },
}

/// Reads a custom message in either direction; its capability may stand in either form of name.
///
/// # Errors
/// [`ParseError`].
pub fn parse(message: &CustomMessage) -> Result<Message, ParseError> {
    let data = &message.data;
    let (capability, kind, parsed) = match (bare(&message.capability), message.kind.as_str()) {
        (CHATOPS, chatops::REQUEST) => {
            (CHATOPS, chatops::REQUEST, Request::parse(data).map(Message::ChatOpsRequest))
        }
        (CHATOPS, chatops::FAILURE) => {
            (CHATOPS, chatops::FAILURE, Failure::parse(data).map(Message::ChatOpsFailure))
        }
        (CHATOPS, chatops::RESULT) => {
            (CHATOPS, chatops::RESULT, Success::parse(data).map(Message::ChatOpsSuccess))
        }
        (SHUTDOWN, order::SHUTDOWN_AGENT) => {
            (SHUTDOWN, order::SHUTDOWN_AGENT, Order::parse(data).map(Message::Shutdown))
        }
        (NULL_COMMAND, order::DO_NOTHING) => {
            (NULL_COMMAND, order::DO_NOTHING, Order::parse(data).map(Message::Null))
        }
        (METRICS, metrics::DIGEST) => (METRICS, metrics::DIGEST, Digest::parse(data).map(Message::Metrics)),
        (METRICS, _) => return Err(ParseError::UnknownType { capability: METRICS }),
        (LOGS, inspect::REQUEST) => (LOGS, inspect::REQUEST, Logs::parse(data).map(Message::Logs)),
        (DRY_RUN, inspect::REQUEST) => (DRY_RUN, inspect::REQUEST, DryRun::parse(data).map(Message::DryRun)),
        (DIAGNOSTICS, inspect::REQUEST) => {
            (DIAGNOSTICS, inspect::REQUEST, Order::parse(data).map(Message::Diagnostics))
        }
        (SCHEMA, schema::FETCH) => (SCHEMA, schema::FETCH, Fetch::parse(data).map(Message::SchemaFetch)),
        (SCHEMA, schema::CHUNK) => (SCHEMA, schema::CHUNK, Chunk::parse(data).map(Message::SchemaChunk)),
        (SCHEMA, chatops::FAILURE) => {
            (SCHEMA, chatops::FAILURE, Unavailable::parse(data).map(Message::SchemaUnavailable))
        }
        (SCHEMA, _) => return Err(ParseError::UnknownType { capability: SCHEMA }),
        (LOGS | DRY_RUN | DIAGNOSTICS, kind) => return inspected(&message.capability, kind, data),
        (CHATOPS, _) => return Err(ParseError::UnknownType { capability: CHATOPS }),
        (SHUTDOWN, _) => return Err(ParseError::UnknownType { capability: SHUTDOWN }),
        (NULL_COMMAND, _) => return Err(ParseError::UnknownType { capability: NULL_COMMAND }),
        _ => return Err(ParseError::UnknownCapability),
    };
    parsed.map_err(|error| ParseError::Payload { capability, kind, error })
}

/// An answer about an agent that was looked at.
fn inspected(name: &str, kind: &str, data: &[u8]) -> Result<Message, ParseError> {
    let capability = [LOGS, DRY_RUN].into_iter().find(|known| *known == bare(name)).unwrap_or(DIAGNOSTICS);
    let (kind, parsed) = match kind {
        chatops::RESULT => (chatops::RESULT, inspect::parse_result(data).map(Message::Inspected)),
        chatops::FAILURE => (chatops::FAILURE, Answer::parse(kind, data).map(Message::NotInspected)),
        _ => return Err(ParseError::UnknownType { capability }),
    };
    parsed.map_err(|error| ParseError::Payload { capability, kind, error })
}

/// The correlation id of a payload, where it is a JSON object that has a usable one; other fields don't matter.
#[must_use]
pub fn message_id(data: &[u8]) -> Option<String> {
    Fields::read(data).ok()?.id().ok()?
}

/// A payload with this id, where it is a JSON object that has none; other payloads stay as they are.
#[must_use]
pub fn with_id(data: bytes::Bytes, id: &str) -> bytes::Bytes {
    let Ok(mut fields) = Fields::read(&data) else { return data };
    if fields.has("id") {
        return data;
    }
    fields.put("id", id.into());
    crate::payload::encode(&fields.rest()).unwrap_or(data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prefixed;

    fn message(capability: &str, kind: &str, data: &'static str) -> CustomMessage {
        CustomMessage {
            capability: capability.to_owned(),
            kind: kind.to_owned(),
            data: bytes::Bytes::from_static(data.as_bytes()),
            ..CustomMessage::default()
        }
    }

    #[test]
    fn given_either_form_of_name_when_parsed_then_the_message_is_known() {
        for name in [CHATOPS.to_owned(), prefixed(CHATOPS)] {
            assert!(matches!(parse(&message(&name, "request", "{}")), Ok(Message::ChatOpsRequest(_))));
        }
        assert!(matches!(parse(&message(SHUTDOWN, "Shutdown Agent", "")), Ok(Message::Shutdown(_))));
        assert!(matches!(parse(&message(NULL_COMMAND, "Null Command", "{}")), Ok(Message::Null(_))));
    }

    #[test]
    fn given_what_is_not_known_when_parsed_then_the_error_says_what() {
        let cases = [
            (message("com.example", "request", "{}"), "the custom capability is not known"),
            (
                message(CHATOPS, "answer", "{}"),
                "`org.mp3monster.opamp_provider.chatopcommand` has no message of this type",
            ),
            (
                message(CHATOPS, "request", "[]"),
                "a `request` of `org.mp3monster.opamp_provider.chatopcommand` cannot be used: \
                 the payload is not a JSON object",
            ),
        ];
        for (message, sentence) in cases {
            assert_eq!(parse(&message).unwrap_err().to_string(), sentence);
        }
    }

    #[test]
    fn given_payloads_when_an_id_is_added_then_only_objects_without_one_change() {
        let cases = [
            (r#"{"a":1}"#, r#"{"a":1,"id":"c"}"#),
            (r#"{"id":null}"#, r#"{"id":"c"}"#),
            (r#"{"id":7}"#, r#"{"id":7}"#),
            ("[]", "[]"),
            ("", ""),
            ("{", "{"),
        ];
        for (data, expected) in cases {
            assert_eq!(&with_id(bytes::Bytes::from_static(data.as_bytes()), "c")[..], expected.as_bytes());
        }
        let full = format!("{{\"a\":\"{}\"}}", "x".repeat(crate::MAX_DATA_BYTES - 8));
        assert_eq!(&with_id(full.clone().into(), "c")[..], full.as_bytes(), "no room for one");
    }

    #[test]
    fn given_payloads_when_asked_for_their_id_then_only_usable_ones_are_told() {
        let cases = [
            (r#"{"id": "a", "tag": 7}"#, Some("a")),
            (r#"{"id": 12}"#, Some("12")),
            (r#"{"id": ""}"#, None),
            (r#"{"id": 1.5}"#, None),
            ("{}", None),
            ("[]", None),
            ("", None),
        ];
        for (data, expected) in cases {
            assert_eq!(message_id(data.as_bytes()).as_deref(), expected, "{data}");
        }
    }
}

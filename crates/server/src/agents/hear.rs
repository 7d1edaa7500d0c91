//! What a peer says: events out of bytes, and messages out of events as far as they may be decoded at once.

use std::borrow::Cow;

use tidegate_opamp::ws::{self, Close, Event, MessageKind, Violation};
use tidegate_opamp::{AgentToServer, frame};

use super::budget::SMALL;
use super::stream::Stream;

/// What was read.
pub(super) enum Heard {
    Message(Box<AgentToServer>),
    /// A message that is not decoded before its weight is charged.
    Heavy {
        payload: Vec<u8>,
        /// Bytes that it will take.
        weight: usize,
    },
    Malformed(String),
    Ping(Vec<u8>),
    Close(Option<Close>),
    Violation(Violation),
}

impl Heard {
    /// What an event is worth; a pong is worth nothing but the sign of life that it is.
    pub(super) fn of(event: Event<'_>) -> Option<Self> {
        Self::within(event, &mut { SMALL })
    }

    /// A binary message.
    pub(super) fn of_binary(payload: Cow<'_, [u8]>) -> Self {
        judge(payload, &mut { SMALL })
    }

    /// The same, decoding at once no more than `light` bytes.
    fn within(event: Event<'_>, light: &mut usize) -> Option<Self> {
        Some(match event {
            Event::Pong(_) => return None,
            Event::Ping(payload) => Self::Ping(payload.into_owned()),
            Event::Close(close) => Self::Close(close),
            Event::Message { kind: MessageKind::Text, .. } => {
                Self::Malformed("OpAMP messages are binary".into())
            }
            Event::Message { kind: MessageKind::Binary, payload } => judge(payload, light),
        })
    }

    /// True at the end of a message, whatever it is worth.
    pub(super) const fn is_message(&self) -> bool {
        matches!(self, Self::Message(_) | Self::Heavy { .. } | Self::Malformed(_))
    }

    /// True when nothing that follows can be read.
    pub(super) const fn is_last(&self) -> bool {
        matches!(self, Self::Close(_) | Self::Violation(_))
    }
}

/// Waits for what the peer says next; `None` when the transport is gone. Safe to cancel.
pub(super) async fn listen(stream: &mut Stream, reader: &mut ws::Reader) -> Option<Vec<Heard>> {
    stream.read_with(|bytes| hear(reader, bytes)).await.ok().flatten()
}

/// Takes the events out of bytes that were read.
pub(super) fn hear(reader: &mut ws::Reader, mut input: &mut [u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    // What may be decoded before it is charged to the budget.
    let mut light = SMALL;
    while !input.is_empty() {
        let (used, event) = match reader.read(input) {
            Ok(read) => read,
            Err(violation) => {
                heard.push(Heard::Violation(violation));
                return heard;
            }
        };
        heard.extend(event.and_then(|event| Heard::within(event, &mut light)));
        input = &mut input[used..];
    }
    heard
}

fn judge(payload: Cow<'_, [u8]>, light: &mut usize) -> Heard {
    match frame::weigh::<AgentToServer>(&payload) {
        Err(error) => Heard::Malformed(error.to_string()),
        Ok(weight) if weight <= *light => {
            *light -= weight;
            decode(&payload)
        }
        Ok(weight) => Heard::Heavy { payload: payload.into_owned(), weight },
    }
}

/// Decodes a message, which is whole but may be wrong.
pub(super) fn decode(payload: &[u8]) -> Heard {
    match frame::decode(payload) {
        Ok(message) => Heard::Message(Box::new(message)),
        Err(error) => Heard::Malformed(error.to_string()),
    }
}

//! What a reader gives.

use std::borrow::Cow;
use std::ops::Range;

use super::header::Opcode;
use super::{Close, MessageKind, Violation};

/// What a peer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A whole message, its fragments joined.
    Message {
        /// Text or binary.
        kind: MessageKind,
        /// Its bytes, unmasked; borrowed from the input where it lay there whole and in one frame.
        payload: Cow<'a, [u8]>,
    },
    /// To be answered with a pong of the same payload; at most 125 bytes.
    Ping(Cow<'a, [u8]>),
    /// The answer to a ping, or a sign of life unasked; at most 125 bytes.
    Pong(Cow<'a, [u8]>),
    /// The peer's last frame: answer it, read no more. `None` when it gives no code.
    Close(Option<Close>),
}

/// A complete control frame or message.
pub(super) struct Found {
    pub(super) opcode: Opcode,
    pub(super) payload: Payload,
}

pub(super) enum Payload {
    /// Where it lies in the input.
    At(Range<usize>),
    Owned(Vec<u8>),
}

impl Found {
    /// Checks what only a whole payload can show: text, close codes, close reasons.
    pub(super) fn into_event(self, input: &[u8]) -> Result<Event<'_>, Violation> {
        let payload = match self.payload {
            Payload::At(range) => Cow::Borrowed(input.get(range).unwrap_or_default()),
            Payload::Owned(bytes) => Cow::Owned(bytes),
        };
        Ok(match self.opcode {
            Opcode::Ping => Event::Ping(payload),
            Opcode::Pong => Event::Pong(payload),
            Opcode::Close => Event::Close(Close::parse(&payload)?),
            Opcode::Message(MessageKind::Text) if std::str::from_utf8(&payload).is_err() => {
                return Err(Violation::Text);
            }
            Opcode::Message(kind) => Event::Message { kind, payload },
            // A continuation ends a message, which carries the opcode it began with.
            Opcode::Continuation => return Err(Violation::UnexpectedContinuation),
        })
    }
}

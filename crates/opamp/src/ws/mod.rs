//! WebSocket frames (RFC 6455), without IO: bytes in, events out; messages in, bytes out.
//!
//! A connection holds nothing on the heap while it is idle, and a message that arrives whole is borrowed from
//! the caller's buffer. Extensions are never negotiated, permessage-deflate least of all (ruling A17), so a
//! reserved bit is always a violation.

mod close;
mod event;
mod handshake;
mod header;
mod mask;
mod reader;
mod writer;

pub use close::{Close, close_code};
pub use event::Event;
pub use handshake::{accept_key, is_valid_request_key, request_key};
pub use reader::Reader;
pub use writer::{write_close, write_message, write_ping, write_pong};

/// Which end of the connection this side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Frames that arrive must be masked, frames that leave are not.
    Server,
    /// Frames that arrive must not be masked, frames that leave are.
    Client,
}

/// The two kinds of message. OpAMP sends binary ones only (OpAMP S020).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// UTF-8 text; a message read as text has been checked.
    Text,
    /// Bytes.
    Binary,
}

/// Most bytes that the payload of a ping, a pong or a close can have.
pub const MAX_CONTROL_BYTES: usize = 125;

/// How a peer broke the protocol. The connection is to be closed with [`Violation::close_code`]; nothing
/// that follows can be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A bit is set that only a negotiated extension could use; none ever is.
    #[error("a WebSocket frame has reserved bits set, but no extension was negotiated")]
    ReservedBits,
    /// The opcode is not defined.
    #[error("a WebSocket frame has the undefined opcode {0:#x}")]
    UnknownOpcode(u8),
    /// A client's frame without a mask.
    #[error("a WebSocket frame from a client is not masked")]
    Unmasked,
    /// A server's frame with a mask.
    #[error("a WebSocket frame from a server is masked")]
    Masked,
    /// A ping, pong or close in fragments.
    #[error("a WebSocket control frame is fragmented")]
    FragmentedControl,
    /// A ping, pong or close above [`MAX_CONTROL_BYTES`].
    #[error("a WebSocket control frame has more than {MAX_CONTROL_BYTES} bytes")]
    OversizedControl,
    /// A length in more bytes than it needs.
    #[error("the length {0} of a WebSocket frame is not written in the fewest bytes")]
    NonMinimalLength(u64),
    /// A length whose highest bit is set.
    #[error("the length {0:#x} of a WebSocket frame has its highest bit set")]
    LengthOverflow(u64),
    /// A continuation frame where no message was begun.
    #[error("a WebSocket continuation frame continues no message")]
    UnexpectedContinuation,
    /// A new message before the last one ended.
    #[error("a WebSocket message begins inside another one")]
    InterruptedMessage,
    /// The message would grow beyond the limit.
    #[error("a WebSocket message has at least {bytes} bytes, the limit is {limit}")]
    TooBig {
        /// Bytes of the message so far, the present frame's declared length included.
        bytes: u64,
        /// Most bytes that the reader accepts.
        limit: usize,
    },
    /// A close of one byte: half a code.
    #[error("a WebSocket close frame has half a code")]
    TruncatedCloseCode,
    /// A close code that must not stand on the wire.
    #[error("a WebSocket close frame has the invalid code {0}")]
    CloseCode(u16),
    /// A close reason that is not text.
    #[error("the reason in a WebSocket close frame is not UTF-8")]
    CloseReason,
    /// A text message that is not text.
    #[error("a WebSocket text message is not UTF-8")]
    Text,
}

impl Violation {
    /// The code to close the connection with: 1002, 1007 or 1009 (OpAMP S023 for the last).
    #[must_use]
    pub fn close_code(&self) -> u16 {
        match self {
            Self::CloseReason | Self::Text => close_code::INVALID,
            Self::TooBig { .. } => close_code::TOO_BIG,
            Self::ReservedBits
            | Self::UnknownOpcode(_)
            | Self::Unmasked
            | Self::Masked
            | Self::FragmentedControl
            | Self::OversizedControl
            | Self::NonMinimalLength(_)
            | Self::LengthOverflow(_)
            | Self::UnexpectedContinuation
            | Self::InterruptedMessage
            | Self::TruncatedCloseCode
            | Self::CloseCode(_) => close_code::PROTOCOL,
        }
    }
}

//! The header that stands before a message in a WebSocket frame: a varint that is 0 (OpAMP S014–S019).

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use crate::wire;

/// Why the payload of a WebSocket message is no OpAMP message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No byte at all, or a varint that never ends within ten bytes.
    #[error("the message header is missing or longer than 10 bytes")]
    Header,
    /// The header is not 0: a newer framing, or one from before v0.7.
    #[error("the message header is {0}, only 0 is defined")]
    UnknownHeader(u64),
    /// What follows the header is not the message.
    #[error("the message cannot be decoded: {0}")]
    Undecodable(String),
}

/// Strips the header off a payload.
///
/// # Errors
/// [`FrameError::Header`] or [`FrameError::UnknownHeader`].
pub fn strip_header(payload: &[u8]) -> Result<&[u8], FrameError> {
    let mut value = 0u64;
    for (index, byte) in payload.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F).checked_shl(7 * u32::try_from(index).unwrap_or(63)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return if value == 0 {
                Ok(&payload[index + 1..])
            } else {
                Err(FrameError::UnknownHeader(value))
            };
        }
    }
    Err(FrameError::Header)
}

/// Decodes a whole payload: header, then message.
///
/// # Errors
/// Any [`FrameError`].
pub fn decode<M: Message + Default>(payload: &[u8]) -> Result<M, FrameError> {
    let body = strip_header(payload)?;
    M::decode(body).map_err(|error| FrameError::Undecodable(error.to_string()))
}

/// Tells what a payload will take once it is decoded, in bytes and from above, as [`wire::weigh`] does.
///
/// # Errors
/// A [`FrameError`] for a wrong header and for a message that is too heavy.
pub fn weigh<M: wire::Weigh>(payload: &[u8]) -> Result<usize, FrameError> {
    wire::weigh::<M>(strip_header(payload)?).map_err(|error| FrameError::Undecodable(error.to_string()))
}

/// Encodes a message behind its header, as the payload of one binary WebSocket message.
#[must_use]
pub fn encode(message: &impl Message) -> Bytes {
    let mut payload = BytesMut::with_capacity(1 + message.encoded_len());
    payload.put_u8(0);
    message.encode_raw(&mut payload);
    payload.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_headers_of_every_form_when_stripped_then_only_zero_passes() {
        type Case = (&'static [u8], Result<&'static [u8], FrameError>);
        let cases: &[Case] = &[
            (&[0], Ok(&[])),
            (&[0, 8, 1], Ok(&[8, 1])),
            (&[0x80, 0x80, 0, 7], Ok(&[7])),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 7], Ok(&[7])),
            (&[1, 7], Err(FrameError::UnknownHeader(1))),
            (&[0x0a, 16], Err(FrameError::UnknownHeader(10))),
            (&[0x80, 1], Err(FrameError::UnknownHeader(128))),
            (&[], Err(FrameError::Header)),
            (&[0x80], Err(FrameError::Header)),
            (&[0x80; 11], Err(FrameError::Header)),
        ];
        for (payload, expected) in cases {
            assert_eq!(&strip_header(payload), expected, "{payload:?}");
        }
    }
}

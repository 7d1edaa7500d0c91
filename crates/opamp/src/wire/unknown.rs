//! Fields that this version of the protocol does not name, kept as they came.

use bytes::{Buf, BufMut};
use prost::DecodeError;
use prost::encoding::{DecodeContext, WireType, encode_key, skip_field};

/// The undecoded fields of one message, in the order they arrived, tags included.
// One pointer in every message, since nearly all have none; a Vec behind it, so that a message of very many
// unknown fields is copied a few times as it grows, not once a field. Never an empty one.
#[expect(clippy::box_collection, reason = "a third of a Vec's size where there is nothing to keep")]
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct UnknownFields(Option<Box<Vec<u8>>>);

impl UnknownFields {
    /// True when nothing unknown was received.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The raw wire bytes: a run of complete fields.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |raw| raw.as_slice())
    }

    pub(crate) fn encode(&self, buf: &mut impl BufMut) {
        buf.put_slice(self.as_bytes());
    }

    pub(crate) fn encoded_len(&self) -> usize {
        self.as_bytes().len()
    }

    pub(crate) fn merge(
        &mut self,
        number: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        context: DecodeContext,
    ) -> Result<(), DecodeError> {
        let raw = self.0.get_or_insert_default();
        encode_key(number, wire_type, raw.as_mut());
        skip_field(wire_type, number, &mut Recorder { inner: buf, seen: raw }, context)
    }
}

impl std::fmt::Debug for UnknownFields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UnknownFields({} bytes)", self.encoded_len())
    }
}

/// Copies every byte that is read through it.
struct Recorder<'a, B> {
    inner: &'a mut B,
    seen: &'a mut Vec<u8>,
}

impl<B: Buf> Buf for Recorder<'_, B> {
    fn remaining(&self) -> usize {
        self.inner.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.inner.chunk()
    }

    fn advance(&mut self, mut count: usize) {
        while count > 0 {
            let chunk = self.inner.chunk();
            let step = count.min(chunk.len());
            if step == 0 {
                // `Buf::advance` past the end is the caller's error; the inner buffer reports it.
                self.inner.advance(count);
                return;
            }
            self.seen.extend_from_slice(&chunk[..step]);
            self.inner.advance(step);
            count -= step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_very_many_unknown_fields_when_kept_then_room_is_made_in_few_steps() {
        let field: &[u8] = &[1];
        let (mut unknown, mut steps, mut room) = (UnknownFields::default(), 0, 0);
        for _ in 0..100_000 {
            unknown.merge(100, WireType::Varint, &mut &*field, DecodeContext::default()).unwrap();
            let now = unknown.0.as_ref().unwrap().capacity();
            steps += usize::from(now != room);
            room = now;
        }
        assert_eq!(unknown.encoded_len(), 300_000);
        assert!(steps < 30, "{steps} reallocations for 300,000 bytes");
    }

    #[test]
    fn a_message_without_unknown_fields_pays_one_pointer_for_them() {
        assert_eq!(size_of::<UnknownFields>(), size_of::<usize>());
        assert!(UnknownFields::default().is_empty());
    }
}

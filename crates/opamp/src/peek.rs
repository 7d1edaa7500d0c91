//! Reading a heartbeat without decoding it (decision D4): most messages of a fleet hold nothing but a uid, a number and
//! the capabilities (ruling A2).

use crate::InstanceUid;

/// A message that says nothing new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// Who sent it.
    pub uid: InstanceUid,
    /// Its number.
    pub sequence_num: u64,
    /// The agent's capabilities; 0 when they are not repeated.
    pub capabilities: u64,
}

/// Keys of the fields that a heartbeat may have: number and wire type.
const INSTANCE_UID: u8 = 0x0A;
const SEQUENCE_NUM: u8 = 0x10;
const CAPABILITIES: u8 = 0x20;

/// Reads a WebSocket message's payload, header included, as a heartbeat. `None` says no more than that it must be
/// decoded: it has another field, or something is wrong with it.
#[must_use]
pub fn heartbeat(payload: &[u8]) -> Option<Heartbeat> {
    match payload.split_first()? {
        (0, message) => poll(message),
        _ => None,
    }
}

/// Reads the body of a POST as [`heartbeat`] reads a WebSocket message's payload: a poll has no header.
#[must_use]
pub fn poll(message: &[u8]) -> Option<Heartbeat> {
    let mut rest = message;
    let (mut uid, mut sequence_num, mut capabilities) = (None, 0, 0);
    while let Some((key, after)) = rest.split_first() {
        match *key {
            INSTANCE_UID => {
                let (16, after) = after.split_first().map(|(length, after)| (*length, after))? else {
                    return None;
                };
                let (bytes, after) = after.split_at_checked(16)?;
                uid = Some(InstanceUid::from_bytes(bytes).ok()?);
                rest = after;
            }
            SEQUENCE_NUM => (sequence_num, rest) = varint(after)?,
            CAPABILITIES => (capabilities, rest) = varint(after)?,
            _ => return None,
        }
    }
    Some(Heartbeat { uid: uid?, sequence_num, capabilities })
}

/// Bytes of [`acknowledgement`].
pub const ACKNOWLEDGEMENT_BYTES: usize = 21;

/// The whole WebSocket frame that answers a heartbeat: a binary message with the agent's uid alone (OpAMP S065).
#[must_use]
pub fn acknowledgement(uid: &InstanceUid) -> [u8; ACKNOWLEDGEMENT_BYTES] {
    let mut frame = [0; ACKNOWLEDGEMENT_BYTES];
    // Final binary frame; unmasked, 19 bytes; message header.
    frame[..3].copy_from_slice(&[0x82, 19, 0]);
    frame[3..].copy_from_slice(&poll_acknowledgement(uid));
    frame
}

/// Bytes of [`poll_acknowledgement`].
pub const POLL_ACKNOWLEDGEMENT_BYTES: usize = 18;

/// The message that answers a poll with the agent's uid alone; what is appended to it is merged into it.
#[must_use]
pub fn poll_acknowledgement(uid: &InstanceUid) -> [u8; POLL_ACKNOWLEDGEMENT_BYTES] {
    let mut message = [0; POLL_ACKNOWLEDGEMENT_BYTES];
    message[..2].copy_from_slice(&[INSTANCE_UID, 16]);
    message[2..].copy_from_slice(uid.as_bytes());
    message
}

/// A base-128 varint of at most ten bytes. One whose last byte overflows 64 bits is left to the decoder.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        let part = u64::from(byte & 0x7F);
        if index == 9 && part > 1 {
            return None;
        }
        value |= part << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AgentToServer, ComponentHealth, Message, frame, ws};
    use bytes::Bytes;
    use proptest::prelude::*;

    const UID: [u8; 16] = [7; 16];

    fn beat(sequence_num: u64, capabilities: u64) -> AgentToServer {
        let instance_uid = Bytes::from_static(&UID);
        AgentToServer { instance_uid, sequence_num, capabilities, ..AgentToServer::default() }
    }

    #[test]
    fn given_messages_that_say_more_or_are_wrong_when_peeked_then_they_must_be_decoded() {
        let more = AgentToServer { health: Some(ComponentHealth::default()), ..beat(1, 1) };
        assert_eq!(heartbeat(&frame::encode(&more)), None);
        assert_eq!(heartbeat(&frame::encode(&AgentToServer { flags: 1, ..beat(1, 1) })), None);
        let short = AgentToServer { instance_uid: Bytes::from_static(&UID[1..]), ..beat(1, 1) };
        assert_eq!(heartbeat(&frame::encode(&short)), None);
        let zero = AgentToServer { instance_uid: Bytes::from_static(&[0; 16]), ..beat(1, 1) };
        assert_eq!(heartbeat(&frame::encode(&zero)), None);
        for bytes in [&[][..], &[0], &[1], &[0x0A], &[0, 0x0A, 16, 1], &[0, 0x10, 0x80]] {
            assert_eq!(heartbeat(bytes), None, "{bytes:?}");
        }
        let mut encoded = frame::encode(&beat(1, 1)).to_vec();
        encoded[0] = 1;
        assert_eq!(heartbeat(&encoded), None, "another header");
    }

    #[test]
    fn given_a_uid_when_acknowledged_then_the_frame_is_what_the_writer_would_give() {
        let uid = InstanceUid::from_bytes(&UID).unwrap();
        let message = crate::ServerToAgent { instance_uid: uid.to_wire(), ..Default::default() };
        let mut out = Vec::new();
        ws::write_message(&mut out, ws::MessageKind::Binary, &frame::encode(&message), None, || None);
        assert_eq!(out, acknowledgement(&uid));
        assert_eq!(message.encode_to_vec(), poll_acknowledgement(&uid));
    }

    proptest! {
        /// OpAMP S081: what is peeked is what would have been decoded.
        #[test]
        fn given_heartbeats_when_peeked_then_they_read_as_decoded(number: u64, capabilities: u64) {
            let message = beat(number, capabilities);
            let expected = Heartbeat {
                uid: InstanceUid::from_bytes(&UID).unwrap(),
                sequence_num: number,
                capabilities,
            };
            prop_assert_eq!(heartbeat(&frame::encode(&message)), Some(expected));
            prop_assert_eq!(poll(&message.encode_to_vec()), Some(expected));
        }

        #[test]
        fn given_mutated_heartbeats_when_peeked_then_nothing_is_read_that_decoding_would_not_give(
            number: u64,
            changes in proptest::collection::vec((1usize..40, any::<u8>()), 0..4),
            cut in 0usize..40,
        ) {
            let mut bytes = frame::encode(&beat(number, 3)).to_vec();
            for (at, byte) in changes {
                if let Some(slot) = bytes.get_mut(at) { *slot = byte; }
            }
            bytes.truncate(bytes.len().saturating_sub(cut % 7 * (cut / 30)).max(1));
            if let Some(peeked) = heartbeat(&bytes) {
                let decoded = frame::decode::<AgentToServer>(&bytes).unwrap();
                prop_assert_eq!(&decoded.instance_uid[..], &peeked.uid.as_bytes()[..]);
                prop_assert_eq!(decoded.sequence_num, peeked.sequence_num);
                prop_assert_eq!(decoded.capabilities, peeked.capabilities);
            }
        }
    }
}

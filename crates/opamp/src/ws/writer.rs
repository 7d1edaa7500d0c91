//! Writing frames into a buffer.

use super::header::{self, MAX_HEADER_BYTES, Opcode};
use super::{Close, MAX_CONTROL_BYTES, MessageKind, mask};

/// Appends a message to `out`. With `max_frame_bytes` it is split so that no frame, header included, has more
/// bytes than that (OpAMP S031); a frame carries at least one byte of payload however small the limit.
/// `mask` is called once a frame: a client gives four fresh random bytes, a server `None`.
pub fn write_message(
    out: &mut Vec<u8>,
    kind: MessageKind,
    payload: &[u8],
    max_frame_bytes: Option<usize>,
    mut mask: impl FnMut() -> Option<[u8; 4]>,
) {
    let most = max_frame_bytes.map_or(usize::MAX, |bytes| bytes.saturating_sub(MAX_HEADER_BYTES).max(1));
    out.reserve(payload.len() + MAX_HEADER_BYTES);
    let mut opcode = Opcode::Message(kind);
    let mut rest = payload;
    loop {
        let (part, after) = rest.split_at(rest.len().min(most));
        write_frame(out, after.is_empty(), opcode, part, mask());
        if after.is_empty() {
            return;
        }
        opcode = Opcode::Continuation;
        rest = after;
    }
}

/// Appends a ping to `out`; a payload is cut at [`MAX_CONTROL_BYTES`].
pub fn write_ping(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>) {
    write_frame(out, true, Opcode::Ping, cut(payload), mask);
}

/// Appends a pong to `out`; its payload is the ping's, cut at [`MAX_CONTROL_BYTES`].
pub fn write_pong(out: &mut Vec<u8>, payload: &[u8], mask: Option<[u8; 4]>) {
    write_frame(out, true, Opcode::Pong, cut(payload), mask);
}

/// Appends a close to `out`; `None` is a close without a code. A reason above 123 bytes is cut. The answer to
/// a peer's close is its own value again.
pub fn write_close(out: &mut Vec<u8>, close: Option<&Close>, mask: Option<[u8; 4]>) {
    let mut payload = [0; MAX_CONTROL_BYTES];
    let mut used = 0;
    if let Some(close) = close {
        let parts = close.code.to_be_bytes().into_iter().chain(close.fitting_reason().bytes());
        for (slot, byte) in payload.iter_mut().zip(parts) {
            *slot = byte;
            used += 1;
        }
    }
    write_frame(out, true, Opcode::Close, payload.get(..used).unwrap_or_default(), mask);
}

fn cut(payload: &[u8]) -> &[u8] {
    payload.get(..MAX_CONTROL_BYTES).unwrap_or(payload)
}

fn write_frame(out: &mut Vec<u8>, fin: bool, opcode: Opcode, payload: &[u8], mask: Option<[u8; 4]>) {
    header::write(out, fin, opcode, payload.len(), mask);
    let start = out.len();
    out.extend_from_slice(payload);
    if let (Some(key), Some(written)) = (mask, out.get_mut(start..)) {
        mask::apply(written, key, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_examples_of_the_rfc_when_written_then_the_bytes_are_the_rfcs() {
        let mut out = Vec::new();
        write_message(&mut out, MessageKind::Text, b"Hello", None, || None);
        assert_eq!(out, [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        out.clear();
        write_message(&mut out, MessageKind::Text, b"Hello", None, || Some([0x37, 0xfa, 0x21, 0x3d]));
        assert_eq!(out, [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58]);
        out.clear();
        write_message(&mut out, MessageKind::Text, b"Hello", Some(17), || None);
        assert_eq!(out, [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f]);
        out.clear();
        write_ping(&mut out, b"Hello", None);
        assert_eq!(out, [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]);
        out.clear();
        write_close(&mut out, Some(&Close::new(1001, "bye")), None);
        assert_eq!(out, [0x88, 0x05, 0x03, 0xe9, b'b', b'y', b'e']);
        out.clear();
        write_close(&mut out, None, Some([1, 2, 3, 4]));
        assert_eq!(out, [0x88, 0x80, 1, 2, 3, 4]);
    }

    #[test]
    fn given_a_frame_limit_when_a_message_is_written_then_no_frame_exceeds_it() {
        for limit in [0, 15, 16, 100, 32_767] {
            let payload = vec![7; 70_000];
            let (mut out, mut frames, mut asked) = (Vec::new(), 0, 0);
            write_message(&mut out, MessageKind::Binary, &payload, Some(limit), || {
                asked += 1;
                Some([1, 2, 3, 4])
            });
            let mut rest = out.as_slice();
            while !rest.is_empty() {
                let (header, used) = header::parse(rest, super::super::Role::Server).unwrap().unwrap();
                let frame = used + usize::try_from(header.length).unwrap();
                assert!(frame <= limit.max(15), "a frame of {frame} bytes, limit {limit}");
                rest = &rest[frame..];
                frames += 1;
            }
            assert_eq!(frames, asked, "one mask a frame");
        }
    }

    #[test]
    fn given_a_control_payload_too_long_when_written_then_it_is_cut() {
        let mut out = Vec::new();
        write_pong(&mut out, &[1; 200], None);
        assert_eq!((out[1], out.len()), (125, 127));
    }
}

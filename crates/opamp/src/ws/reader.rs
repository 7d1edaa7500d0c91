//! Reading frames: events out of bytes, however they are split.

use super::event::{Event, Found, Payload};
use super::header::{self, Header, MAX_HEADER_BYTES, Opcode};
use super::{MessageKind, Role, Violation, mask};

/// Reads one connection's frames. It holds no memory but for a frame or a message that has begun to arrive,
/// and never more of that than twice what has arrived.
#[derive(Debug)]
pub struct Reader {
    role: Role,
    max_message_bytes: usize,
    /// The beginning of a header that came in pieces.
    header: [u8; MAX_HEADER_BYTES],
    header_used: u8,
    held: Option<Box<Held>>,
}

const _: () = assert!(size_of::<Reader>() <= 64, "a reader is held for every idle connection");

/// What has arrived of a message or a control frame that is not complete.
#[derive(Debug, Default)]
struct Held {
    frame: Option<OpenFrame>,
    message: Option<(MessageKind, Vec<u8>)>,
    control: Vec<u8>,
}

/// A frame whose header was read and whose payload is still arriving.
#[derive(Debug)]
struct OpenFrame {
    header: Header,
    arrived: usize,
    missing: usize,
}

impl Reader {
    /// A reader for a new connection. `role` is this side's; a message, all its fragments together, may have
    /// `max_message_bytes` of payload (OpAMP S021).
    #[must_use]
    pub fn new(role: Role, max_message_bytes: usize) -> Self {
        Self { role, max_message_bytes, header: [0; MAX_HEADER_BYTES], header_used: 0, held: None }
    }

    /// Takes bytes off the front of `input`, unmasking them in place, until one event is complete or the
    /// input is used up. Gives the number of bytes taken and the event; call again with the rest while there
    /// is one.
    ///
    /// # Errors
    /// A [`Violation`] by the peer. The reader drops what it held; the connection is to be closed, and what
    /// further calls would give has no meaning.
    pub fn read<'a>(&mut self, input: &'a mut [u8]) -> Result<(usize, Option<Event<'a>>), Violation> {
        match self.advance(input).and_then(|(used, found)| {
            let event = found.map(|found| found.into_event(input)).transpose()?;
            Ok((used, event))
        }) {
            Ok(outcome) => Ok(outcome),
            Err(violation) => {
                self.header_used = 0;
                self.held = None;
                Err(violation)
            }
        }
    }

    /// True when no part of a frame or message is held: the connection may be closed without losing anything.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.header_used == 0 && self.held.is_none()
    }

    /// Bytes that are reserved for what has arrived of a frame or message; at most twice as many have arrived.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        self.held.as_ref().map_or(0, |held| {
            let message = held.message.as_ref().map_or(0, |(_, bytes)| bytes.capacity());
            size_of::<Held>() + message + held.control.capacity()
        })
    }

    fn advance(&mut self, input: &mut [u8]) -> Result<(usize, Option<Found>), Violation> {
        let mut used = 0;
        loop {
            if self.held.as_ref().is_none_or(|held| held.frame.is_none()) {
                let rest = input.get(used..).unwrap_or_default();
                let Some((header, taken)) = self.next_header(rest)? else { return Ok((input.len(), None)) };
                used += taken;
                let length = self.admit(&header)?;
                if let Some(found) = self.find_in_place(&header, length, used, input) {
                    return Ok((used + length, Some(found)));
                }
                self.open(header, length);
            }
            let rest = input.get_mut(used..).unwrap_or_default();
            let (taken, complete) = self.fill(rest);
            used += taken;
            match complete {
                Progress::Missing => return Ok((used, None)),
                Progress::Fragment => {}
                Progress::Complete(found) => return Ok((used, Some(found))),
            }
        }
    }

    /// Reads a header from what was kept of it and `rest`; keeps what is there when that is not all of it.
    fn next_header(&mut self, rest: &[u8]) -> Result<Option<(Header, usize)>, Violation> {
        let kept = usize::from(self.header_used);
        if kept == 0
            && let Some(complete) = header::parse(rest, self.role)?
        {
            return Ok(Some(complete));
        }
        // The spare bytes are more than any header lacks, so what is not consumed here stays in the input.
        let spare = self.header.get_mut(kept..).unwrap_or_default();
        let copied = spare.len().min(rest.len());
        for (slot, byte) in spare.iter_mut().zip(rest) {
            *slot = *byte;
        }
        let together = self.header.get(..kept + copied).unwrap_or_default();
        if let Some((header, length)) = header::parse(together, self.role)? {
            self.header_used = 0;
            return Ok(Some((header, length - kept)));
        }
        self.header_used = u8::try_from(kept + copied).unwrap_or(0);
        Ok(None)
    }

    /// Judges a frame by its header and what came before: its place in a message, and the size it would give
    /// that message. Runs before anything is reserved. Gives the payload's length.
    fn admit(&self, header: &Header) -> Result<usize, Violation> {
        let begun = self.held.as_ref().and_then(|held| held.message.as_ref());
        let so_far = match (header.opcode, begun) {
            (Opcode::Continuation, None) => return Err(Violation::UnexpectedContinuation),
            (Opcode::Message(_), Some(_)) => return Err(Violation::InterruptedMessage),
            (Opcode::Continuation, Some((_, bytes))) => bytes.len(),
            (Opcode::Message(_), None) => 0,
            // At most 125 bytes, and no part of a message.
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) => {
                return Ok(usize::try_from(header.length).unwrap_or(0));
            }
        };
        let room = self.max_message_bytes.saturating_sub(so_far);
        match usize::try_from(header.length) {
            Ok(length) if length <= room => Ok(length),
            _ => Err(Violation::TooBig {
                bytes: header.length.saturating_add(so_far as u64),
                limit: self.max_message_bytes,
            }),
        }
    }

    /// The fast path: an unfragmented message or a control frame that lies in the input whole.
    fn find_in_place(&self, header: &Header, length: usize, at: usize, input: &mut [u8]) -> Option<Found> {
        let alone = header.fin && header.opcode != Opcode::Continuation;
        let range = at..at.checked_add(length)?;
        let payload = if alone { input.get_mut(range.clone())? } else { return None };
        mask::apply(payload, header.mask, 0);
        Some(Found { opcode: header.opcode, payload: Payload::At(range) })
    }

    fn open(&mut self, header: Header, length: usize) {
        let held = self.held.get_or_insert_default();
        if let Opcode::Message(kind) = header.opcode {
            held.message = Some((kind, Vec::new()));
        }
        held.frame = Some(OpenFrame { header, arrived: 0, missing: length });
    }

    /// Moves payload from `rest` into the open frame. Gives how many bytes were taken.
    fn fill(&mut self, rest: &mut [u8]) -> (usize, Progress) {
        let Some(held) = self.held.as_mut() else { return (0, Progress::Missing) };
        let Some(frame) = held.frame.as_mut() else { return (0, Progress::Missing) };
        let taken = frame.missing.min(rest.len());
        let part = rest.get_mut(..taken).unwrap_or_default();
        mask::apply(part, frame.header.mask, frame.arrived);
        let target = match (frame.header.opcode, held.message.as_mut()) {
            (Opcode::Continuation | Opcode::Message(_), Some((_, bytes))) => bytes,
            _ => &mut held.control,
        };
        append(target, part, frame);
        frame.arrived += taken;
        frame.missing -= taken;
        if frame.missing > 0 {
            return (taken, Progress::Missing);
        }
        let header = frame.header;
        held.frame = None;
        (taken, self.finish(&header))
    }

    /// Ends a frame whose payload is complete.
    fn finish(&mut self, header: &Header) -> Progress {
        let Some(held) = self.held.as_mut() else { return Progress::Missing };
        let found = match header.opcode {
            Opcode::Continuation | Opcode::Message(_) if !header.fin => return Progress::Fragment,
            Opcode::Continuation | Opcode::Message(_) => {
                let Some((kind, bytes)) = held.message.take() else { return Progress::Missing };
                Found { opcode: Opcode::Message(kind), payload: Payload::Owned(bytes) }
            }
            opcode => Found { opcode, payload: Payload::Owned(std::mem::take(&mut held.control)) },
        };
        if held.message.is_none() {
            self.held = None;
        }
        Progress::Complete(found)
    }
}

/// How far the open frame has come.
enum Progress {
    /// Its payload has not all arrived; the input is used up.
    Missing,
    /// It is complete, its message is not.
    Fragment,
    /// It is complete, and so is what it belongs to.
    Complete(Found),
}

/// Appends a part of a frame, doubling the room as needed: never ahead of what has arrived by more than that,
/// and in a message's last frame never beyond the message's end.
fn append(target: &mut Vec<u8>, part: &[u8], frame: &OpenFrame) {
    if target.capacity() - target.len() < part.len() {
        if frame.header.fin {
            target.reserve_exact(target.len().max(part.len()).min(frame.missing));
        } else {
            target.reserve(part.len());
        }
    }
    target.extend_from_slice(part);
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    fn next<'a>(reader: &mut Reader, input: &'a mut [u8]) -> (usize, Event<'a>) {
        let (used, event) = reader.read(input).unwrap();
        (used, event.unwrap())
    }

    #[test]
    fn given_a_whole_message_when_read_then_it_is_borrowed_and_unmasked() {
        let mut reader = Reader::new(Role::Server, 5);
        let mut input = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58, 0x89];
        let (used, event) = next(&mut reader, &mut input);
        assert_eq!(used, 11);
        let Event::Message { kind: MessageKind::Text, payload: Cow::Borrowed(b"Hello") } = event else {
            panic!("{event:?}");
        };
        assert!(reader.is_idle());
    }

    #[test]
    fn given_a_large_frame_when_it_trickles_in_then_no_more_is_reserved_than_twice_what_came() {
        let mut reader = Reader::new(Role::Client, 10_000_000);
        let mut header = [0x82, 127, 0, 0, 0, 0, 0, 0x98, 0x96, 0x80];
        assert_eq!(reader.read(&mut header).unwrap().1, None);
        let mut arrived = 0;
        while arrived < 1_000_000 {
            let mut part = [7; 10_000];
            assert_eq!(reader.read(&mut part).unwrap().1, None);
            arrived += part.len();
            let held = reader.held_bytes();
            assert!(held >= arrived && held <= 2 * arrived + 200, "{held} for {arrived}");
        }
        assert!(!reader.is_idle());
    }

    #[test]
    fn given_a_ping_between_fragments_when_read_then_both_arrive_and_nothing_is_held() {
        let mut reader = Reader::new(Role::Client, 5);
        let mut input = vec![0x01, 3, b'H', b'e', b'l', 0x89, 1, b'!', 0x00, 0, 0x80, 2, b'l', b'o'];
        let (used, event) = next(&mut reader, &mut input);
        assert_eq!((used, event), (8, Event::Ping(Cow::Borrowed(b"!"))));
        assert!(!reader.is_idle());
        let (rest, event) = next(&mut reader, &mut input[used..]);
        assert_eq!(rest, 6);
        assert_eq!(event, Event::Message { kind: MessageKind::Text, payload: Cow::Borrowed(b"Hello") });
        assert!(reader.is_idle());
    }

    #[test]
    fn given_fragments_when_their_sum_exceeds_the_limit_then_the_header_is_enough_to_refuse() {
        let mut reader = Reader::new(Role::Client, 5);
        let mut input = [0x02, 3, 1, 2, 3, 0x80, 3];
        assert_eq!(reader.read(&mut input), Err(Violation::TooBig { bytes: 6, limit: 5 }));
        assert!(reader.is_idle());
        let mut huge = [0x82, 127, 0x7F, 255, 255, 255, 255, 255, 255, 255];
        let violation = reader.read(&mut huge).unwrap_err();
        assert_eq!(violation.close_code(), 1009);
    }

    #[test]
    fn given_a_large_declared_length_when_little_arrives_then_little_is_reserved() {
        let mut reader = Reader::new(Role::Client, 1 << 40);
        let mut input = [0x82, 127, 0, 0, 0, 64, 0, 0, 0, 0, 1, 2, 3];
        assert_eq!(reader.read(&mut input), Ok((13, None)));
        let held = reader.held.as_ref().unwrap().message.as_ref().unwrap();
        assert!(held.1.capacity() <= 64, "{} bytes reserved for 3", held.1.capacity());
    }

    #[test]
    fn given_a_message_in_pieces_when_complete_then_its_room_is_no_larger_than_it() {
        let mut reader = Reader::new(Role::Client, 1 << 20);
        let mut input = vec![7; 70_010];
        input[..10].copy_from_slice(&[0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        let mut done = None;
        for piece in input.chunks_mut(1_000) {
            let length = piece.len();
            let (used, event) = reader.read(piece).unwrap();
            assert_eq!(used, length);
            done = event.map(|event| match event {
                Event::Message { payload: Cow::Owned(bytes), .. } => (bytes.len(), bytes.capacity()),
                other => panic!("{other:?}"),
            });
        }
        assert_eq!(done, Some((70_000, 70_000)));
        assert!(reader.is_idle());
    }

    #[test]
    fn given_frames_out_of_order_when_read_then_each_is_a_violation() {
        let cases: &[(&[u8], Violation)] = &[
            (&[0x80, 0], Violation::UnexpectedContinuation),
            (&[0x02, 0, 0x82, 0], Violation::InterruptedMessage),
            (&[0x81, 1, 0xFF], Violation::Text),
            (&[0x88, 1, 3], Violation::TruncatedCloseCode),
        ];
        for (bytes, expected) in cases {
            let mut reader = Reader::new(Role::Client, 100);
            assert_eq!(reader.read(&mut bytes.to_vec()).as_ref(), Err(expected));
        }
    }
}

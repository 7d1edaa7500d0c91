//! The header of a frame: 2 to 14 bytes.

use super::{MAX_CONTROL_BYTES, MessageKind, Role, Violation};

/// Longest header: two bytes, eight of length, four of mask.
pub(super) const MAX_HEADER_BYTES: usize = 14;

const FIN: u8 = 0x80;
const RESERVED: u8 = 0x70;
const OPCODE: u8 = 0x0F;
const MASKED: u8 = 0x80;
const SHORT_LENGTH: u8 = 0x7F;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opcode {
    Continuation,
    Message(MessageKind),
    Close,
    Ping,
    Pong,
}

impl Opcode {
    fn from_bits(bits: u8) -> Option<Self> {
        Some(match bits {
            0x0 => Self::Continuation,
            0x1 => Self::Message(MessageKind::Text),
            0x2 => Self::Message(MessageKind::Binary),
            0x8 => Self::Close,
            0x9 => Self::Ping,
            0xA => Self::Pong,
            _ => return None,
        })
    }

    fn bits(self) -> u8 {
        match self {
            Self::Continuation => 0x0,
            Self::Message(MessageKind::Text) => 0x1,
            Self::Message(MessageKind::Binary) => 0x2,
            Self::Close => 0x8,
            Self::Ping => 0x9,
            Self::Pong => 0xA,
        }
    }

    fn is_control(self) -> bool {
        matches!(self, Self::Close | Self::Ping | Self::Pong)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) fin: bool,
    pub(super) opcode: Opcode,
    /// All zero where the frame has no mask: unmasking is then the identity.
    pub(super) mask: [u8; 4],
    pub(super) length: u64,
}

/// Reads a header off the front of `bytes`: the header and its own length, or `None` while bytes are missing.
/// A byte is judged as soon as it is there, in order, so that the verdict does not depend on how the bytes
/// were split.
pub(super) fn parse(bytes: &[u8], role: Role) -> Result<Option<(Header, usize)>, Violation> {
    let Some((&first, after)) = bytes.split_first() else { return Ok(None) };
    if first & RESERVED != 0 {
        return Err(Violation::ReservedBits);
    }
    let opcode = Opcode::from_bits(first & OPCODE).ok_or(Violation::UnknownOpcode(first & OPCODE))?;
    let fin = first & FIN != 0;
    if opcode.is_control() && !fin {
        return Err(Violation::FragmentedControl);
    }

    let Some((&second, after)) = after.split_first() else { return Ok(None) };
    match (role, second & MASKED != 0) {
        (Role::Server, false) => return Err(Violation::Unmasked),
        (Role::Client, true) => return Err(Violation::Masked),
        (Role::Server, true) | (Role::Client, false) => {}
    }
    let short = second & SHORT_LENGTH;
    if opcode.is_control() && usize::from(short) > MAX_CONTROL_BYTES {
        return Err(Violation::OversizedControl);
    }

    let Some((length, after)) = parse_length(short, after)? else { return Ok(None) };
    let (mask, after) = match role {
        Role::Client => ([0; 4], after),
        Role::Server => match after.split_first_chunk::<4>() {
            Some((mask, after)) => (*mask, after),
            None => return Ok(None),
        },
    };
    Ok(Some((Header { fin, opcode, mask, length }, bytes.len() - after.len())))
}

/// RFC 6455 5.2: the fewest bytes must be used, and the highest bit of eight must be 0.
fn parse_length(short: u8, after: &[u8]) -> Result<Option<(u64, &[u8])>, Violation> {
    let (length, least, after) = match short {
        126 => match after.split_first_chunk::<2>() {
            Some((length, after)) => (u64::from(u16::from_be_bytes(*length)), 126, after),
            None => return Ok(None),
        },
        127 => match after.split_first_chunk::<8>() {
            Some((length, after)) => (u64::from_be_bytes(*length), 0x1_0000, after),
            None => return Ok(None),
        },
        short => (u64::from(short), 0, after),
    };
    if length >> 63 != 0 {
        return Err(Violation::LengthOverflow(length));
    }
    if length < least {
        return Err(Violation::NonMinimalLength(length));
    }
    Ok(Some((length, after)))
}

/// Writes a header for a payload of `length` bytes.
pub(super) fn write(out: &mut Vec<u8>, fin: bool, opcode: Opcode, length: usize, mask: Option<[u8; 4]>) {
    let masked = if mask.is_some() { MASKED } else { 0 };
    out.push(opcode.bits() | if fin { FIN } else { 0 });
    if let Ok(short) = u8::try_from(length)
        && short < 126
    {
        out.push(masked | short);
    } else if let Ok(medium) = u16::try_from(length) {
        out.push(masked | 126);
        out.extend_from_slice(&medium.to_be_bytes());
    } else {
        out.push(masked | 127);
        out.extend_from_slice(&(length as u64).to_be_bytes());
    }
    out.extend_from_slice(mask.as_ref().map_or(&[], |mask| mask.as_slice()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_lengths_at_the_borders_when_written_then_they_are_read_back() {
        for length in [0, 1, 125, 126, 127, 65_535, 65_536, 1 << 33] {
            for (role, mask) in [(Role::Client, None), (Role::Server, Some([1, 2, 3, 4]))] {
                let mut out = Vec::new();
                write(&mut out, true, Opcode::Message(MessageKind::Binary), length, mask);
                let (header, used) = parse(&out, role).unwrap().unwrap();
                assert_eq!((header.length, used), (length as u64, out.len()));
                assert_eq!(header.mask, mask.unwrap_or_default());
                for cut in 0..out.len() {
                    assert_eq!(parse(&out[..cut], role), Ok(None), "{length} cut at {cut}");
                }
            }
        }
    }

    #[test]
    fn given_broken_headers_when_parsed_then_the_violation_is_named() {
        use Violation::*;
        let cases: &[(&[u8], Violation)] = &[
            (&[0xC2], ReservedBits),
            (&[0xA2], ReservedBits),
            (&[0x92], ReservedBits),
            (&[0x83], UnknownOpcode(3)),
            (&[0x8B], UnknownOpcode(11)),
            (&[0x8F], UnknownOpcode(15)),
            (&[0x09], FragmentedControl),
            (&[0x08], FragmentedControl),
            (&[0x82, 0x80], Masked),
            (&[0x89, 126], OversizedControl),
            (&[0x88, 127], OversizedControl),
            (&[0x82, 126, 0, 125], NonMinimalLength(125)),
            (&[0x82, 127, 0, 0, 0, 0, 0, 0, 255, 255], NonMinimalLength(65_535)),
            (&[0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], LengthOverflow(1 << 63)),
        ];
        for (bytes, expected) in cases {
            assert_eq!(parse(bytes, Role::Client).as_ref(), Err(expected), "{bytes:x?}");
            assert_eq!(expected.close_code(), 1002);
        }
        assert_eq!(parse(&[0x82, 0x00], Role::Server), Err(Unmasked));
    }
}

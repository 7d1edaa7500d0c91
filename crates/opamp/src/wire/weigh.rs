//! What a message will cost once it is decoded, told before anything is reserved.
//!
//! Two bytes on the wire are enough for an element of a list that takes a hundred in memory, so the size of a message
//! does not bound what decoding it takes.

/// Most elements that one message may have: of all its lists and maps, at every level, together. The largest report
/// that a server keeps has a quarter of that.
pub const MAX_ELEMENTS: usize = 100_000;

/// How deep messages may stand in each other; the decoder has the same limit.
const MAX_DEPTH: usize = 100;

/// What an element of a map costs beside its key and its value.
const MAP_ENTRY: usize = 32;

/// What a piece of memory costs beside what is kept in it.
const ALLOCATION: usize = 16;

/// Why a message is not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooHeavy {
    /// More elements than [`MAX_ELEMENTS`].
    #[error("the message has more than {MAX_ELEMENTS} elements in its lists and maps")]
    Elements,
    /// Deeper than the decoder goes.
    #[error("messages stand more than {MAX_DEPTH} deep in each other")]
    Deep,
}

/// A message that knows which of its fields hold others. `message!` implements it.
pub trait Weigh {
    /// Counts the bytes of a length-delimited field.
    ///
    /// # Errors
    /// [`TooHeavy`] when the message passes a bound with it.
    fn weigh_field(number: u32, payload: &[u8], scale: &mut Scale) -> Result<(), TooHeavy>;
}

/// What was counted so far.
#[derive(Debug, Default)]
pub struct Scale {
    elements: usize,
    bytes: usize,
    depth: usize,
}

/// Estimates, from above, how many bytes an encoded message takes once it is decoded. What cannot be decoded is counted
/// up to where decoding ends.
///
/// # Errors
/// [`TooHeavy`] when it has too many elements or too many levels.
pub fn weigh<M: Weigh>(message: &[u8]) -> Result<usize, TooHeavy> {
    let mut scale = Scale { bytes: size_of::<M>(), ..Scale::default() };
    scale.message::<M>(message)?;
    Ok(scale.bytes)
}

impl Scale {
    /// Counts text or bytes.
    pub(crate) fn text(&mut self, payload: &[u8]) {
        self.bytes += ALLOCATION + payload.len();
    }

    /// Counts an element of a list of text.
    pub(crate) fn listed_text(&mut self, payload: &[u8]) -> Result<(), TooHeavy> {
        self.element(size_of::<String>())?;
        self.text(payload);
        Ok(())
    }

    /// Counts an element of a list of messages.
    pub(crate) fn listed<M: Weigh>(&mut self, payload: &[u8]) -> Result<(), TooHeavy> {
        self.element(size_of::<M>())?;
        self.message::<M>(payload)
    }

    /// Counts an entry of a map from text to text.
    pub(crate) fn text_entry(&mut self, payload: &[u8]) -> Result<(), TooHeavy> {
        self.element(2 * size_of::<String>() + MAP_ENTRY)?;
        self.text(payload);
        Ok(())
    }

    /// Counts an entry of a map from text to messages.
    pub(crate) fn entry<M: Weigh>(&mut self, payload: &[u8]) -> Result<(), TooHeavy> {
        self.element(size_of::<String>() + size_of::<M>() + MAP_ENTRY)?;
        self.fields(payload, |scale, number, payload| match number {
            2 => scale.message::<M>(payload),
            _ => {
                scale.text(payload);
                Ok(())
            }
        })
    }

    /// Counts the fields of a message.
    pub(crate) fn message<M: Weigh>(&mut self, payload: &[u8]) -> Result<(), TooHeavy> {
        self.fields(payload, |scale, number, payload| M::weigh_field(number, payload, scale))
    }

    /// An element of a list may stand in twice the room that it takes.
    fn element(&mut self, size: usize) -> Result<(), TooHeavy> {
        self.elements += 1;
        self.bytes += 2 * size;
        if self.elements > MAX_ELEMENTS { Err(TooHeavy::Elements) } else { Ok(()) }
    }

    fn fields(
        &mut self,
        mut rest: &[u8],
        mut visit: impl FnMut(&mut Self, u32, &[u8]) -> Result<(), TooHeavy>,
    ) -> Result<(), TooHeavy> {
        if self.depth >= MAX_DEPTH {
            return Err(TooHeavy::Deep);
        }
        self.depth += 1;
        while let Some((key, after)) = varint(rest) {
            let skipped = match key & 7 {
                0 => varint(after).map(|(_, after)| after),
                1 => after.get(8..),
                5 => after.get(4..),
                2 => {
                    let Some((payload, after)) = delimited(after) else { break };
                    visit(self, u32::try_from(key >> 3).unwrap_or(u32::MAX), payload)?;
                    Some(after)
                }
                // What stands in a group is counted as if it did not.
                3 | 4 => Some(after),
                _ => None,
            };
            let Some(after) = skipped else { break };
            if key & 7 != 2 {
                // Where the field is not known it is kept as it came.
                self.bytes += rest.len() - after.len();
            }
            rest = after;
        }
        self.depth -= 1;
        Ok(())
    }
}

fn delimited(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = varint(bytes)?;
    rest.split_at_checked(usize::try_from(length).ok()?)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0u64;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7F).checked_shl(7 * u32::try_from(index).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}

macro_rules! field_weigh {
    ($payload:expr, $scale:expr, option $arg:ident) => {
        $scale.message::<$arg>($payload)
    };
    ($payload:expr, $scale:expr, repeated $arg:ident) => {
        $scale.listed::<$arg>($payload)
    };
    ($payload:expr, $scale:expr, map $arg:ident) => {
        $scale.entry::<$arg>($payload)
    };
    ($payload:expr, $scale:expr, strings) => {
        $scale.listed_text($payload)
    };
    ($payload:expr, $scale:expr, string_map) => {
        $scale.text_entry($payload)
    };
    ($payload:expr, $scale:expr, $kind:ident $( $arg:ident )?) => {{
        $scale.text($payload);
        Ok(())
    }};
}

pub(crate) use field_weigh;

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::{AgentDescription, AgentToServer, ComponentHealth, KeyValue};

    /// A field of number and wire type 2.
    fn field(number: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![number << 3 | 2];
        prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
        bytes.extend(payload);
        bytes
    }

    fn attributes(count: usize) -> Vec<u8> {
        field(3, &field(1, &[]).repeat(count))
    }

    #[test]
    fn given_elements_of_two_bytes_when_weighed_then_their_memory_counts_and_their_number_is_bounded() {
        let weight = weigh::<AgentToServer>(&attributes(MAX_ELEMENTS)).unwrap();
        assert!(weight >= MAX_ELEMENTS * size_of::<KeyValue>(), "{weight}");
        assert_eq!(weigh::<AgentToServer>(&attributes(MAX_ELEMENTS + 1)), Err(TooHeavy::Elements));
        // Their number counts over all fields and levels, and behind a group that is opened or closed.
        let half = attributes(MAX_ELEMENTS / 2 + 1);
        for between in [&[][..], &[0x1B], &[0x1C], &[0x10, 1]] {
            let both = [&half[..], between, &half].concat();
            assert_eq!(weigh::<AgentToServer>(&both), Err(TooHeavy::Elements), "{between:?}");
        }
    }

    #[test]
    fn given_trees_when_weighed_then_they_are_as_deep_as_the_decoder_goes() {
        // A component in a map's entry in a component: two levels each.
        let tree = |depth| (0..depth).fold(Vec::new(), |inner, _| field(6, &field(2, &inner)));
        for depth in [0, 10, 49, 60, 1_000] {
            let health = tree(depth);
            let decodes = ComponentHealth::decode(&health[..]).is_ok();
            let light = weigh::<ComponentHealth>(&health).is_ok();
            assert!(light || !decodes, "{depth}: refused, yet it would decode");
        }
        assert_eq!(weigh::<ComponentHealth>(&tree(1_000)), Err(TooHeavy::Deep));
    }

    #[test]
    fn given_a_plausible_report_when_weighed_then_it_costs_a_small_multiple_of_its_bytes() {
        let pair = |index| KeyValue::text(format!("attribute.{index}"), "a value of some length");
        let report = AgentToServer {
            agent_description: Some(AgentDescription {
                identifying_attributes: (0..20).map(pair).collect(),
                ..AgentDescription::default()
            }),
            ..AgentToServer::default()
        }
        .encode_to_vec();
        let weight = weigh::<AgentToServer>(&report).unwrap();
        assert!(weight > report.len() && weight < 10 * report.len(), "{weight} for {}", report.len());
    }
}

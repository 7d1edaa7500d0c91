//! Heartbeats on a socket, answered where they are read (decision D4): from the bytes in the worker's buffer to the
//! bytes of the answer without a decoded message, a task or an allocation between them.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidegate_opamp::InstanceUid;
use tidegate_opamp::peek;
use tidegate_opamp::ws::{self, Event, MessageKind};

use super::Guard;
use super::hear::{Heard, hear};
use super::socket::Speaker;
use crate::state::{Connection, Core};

/// Answers to heartbeats, as frames; the one that a read usually brings costs no allocation.
#[derive(Debug, Default)]
pub(super) struct Acks {
    first: [u8; peek::ACKNOWLEDGEMENT_BYTES],
    more: Vec<u8>,
    count: u32,
}

impl Acks {
    fn push(&mut self, uid: &InstanceUid) {
        let frame = peek::acknowledgement(uid);
        match self.count {
            0 => self.first = frame,
            1 => {
                self.more.extend_from_slice(&self.first);
                self.more.extend_from_slice(&frame);
            }
            _ => self.more.extend_from_slice(&frame),
        }
        self.count += 1;
    }

    /// How many there are.
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// The frames, one behind the other.
    pub(super) fn bytes(&self) -> &[u8] {
        match self.count {
            0 => &[],
            1 => &self.first,
            _ => &self.more,
        }
    }
}

/// What one read brought: heartbeats that are answered already, and what came from the first message on that is none.
pub(super) struct Brought {
    pub(super) acks: Acks,
    pub(super) heard: Vec<Heard>,
}

/// What a heartbeat is judged by.
pub(super) struct Listener<'a> {
    pub(super) core: &'a Core,
    pub(super) guard: &'a Guard,
    pub(super) connection: &'a Arc<Connection>,
    pub(super) agents: &'a mut BTreeMap<InstanceUid, Speaker>,
}

impl Listener<'_> {
    /// Takes the heartbeats at the head of what was read, as long as nothing else has begun to arrive.
    pub(super) fn take(&mut self, reader: &mut ws::Reader, mut input: &mut [u8]) -> Brought {
        let mut acks = Acks::default();
        while reader.is_idle() && !input.is_empty() {
            let (used, heard) = match reader.read(input) {
                Ok((used, Some(Event::Message { kind: MessageKind::Binary, payload }))) => {
                    match peek::heartbeat(&payload).filter(|beat| self.is_taken(beat)) {
                        Some(beat) => {
                            acks.push(&beat.uid);
                            (used, None)
                        }
                        None => (used, Some(Heard::of_binary(payload))),
                    }
                }
                Ok((used, event)) => (used, event.and_then(Heard::of)),
                Err(violation) => return Brought { acks, heard: vec![Heard::Violation(violation)] },
            };
            input = &mut input[used..];
            if let Some(heard) = heard {
                // What follows it is answered after it.
                let mut all = vec![heard];
                all.extend(hear(reader, input));
                return Brought { acks, heard: all };
            }
        }
        Brought { acks, heard: if input.is_empty() { Vec::new() } else { hear(reader, input) } }
    }

    fn is_taken(&mut self, beat: &peek::Heartbeat) -> bool {
        let Some(speaker) = self.agents.get_mut(&beat.uid) else { return false };
        let mut rate = speaker.rate;
        // An agent that sends too fast is told so in the way of all other messages.
        let taken = self.guard.throttle.take(&mut rate).is_ok()
            && self.core.take_heartbeat(beat, Some(self.connection));
        if taken {
            speaker.rate = rate;
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_answers_when_gathered_then_they_stand_one_behind_the_other() {
        let uid = |byte| InstanceUid::from_bytes(&[byte; 16]).unwrap();
        let mut acks = Acks::default();
        assert!(acks.bytes().is_empty());
        let mut expected = Vec::new();
        for byte in 1..4 {
            acks.push(&uid(byte));
            expected.extend(peek::acknowledgement(&uid(byte)));
            assert_eq!(acks.bytes(), expected);
            assert_eq!(acks.count(), u32::from(byte));
        }
    }
}

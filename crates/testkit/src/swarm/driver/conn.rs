//! A connection and the agents that speak on it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use tidegate_opamp::ws;

use super::super::agent::Agent;
use super::super::link::Link;
use super::super::outcome::Due;

/// How far a connection has come.
pub(super) enum Stage {
    /// There is none.
    Idle,
    /// TCP is under way.
    Connecting,
    /// The answer to the handshake arrives.
    Upgrading(Vec<u8>),
    /// A WebSocket.
    Socket(ws::Reader),
    /// Polls, one after the other.
    Polls(Polls),
}

/// The polls of one connection.
#[derive(Default)]
pub(super) struct Polls {
    /// The agent whose poll is not answered yet.
    pub(super) asking: Option<u32>,
    /// Requests that wait for their turn.
    pub(super) waiting: VecDeque<(u32, Vec<u8>)>,
    /// The part of the answer that has arrived.
    pub(super) answer: Vec<u8>,
}

/// What becomes of a connection that ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It comes back.
    Stay,
    /// Its agents have said farewell.
    Leave,
    /// It is gone.
    Gone,
}

pub(super) struct Conn {
    pub(super) link: Option<Link>,
    pub(super) stage: Stage,
    /// Tells events of an earlier socket of this place from the present one's.
    pub(super) generation: u32,
    /// Its first agent, and how many follow each other from there.
    pub(super) first: u32,
    pub(super) count: u32,
    /// Of them, those that have spoken.
    pub(super) introduced: u32,
    /// When it was dialled, in microseconds.
    pub(super) begun: u64,
    pub(super) fate: Fate,
    /// Attempts since the last success.
    pub(super) attempts: u32,
    /// Whether the poller looks for room to write.
    pub(super) watches_write: bool,
}

impl Conn {
    pub(super) const fn new(first: u32, count: u32) -> Self {
        Self {
            link: None,
            stage: Stage::Idle,
            generation: 0,
            first,
            count,
            introduced: 0,
            begun: 0,
            fate: Fate::Stay,
            attempts: 0,
            watches_write: false,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Socket(_) | Stage::Polls(_))
    }

    pub(super) const fn is_dialling(&self) -> bool {
        matches!(self.stage, Stage::Connecting | Stage::Upgrading(_))
    }

    pub(super) const fn agents(&self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }
}

/// An agent with what its connection knows of it.
pub(super) struct Peer {
    pub(super) agent: Agent,
    pub(super) conn: u32,
    /// Messages without an answer.
    pub(super) unanswered: u32,
    /// When the oldest of them was sent.
    pub(super) sent_at: u64,
    /// The server has answered on this connection.
    pub(super) answered: bool,
    /// It says nothing before.
    pub(super) hushed_until: u64,
    /// Its heartbeat; zero for none.
    pub(super) interval: Duration,
    /// Tells the present rhythm's timer from an earlier one's.
    pub(super) rhythm: u32,
}

/// Something that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Timer {
    /// Microseconds.
    pub(super) at: u64,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// An agent asked to be reminded.
    Due(u32, Due),
    /// An agent's heartbeat, in the rhythm of this number.
    Beat(u32, u32),
    /// An agent may speak again.
    Speak(u32),
    /// A connection is to be made again.
    Redial(u32),
    /// A handshake has taken too long.
    Deadline(u32, u32),
}

/// The token of a connection's present socket.
pub(super) const fn token(slot: u32, generation: u32) -> u64 {
    (generation as u64) << 32 | slot as u64
}

/// The source address of a connection: thousands of them have thousands of addresses in 127.0.0.0/8.
pub(super) fn source(target: IpAddr, slot: u32) -> Option<Ipv4Addr> {
    if !matches!(target, IpAddr::V4(address) if address.is_loopback()) {
        return None;
    }
    let (low, middle, high) = (slot % 254 + 1, slot / 254 % 254 + 1, slot / 64_516 % 250 + 1);
    Some(Ipv4Addr::from(0x7F00_0000 | high << 16 | middle << 8 | low))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn given_a_hundred_thousand_places_when_addressed_then_each_has_its_own_on_loopback_only() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let all: BTreeSet<_> = (0..100_000).filter_map(|slot| source(loopback, slot)).collect();
        assert_eq!(all.len(), 100_000);
        assert!(all.iter().all(Ipv4Addr::is_loopback));
        assert_eq!(source(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)), 1), None);
    }
}

//! Connections: made, refused, lost and made again.

use std::time::Duration;

use tidegate_opamp::ws;

use super::super::link::Link;
use super::super::poller::EventFlags;
use super::super::random::Random;
use super::super::wire;
use super::Swarm;
use super::conn::{Conn, Fate, Peer, Polls, Stage, What, source, token};

/// Most time from the first packet to the end of the handshake.
const DEADLINE: Duration = Duration::from_secs(20);

/// Longest pause between attempts.
const MAX_PAUSE: Duration = Duration::from_secs(30);

/// First reports of one connection that are under way at once.
const WINDOW: u32 = 8;

/// Largest message that is taken, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

impl Swarm {
    /// Adds a connection for these agents; it is dialled when its turn comes.
    pub(super) fn add(&mut self, conn: Conn, peers: Vec<Peer>) {
        let slot = u32::try_from(self.conns.len()).unwrap_or(u32::MAX);
        self.staying += u64::from(conn.count);
        self.peers.extend(peers);
        self.conns.push(conn);
        self.to_dial.push_back(slot);
    }

    pub(super) fn dial_waiting(&mut self) {
        while self.dialling < self.options.in_flight {
            let Some(slot) = self.to_dial.pop_front() else { return };
            self.dial(slot);
        }
    }

    fn dial(&mut self, slot: u32) {
        let now = self.now();
        let address = self.options.address;
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        if conn.fate != Fate::Stay || conn.link.is_some() {
            return;
        }
        conn.generation = conn.generation.wrapping_add(1);
        conn.begun = now;
        conn.attempts += 1;
        conn.watches_write = true;
        let dialled = Link::dial(address, source(address.ip(), slot), self.tls.as_ref()).and_then(|link| {
            self.poller.add(&link, token(slot, conn.generation), EventFlags::OUT)?;
            Ok(link)
        });
        match dialled {
            Ok(link) => {
                conn.link = Some(link);
                conn.stage = Stage::Connecting;
                let generation = conn.generation;
                self.dialling += 1;
                self.after(DEADLINE, What::Deadline(slot, generation));
            }
            Err(error) => {
                self.tally.counts.connects_failed += 1;
                self.end(slot, &format!("cannot connect: {error}"), None);
            }
        }
    }

    pub(super) fn deadline(&mut self, slot: u32, generation: u32) {
        let conn = self.conns.get(slot as usize);
        if conn.is_some_and(|conn| conn.generation == generation && conn.is_dialling()) {
            self.lost(slot, "the handshake took too long");
        }
    }

    /// TCP is there, or is not to be had.
    pub(super) fn connected(&mut self, slot: u32) {
        let Some(Conn { link: Some(link), generation, first, .. }) = self.conns.get_mut(slot as usize) else {
            return;
        };
        if let Err(error) = link.outcome() {
            return self.lost(slot, &format!("cannot connect: {error}"));
        }
        let (generation, first) = (*generation, *first);
        if matches!(self.options.scheme, super::Scheme::Http) {
            self.open(slot);
            return self.watch(slot);
        }
        let Some(peer) = self.peers.get(first as usize) else { return };
        let request = self.wire.upgrade(&key(slot, generation), &peer.agent.uid);
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        conn.stage = Stage::Upgrading(Vec::new());
        if let Some(Err(error)) = conn.link.as_mut().map(|link| link.write(&request)) {
            return self.lost(slot, &error.to_string());
        }
        self.watch(slot);
    }

    /// More of the answer to the handshake. Gives what came behind it, once it is whole.
    pub(super) fn upgrading(&mut self, slot: u32, mut sofar: Vec<u8>, more: &[u8]) -> Option<Vec<u8>> {
        sofar.extend_from_slice(more);
        let head = match wire::head(&sofar) {
            Ok(Some(head)) => head,
            Ok(None) => {
                self.conns.get_mut(slot as usize)?.stage = Stage::Upgrading(sofar);
                return None;
            }
            Err(why) => {
                self.lost(slot, &why);
                return None;
            }
        };
        let generation = self.conns.get(slot as usize)?.generation;
        if let Some(wait) = self.refusal(head.status, head.retry_after) {
            self.end(slot, &format!("refused with HTTP status {}", head.status), Some(wait));
            return None;
        }
        if let Err(why) = wire::upgraded(&head, &key(slot, generation)) {
            self.lost(slot, &why);
            return None;
        }
        self.open(slot);
        Some(sofar.split_off(head.length))
    }

    /// How long to wait after a status that asks for it; `None` for any other.
    pub(super) fn refusal(&mut self, status: u16, retry_after: Option<Duration>) -> Option<Duration> {
        if !matches!(status, 429 | 503) {
            return None;
        }
        self.tally.counts.rejected += 1;
        let wait = retry_after.unwrap_or(Duration::from_secs(5));
        // Later than told, never earlier, and not together.
        Some(self.random.between(wait, wait.mul_f64(1.5)))
    }

    fn open(&mut self, slot: u32) {
        let now = self.now();
        let polls = self.polls();
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        conn.stage = if polls {
            Stage::Polls(Polls::default())
        } else {
            Stage::Socket(ws::Reader::new(ws::Role::Client, MAX_MESSAGE_BYTES))
        };
        conn.attempts = 0;
        conn.introduced = 0;
        self.tally.counts.connects += 1;
        self.tally.connect.note(now - conn.begun);
        self.dialling -= 1;
        for _ in 0..WINDOW {
            self.introduce(slot);
        }
    }

    /// Lets the next agent of a connection speak for the first time.
    pub(super) fn introduce(&mut self, slot: u32) {
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|conn| conn.is_open()) else { return };
        if conn.introduced < conn.count {
            let agent = conn.first + conn.introduced;
            conn.introduced += 1;
            self.greet(agent);
        }
    }

    /// A connection has ended by the other side, or could not be made.
    pub(super) fn lost(&mut self, slot: u32, why: &str) {
        let Some(conn) = self.conns.get(slot as usize) else { return };
        match conn.fate {
            Fate::Stay if conn.is_dialling() => self.tally.counts.connects_failed += 1,
            Fate::Stay => self.tally.counts.lost += 1,
            Fate::Leave | Fate::Gone => {}
        }
        self.end(slot, why, None);
    }

    /// Ends a connection; one that is to stay comes back after `wait`, or after a pause that grows.
    pub(super) fn end(&mut self, slot: u32, why: &str, wait: Option<Duration>) {
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        if conn.is_dialling() {
            self.dialling -= 1;
        }
        conn.link = None;
        conn.stage = Stage::Idle;
        conn.introduced = 0;
        // Whatever the poller still has to say of it is about another socket.
        conn.generation = conn.generation.wrapping_add(1);
        let (fate, attempts, agents) = (conn.fate, conn.attempts, conn.agents());
        for agent in agents {
            let Some(peer) = self.peers.get_mut(agent as usize) else { continue };
            self.answered -= u64::from(std::mem::take(&mut peer.answered));
            if std::mem::take(&mut peer.unanswered) > 0 {
                peer.agent.forget();
            }
            peer.sent_at = 0;
            peer.rhythm = peer.rhythm.wrapping_add(1);
        }
        if fate != Fate::Stay {
            return;
        }
        if !why.is_empty() {
            why.clone_into(&mut self.tally.trouble);
        }
        let pause = wait.unwrap_or_else(|| {
            let most = self.options.spread.saturating_mul(1 << attempts.min(6)).min(MAX_PAUSE);
            self.random.between(Duration::ZERO, most)
        });
        self.after(pause, What::Redial(slot));
    }
}

/// The key of a socket's handshake: made again when the answer comes, so that nothing is kept.
fn key(slot: u32, generation: u32) -> String {
    let mut random = Random::new(token(slot, generation), 0x4B45);
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&random.bits().to_be_bytes());
    bytes[8..].copy_from_slice(&random.bits().to_be_bytes());
    ws::request_key(bytes)
}

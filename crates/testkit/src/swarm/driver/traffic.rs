//! Messages, both ways.

use std::time::Duration;

use tidegate_opamp::ws::{self, Close, Event, MessageKind, close_code};
use tidegate_opamp::{AgentToServer, Message as _, ServerToAgent, frame};

use super::super::link::Got;
use super::super::load::Load;
use super::super::outcome::{Act, Due, Note, Outcome};
use super::super::wire;
use super::conn::{Fate, Polls, Stage, What};
use super::{Swarm, unix_nanos};

impl Swarm {
    pub(super) fn greet(&mut self, agent: u32) {
        let Self { peers, world, .. } = self;
        let Some(peer) = peers.get_mut(agent as usize) else { return };
        let message = peer.agent.greet(world, unix_nanos());
        self.send(agent, &message);
    }

    /// Sends an agent's message; one that cannot be sent is made up for by the next greeting.
    pub(super) fn send(&mut self, agent: u32, message: &AgentToServer) {
        let now = self.now();
        let Some(peer) = self.peers.get_mut(agent as usize) else { return };
        let slot = peer.conn;
        let Some(conn) = self.conns.get_mut(slot as usize).filter(|conn| conn.is_open()) else {
            return peer.agent.forget();
        };
        peer.unanswered += 1;
        if peer.sent_at == 0 {
            peer.sent_at = now;
        }
        self.tally.counts.messages += 1;
        let written = match &mut conn.stage {
            Stage::Socket(_) => {
                self.out.clear();
                let mask = self.random.bits().to_be_bytes().first_chunk::<4>().copied();
                let payload = frame::encode(message);
                ws::write_message(&mut self.out, MessageKind::Binary, &payload, None, || mask);
                conn.link.as_mut().map(|link| link.write(&self.out))
            }
            Stage::Polls(polls) => {
                let request = self.wire.post(&peer.agent.uid, &message.encode_to_vec());
                polls.waiting.push_back((agent, request));
                return self.ask(slot);
            }
            _ => None,
        };
        match written {
            Some(Err(error)) => self.lost(slot, &error.to_string()),
            _ => self.watch(slot),
        }
    }

    /// Sends the next poll of a connection, unless one is under way.
    fn ask(&mut self, slot: u32) {
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        let (Stage::Polls(polls), Some(link)) = (&mut conn.stage, &mut conn.link) else { return };
        if polls.asking.is_some() {
            return;
        }
        let Some((agent, request)) = polls.waiting.pop_front() else { return };
        polls.asking = Some(agent);
        match link.write(&request) {
            Err(error) => self.lost(slot, &error.to_string()),
            Ok(()) => self.watch(slot),
        }
    }

    /// Reads what a socket has.
    pub(super) fn read(&mut self, slot: u32) {
        let mut scratch = std::mem::take(&mut self.scratch);
        let generation = self.conns.get(slot as usize).map(|conn| conn.generation);
        // What an answer leads to may end the connection, and another may have begun in its place.
        while let Some(conn) = self.conns.get_mut(slot as usize).filter(|c| Some(c.generation) == generation)
        {
            let Some(link) = &mut conn.link else { break };
            match link.read(&mut scratch) {
                Ok(Got::Bytes(length)) => {
                    let is_all = length < scratch.len() && !link.holds_back();
                    self.take(slot, scratch.get_mut(..length).unwrap_or_default());
                    if is_all {
                        break;
                    }
                }
                Ok(Got::Nothing) => break,
                Ok(Got::End) => self.lost(slot, "the server closed the connection"),
                Err(error) => self.lost(slot, &error.to_string()),
            }
        }
        self.scratch = scratch;
    }

    fn take(&mut self, slot: u32, bytes: &mut [u8]) {
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        let generation = conn.generation;
        match std::mem::replace(&mut conn.stage, Stage::Idle) {
            Stage::Upgrading(sofar) => {
                conn.stage = Stage::Connecting;
                if let Some(mut early) = self.upgrading(slot, sofar, bytes)
                    && !early.is_empty()
                {
                    self.take(slot, &mut early);
                }
            }
            Stage::Socket(mut reader) => {
                // The reader is back in its place before anything is answered.
                let mut rest = bytes;
                while !rest.is_empty() {
                    let (used, heard) = match reader.read(rest) {
                        Ok((used, event)) => (used, event.map(Heard::from)),
                        Err(violation) => (0, Some(Heard::Broken(violation.to_string()))),
                    };
                    let Some(conn) = self.conns.get_mut(slot as usize) else { return };
                    conn.stage = Stage::Socket(reader);
                    if let Some(heard) = heard {
                        self.heard(slot, heard);
                    }
                    let Some(conn) = self.conns.get_mut(slot as usize) else { return };
                    if conn.generation != generation {
                        return;
                    }
                    let Stage::Socket(again) = std::mem::replace(&mut conn.stage, Stage::Idle) else {
                        return;
                    };
                    reader = again;
                    rest = rest.get_mut(used..).unwrap_or_default();
                }
                if let Some(conn) = self.conns.get_mut(slot as usize) {
                    conn.stage = Stage::Socket(reader);
                }
            }
            Stage::Polls(polls) => self.answer_of_poll(slot, polls, bytes),
            stage => conn.stage = stage,
        }
    }

    fn heard(&mut self, slot: u32, heard: Heard) {
        match heard {
            Heard::Message(payload) => match frame::strip_header(&payload) {
                Ok(body) => self.message(slot, None, body),
                Err(_) => self.tally.counts.malformed += 1,
            },
            Heard::Ping(payload) => {
                self.tally.counts.pings += 1;
                self.out.clear();
                ws::write_pong(&mut self.out, &payload, Some([1, 2, 3, 4]));
                self.write_out(slot);
            }
            Heard::Nothing => {}
            Heard::Close(close) => {
                self.out.clear();
                ws::write_close(&mut self.out, close.as_ref(), Some([1, 2, 3, 4]));
                self.write_out(slot);
                let why = close.map_or_else(String::new, |close| format!("{} {}", close.code, close.reason));
                self.lost(slot, &format!("the server closed the WebSocket: {why}"));
            }
            Heard::Broken(why) => self.lost(slot, &why),
        }
    }

    fn write_out(&mut self, slot: u32) {
        let link = self.conns.get_mut(slot as usize).and_then(|conn| conn.link.as_mut());
        if let Some(Err(error)) = link.map(|link| link.write(&self.out)) {
            self.lost(slot, &error.to_string());
        } else {
            self.watch(slot);
        }
    }

    fn answer_of_poll(&mut self, slot: u32, mut polls: Polls, bytes: &[u8]) {
        polls.answer.extend_from_slice(bytes);
        let whole = match wire::head(&polls.answer) {
            Ok(Some(head)) if polls.answer.len() >= head.length + head.body => Some(head),
            Ok(_) => None,
            Err(why) => return self.lost(slot, &why),
        };
        let (asking, answer) = match &whole {
            Some(_) => (polls.asking.take(), std::mem::take(&mut polls.answer)),
            None => (None, Vec::new()),
        };
        let Some(conn) = self.conns.get_mut(slot as usize) else { return };
        let generation = conn.generation;
        conn.stage = Stage::Polls(polls);
        let Some(head) = whole else { return };
        if let Some(wait) = self.refusal(head.status, head.retry_after) {
            return self.end(slot, &format!("refused with HTTP status {}", head.status), Some(wait));
        }
        let body = answer.get(head.length..head.length + head.body).unwrap_or_default();
        self.message(slot, asking, body);
        if self.conns.get(slot as usize).is_none_or(|conn| conn.generation != generation) {
            return;
        }
        if head.closes {
            return self.lost(slot, "the server closed the connection");
        }
        self.ask(slot);
    }

    /// Takes the server's message to an agent of a connection.
    fn message(&mut self, slot: u32, asking: Option<u32>, body: &[u8]) {
        if wire::says_nothing(body) {
            if let Some(agent) = asking.or_else(|| self.route(slot, body.get(2..18).unwrap_or_default())) {
                self.answered(agent);
            }
            return;
        }
        let Ok(message) = ServerToAgent::decode(body) else {
            self.tally.counts.malformed += 1;
            return;
        };
        let Some(agent) = asking.or_else(|| self.route(slot, &message.instance_uid)) else { return };
        self.answered(agent);
        let Self { peers, world, .. } = self;
        let Some(peer) = peers.get_mut(agent as usize) else { return };
        let outcome = peer.agent.receive(message, world, unix_nanos());
        self.carry_out(agent, outcome);
    }

    /// The agent of a connection that a uid names; where there is but one, it is meant.
    fn route(&self, slot: u32, uid: &[u8]) -> Option<u32> {
        let conn = self.conns.get(slot as usize)?;
        if conn.count == 1 {
            return Some(conn.first);
        }
        let is_meant = |agent: &u32| {
            self.peers.get(*agent as usize).is_some_and(|peer| peer.agent.uid.as_bytes()[..] == *uid)
        };
        let named = Load::index_of(uid).filter(|agent| conn.agents().contains(agent) && is_meant(agent));
        named.or_else(|| conn.agents().find(is_meant))
    }

    fn answered(&mut self, agent: u32) {
        let now = self.now();
        let Some(peer) = self.peers.get_mut(agent as usize) else { return };
        if peer.unanswered > 0 {
            peer.unanswered -= 1;
            self.tally.counts.replies += 1;
            self.tally.reply.note(now - peer.sent_at);
            peer.sent_at = if peer.unanswered > 0 { now } else { 0 };
        }
        if !peer.answered {
            peer.answered = true;
            self.answered += 1;
            let slot = peer.conn;
            self.introduce(slot);
            self.set_rhythm(agent);
        }
        self.depart_when_polled(agent);
    }

    /// Polling agents that have said farewell close when that was heard.
    fn depart_when_polled(&mut self, agent: u32) {
        let Some(peer) = self.peers.get(agent as usize).filter(|peer| peer.unanswered == 0) else { return };
        let slot = peer.conn;
        let conn = self.conns.get(slot as usize);
        if conn.is_some_and(|conn| conn.fate == Fate::Leave && matches!(conn.stage, Stage::Polls(_))) {
            self.end(slot, "", None);
        }
    }

    /// Begins a rhythm of heartbeats somewhere in its interval.
    pub(super) fn set_rhythm(&mut self, agent: u32) {
        let Some(peer) = self.peers.get_mut(agent as usize) else { return };
        peer.rhythm = peer.rhythm.wrapping_add(1);
        let (interval, rhythm) = (peer.interval, peer.rhythm);
        if !interval.is_zero() {
            let first = self.random.between(Duration::ZERO, interval);
            self.after(first, What::Beat(agent, rhythm));
        }
    }

    pub(super) fn beat(&mut self, agent: u32, rhythm: u32) {
        let now = self.now();
        let Some(peer) = self.peers.get_mut(agent as usize).filter(|peer| peer.rhythm == rhythm) else {
            return;
        };
        let interval = peer.interval;
        if peer.hushed_until <= now {
            let message = peer.agent.heartbeat();
            self.send(agent, &message);
        }
        let next = self.random.jittered(interval);
        self.after(next, What::Beat(agent, rhythm));
    }

    pub(super) fn speak_again(&mut self, agent: u32) {
        if self.peers.get(agent as usize).is_some_and(|peer| peer.unanswered == 0) {
            self.greet(agent);
        }
    }

    pub(super) fn remind(&mut self, agent: u32, due: Due) {
        let Self { peers, world, .. } = self;
        let Some(peer) = peers.get_mut(agent as usize) else { return };
        let outcome = peer.agent.due(due, world, unix_nanos());
        self.carry_out(agent, outcome);
    }

    fn carry_out(&mut self, agent: u32, outcome: Outcome) {
        outcome.notes.into_iter().for_each(|note| self.note(note));
        for act in outcome.acts {
            match act {
                Act::Send(message) => self.send(agent, &message),
                Act::Later(delay, due) => self.after(delay, What::Due(agent, due)),
                Act::Heartbeat(interval) => {
                    if let Some(peer) = self.peers.get_mut(agent as usize) {
                        peer.interval = interval;
                    }
                    self.set_rhythm(agent);
                }
                Act::Hush(wait) => {
                    let wait = self.random.between(wait, wait.mul_f64(1.5));
                    let until =
                        self.now().saturating_add(u64::try_from(wait.as_micros()).unwrap_or(u64::MAX));
                    if let Some(peer) = self.peers.get_mut(agent as usize) {
                        peer.hushed_until = until;
                        peer.agent.forget();
                    }
                    self.after(wait, What::Speak(agent));
                }
            }
        }
    }

    fn note(&mut self, note: Note) {
        let now = self.now();
        let tally = &mut self.tally;
        let counts = &mut tally.counts;
        match note {
            Note::Offer => {
                counts.offers += 1;
                let first = *tally.first_offer.get_or_insert(now);
                tally.offer.note(now - first);
                tally.last_offer_unix_micros = unix_nanos() / 1_000;
            }
            Note::OfferRepeated => counts.offers_repeated += 1,
            Note::Restart => counts.restarts += 1,
            Note::Custom => counts.custom_messages += 1,
            Note::Settings => counts.settings += 1,
            Note::FullState => counts.full_states += 1,
            Note::BadRequest => counts.bad_requests += 1,
            Note::Unavailable => counts.unavailable += 1,
            Note::Applied => counts.applied += 1,
            Note::Failed => counts.failed += 1,
        }
    }

    /// Says that this side closes a WebSocket.
    pub(super) fn say_close(&mut self, slot: u32) {
        self.out.clear();
        let close = Close::new(close_code::NORMAL, "");
        ws::write_close(&mut self.out, Some(&close), Some([1, 2, 3, 4]));
        self.write_out(slot);
    }
}

/// What a peer said, on its own: the bytes it lay in are needed again.
enum Heard {
    Message(Vec<u8>),
    Ping(Vec<u8>),
    Nothing,
    Close(Option<Close>),
    Broken(String),
}

impl From<Event<'_>> for Heard {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Message { kind: MessageKind::Binary, payload } => Self::Message(payload.into_owned()),
            Event::Message { kind: MessageKind::Text, .. } => Self::Broken("a text message came".to_owned()),
            Event::Ping(payload) => Self::Ping(payload.into_owned()),
            Event::Pong(_) => Self::Nothing,
            Event::Close(close) => Self::Close(close),
        }
    }
}

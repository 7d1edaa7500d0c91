//! The conversation on a socket: each message and the answer to it, and what is said unasked.

use bytes::Bytes;
use tidegate_fleet::agent::Transport;
use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::Arrival;
use tidegate_opamp::ws::{self, Close, MessageKind, close_code};
use tidegate_opamp::{AgentToServer, InstanceUid, Message, ServerErrorResponseType, ServerToAgent, frame};

use super::TOO_FAST;
use super::budget::{Exhausted, PATIENCE, SMALL};
use super::hear::{self, Heard};
use super::socket::{End, Socket, Speaker, WRITE_AT, WRITE_DEADLINE};
use crate::rate::Rate;
use crate::state::Inbound;

/// Malformed messages in a row after which the connection is closed (ruling A5).
const OFFENCES: u32 = 10;

/// Most agents that one socket may carry.
const MAX_AGENTS: usize = 10_000;

/// The least time for which nothing is read from a socket that sends too much, in milliseconds.
const PAUSE: u64 = 1_000;

impl Socket {
    pub(super) async fn take(&mut self, heard: Heard, out: &mut Vec<u8>) -> Result<(), End> {
        match heard {
            Heard::Message(message) => {
                let reply = self.exchange(*message).await;
                self.say(out, &reply).await?;
                if is_bad_request(&reply) {
                    return self.offence();
                }
                if has_more(&reply) {
                    // The agent's next message is taken as its answer to a command: the command leaves first.
                    self.write(out).await?;
                    out.clear();
                }
                self.offences = 0;
                self.messages += 1;
                Ok(())
            }
            Heard::Heavy { payload, weight } => Box::pin(self.take_heavy(payload, weight, out)).await,
            Heard::Malformed(reason) => {
                self.core.metrics.bad_requests.inc();
                put(out, &offer::bad_request(Bytes::new(), reason), self.guard.max_frame_bytes);
                self.offence()
            }
            Heard::Ping(payload) => {
                ws::write_pong(out, &payload, None);
                Ok(())
            }
            Heard::Close(close) => Err(End::Answer(close)),
            Heard::Violation(violation) => {
                self.core.metrics.bad_requests.inc();
                Err(End::Close(Close::new(violation.close_code(), violation.to_string())))
            }
        }
    }

    /// Decodes and answers a message within the budget; one for which there is no room is refused.
    async fn take_heavy(&mut self, payload: Vec<u8>, weight: usize, out: &mut Vec<u8>) -> Result<(), End> {
        let charge = self.guard.budget.charge(payload.len() + weight, PATIENCE).await;
        let Ok(_charge) = charge else {
            self.core.metrics.throttled_messages.inc();
            let uid = self.only_agent();
            let refusal = offer::unavailable(uid, Exhausted.to_string(), self.guard.retry_after());
            put(out, &refusal, self.guard.max_frame_bytes);
            self.vigil.pause(self.now(), PAUSE);
            return Ok(());
        };
        let heard = hear::decode(&payload);
        drop(payload);
        Box::pin(self.take(heard, out)).await
    }

    /// The agent of a socket that has one, for messages that were not decoded.
    fn only_agent(&self) -> Bytes {
        let mut uids = self.agents.keys();
        match (uids.next(), uids.next()) {
            (Some(uid), None) => uid.to_wire(),
            _ => Bytes::new(),
        }
    }

    async fn exchange(&mut self, message: AgentToServer) -> ServerToAgent {
        let uid = InstanceUid::from_bytes(&message.instance_uid).ok();
        let known = uid.and_then(|uid| self.agents.get(&uid)).copied();
        if uid.is_some() && known.is_none() && self.agents.len() >= MAX_AGENTS {
            let reason = format!("one connection carries at most {MAX_AGENTS} agents");
            return offer::bad_request(message.instance_uid, reason);
        }
        let mut speaker =
            known.unwrap_or(Speaker { occasion: Occasion::Introduction, rate: Rate::default() });
        if let Err(fast) = self.guard.throttle.take(&mut speaker.rate) {
            // A known client ignores this, so it is not heard either for a while (OpAMP S172, S173).
            self.core.metrics.throttled_messages.inc();
            let wait = u64::try_from(fast.wait.as_millis()).unwrap_or(PAUSE);
            self.vigil.pause(self.now(), wait.max(PAUSE));
            return offer::unavailable(message.instance_uid, TOO_FAST.to_owned(), self.guard.retry_after());
        }
        let occasion = speaker.occasion;
        let departs = message.agent_disconnect.is_some();
        let arrival = Arrival { now: self.core.now(), transport: Transport::WebSocket };
        let inbound =
            Inbound { message, arrival, connection: Some(&self.connection), occasion, reached: None };
        let reply = self.core.exchange(inbound).await;
        if let Some(uid) = uid.filter(|_| !is_bad_request(&reply)) {
            self.agents.insert(uid, speaker);
            self.spoken(uid, occasion, &reply);
            if has_more(&reply) && !departs {
                // What waits behind it does not wait for the agent's next report.
                self.connection.nudge(uid);
            }
        }
        reply
    }

    /// Remembers what was said to an agent: a command stands alone (OpAMP S158), so the rest of an introduction that
    /// it stood in for is still due (OpAMP S162).
    fn spoken(&mut self, uid: InstanceUid, occasion: Occasion, message: &ServerToAgent) {
        let introduced = occasion != Occasion::Introduction || message.command.is_none();
        if let Some(speaker) = self.agents.get_mut(&uid) {
            speaker.occasion = if introduced { Occasion::Reply } else { Occasion::Introduction };
        }
    }

    fn offence(&mut self) -> Result<(), End> {
        self.offences += 1;
        if self.offences < OFFENCES {
            return Ok(());
        }
        let reason = format!("{OFFENCES} messages in a row could not be processed");
        Err(End::Close(Close::new(close_code::POLICY, reason)))
    }

    /// Sends what waits for the agents of this socket.
    pub(super) async fn push(&mut self) -> Result<(), End> {
        let mut out = Vec::new();
        for uid in self.connection.take_nudged() {
            // One message at a time: a command stands alone, and what waits behind it follows.
            loop {
                let occasion = match self.agents.get(&uid).map(|speaker| speaker.occasion) {
                    Some(Occasion::Introduction) => Occasion::Introduction,
                    _ => Occasion::Push,
                };
                let Some(message) = self.core.push(&uid, occasion, &self.connection).await else {
                    break;
                };
                self.say(&mut out, &message).await?;
                self.spoken(uid, occasion, &message);
                if out.len() >= WRITE_AT {
                    self.write(&out).await?;
                    out.clear();
                }
                if !has_more(&message) {
                    break;
                }
            }
        }
        self.write(&out).await
    }

    /// Adds a message to what is written next. A large one is written by itself, as soon as there is room for it.
    pub(super) async fn say(&mut self, out: &mut Vec<u8>, message: &ServerToAgent) -> Result<(), End> {
        let bytes = message.encoded_len();
        if bytes <= SMALL {
            put(out, message, self.guard.max_frame_bytes);
            return Ok(());
        }
        Box::pin(async {
            self.write(out).await?;
            out.clear();
            // Encoded, and again in frames.
            let Ok(_charge) = self.guard.budget.charge(2 * bytes, WRITE_DEADLINE).await else {
                return Err(End::Close(Close::new(close_code::TRY_AGAIN, Exhausted.to_string())));
            };
            let mut large = Vec::new();
            put(&mut large, message, self.guard.max_frame_bytes);
            self.write(&large).await
        })
        .await
    }
}

/// True when something may wait behind what this message carries.
const fn has_more(message: &ServerToAgent) -> bool {
    message.command.is_some() || message.custom_message.is_some()
}

fn is_bad_request(message: &ServerToAgent) -> bool {
    message.error_response.as_ref().is_some_and(|error| error.kind == ServerErrorResponseType::BadRequest)
}

pub(super) fn put(out: &mut Vec<u8>, message: &ServerToAgent, max_frame_bytes: Option<usize>) {
    ws::write_message(out, MessageKind::Binary, &frame::encode(message), max_frame_bytes, || None);
}

//! One WebSocket: reads into a buffer of the worker, answers, sends what is due, and ends in order.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_fleet::agent::Transport;
use tidegate_fleet::offer::{self, Occasion};
use tidegate_fleet::session::Arrival;
use tidegate_opamp::ws::{self, Close, Event, MessageKind, Violation, close_code};
use tidegate_opamp::{AgentToServer, InstanceUid, ServerErrorResponseType, ServerToAgent, frame};
use tokio::io::AsyncWriteExt;

use super::stream::Stream;
use super::{Permit, Plane};
use crate::state::{Connection, Core, Inbound, Parting};

/// Silence after which the peer is asked whether it is there, and after as much again is given up.
const PING_EVERY: Duration = Duration::from_secs(30);

/// How long a peer may take to read what it is sent.
const WRITE_DEADLINE: Duration = Duration::from_secs(20);

/// How long a peer may take to answer a close.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Malformed messages in a row after which the connection is closed (ruling A5).
const OFFENCES: u32 = 10;

/// Bytes of answers that are gathered before they are written.
const WRITE_AT: usize = 64 * 1024;

/// Most agents that one socket may carry.
const MAX_AGENTS: usize = 10_000;

/// What was read.
enum Heard {
    Message(Box<AgentToServer>),
    Malformed(String),
    Ping(Vec<u8>),
    Close(Option<Close>),
    Violation(Violation),
}

/// Why a connection ends.
enum End {
    /// The transport is gone.
    Gone,
    /// This side closes, with a code.
    Close(Close),
    /// The peer closed; its close is answered with its own code.
    Answer(Option<Close>),
}

struct Socket {
    stream: Stream,
    reader: ws::Reader,
    core: Arc<Core>,
    connection: Arc<Connection>,
    /// The agents that have spoken on it, with the occasion of the next answer to each.
    agents: BTreeMap<InstanceUid, Occasion>,
    offences: u32,
    /// Messages that were taken.
    messages: u64,
}

/// Serves a socket to its end.
pub(super) async fn serve(stream: Stream, early: Bytes, plane: Plane, permit: Permit) {
    let Plane { core, mut stopping, serving, .. } = plane;
    let connection = core.open_connection();
    let reader = ws::Reader::new(ws::Role::Server, core.options.max_message_bytes);
    let mut socket =
        Socket { stream, reader, core, connection, agents: BTreeMap::new(), offences: 0, messages: 0 };
    let mut ping = tokio::time::interval(PING_EVERY);
    ping.reset();
    let mut quiet = 0;
    let mut end = socket.start(early).await;
    while end.is_ok() {
        end = tokio::select! {
            heard = listen(&mut socket.stream, &mut socket.reader) => match heard {
                Some(heard) => {
                    quiet = 0;
                    ping.reset();
                    socket.answer(heard).await
                }
                None => Err(End::Gone),
            },
            () = socket.connection.nudged() => socket.push().await,
            _ = ping.tick() => {
                quiet += 1;
                if quiet > 1 { Err(End::Gone) } else { socket.ping().await }
            },
            () = stopping.begun() => Err(End::Close(Close::new(close_code::RESTART, "the server stops"))),
        };
    }
    // A known supervisor opens a socket for each message, closes it in order, and says no farewell: a poll.
    let parting = match &end {
        Err(End::Answer(Some(close))) if socket.messages == 1 && close.code == close_code::NORMAL => {
            Parting::Visit
        }
        _ => Parting::Gone,
    };
    if let Err(end) = end {
        socket.end(end).await;
    }
    socket.core.close_connection(&socket.connection, std::mem::take(&mut socket.agents).into_keys(), parting);
    drop((serving, permit));
}

impl Socket {
    /// Takes the bytes that came with the handshake; they are freed before the loop begins.
    async fn start(&mut self, early: Bytes) -> Result<(), End> {
        let mut early = Vec::from(early);
        let heard = hear(&mut self.reader, &mut early);
        drop(early);
        self.answer(heard).await
    }

    /// Answers everything that one read brought with one write.
    async fn answer(&mut self, heard: Vec<Heard>) -> Result<(), End> {
        let mut out = Vec::new();
        let mut end = Ok(());
        for heard in heard {
            end = self.take(heard, &mut out).await;
            if end.is_err() {
                break;
            }
            if out.len() >= WRITE_AT {
                self.write(&out).await?;
                out.clear();
            }
        }
        self.write(&out).await?;
        end
    }

    async fn take(&mut self, heard: Heard, out: &mut Vec<u8>) -> Result<(), End> {
        match heard {
            Heard::Message(message) => {
                let reply = self.exchange(*message).await;
                put(out, &reply);
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
            Heard::Malformed(reason) => {
                self.core.metrics.bad_requests.inc();
                put(out, &offer::bad_request(Bytes::new(), reason));
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

    async fn exchange(&mut self, message: AgentToServer) -> ServerToAgent {
        let uid = InstanceUid::from_bytes(&message.instance_uid).ok();
        let known = uid.and_then(|uid| self.agents.get(&uid)).copied();
        if uid.is_some() && known.is_none() && self.agents.len() >= MAX_AGENTS {
            let reason = format!("one connection carries at most {MAX_AGENTS} agents");
            return offer::bad_request(message.instance_uid, reason);
        }
        let occasion = known.unwrap_or(Occasion::Introduction);
        let departs = message.agent_disconnect.is_some();
        let arrival = Arrival { now: self.core.now(), transport: Transport::WebSocket };
        let inbound = Inbound { message, arrival, connection: Some(&self.connection), occasion };
        let reply = self.core.exchange(inbound).await;
        if let Some(uid) = uid.filter(|_| !is_bad_request(&reply)) {
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
        self.agents.insert(uid, if introduced { Occasion::Reply } else { Occasion::Introduction });
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
    async fn push(&mut self) -> Result<(), End> {
        let mut out = Vec::new();
        for uid in self.connection.take_nudged() {
            // One message at a time: a command stands alone, and what waits behind it follows.
            loop {
                let occasion = match self.agents.get(&uid) {
                    Some(Occasion::Introduction) => Occasion::Introduction,
                    _ => Occasion::Push,
                };
                let Some(message) = self.core.push(&uid, occasion, &self.connection).await else {
                    break;
                };
                put(&mut out, &message);
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

    async fn ping(&mut self) -> Result<(), End> {
        let mut out = Vec::new();
        ws::write_ping(&mut out, b"tidegate", None);
        self.write(&out).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        if bytes.is_empty() {
            return Ok(());
        }
        let write = async {
            self.stream.write_all(bytes).await?;
            // Under TLS the last record may still be on its way.
            self.stream.flush().await
        };
        match tokio::time::timeout(WRITE_DEADLINE, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(End::Gone),
        }
    }

    /// Ends the socket as RFC 6455 has it: a close each way, then the transport.
    async fn end(&mut self, end: End) {
        let mut out = Vec::new();
        match end {
            End::Gone => return,
            End::Answer(close) => {
                ws::write_close(&mut out, close.as_ref(), None);
                let _ = self.write(&out).await;
            }
            End::Close(close) => {
                ws::write_close(&mut out, Some(&close), None);
                if self.write(&out).await.is_ok() {
                    let _ = tokio::time::timeout(CLOSE_DEADLINE, self.await_close()).await;
                }
            }
        }
        let _ = self.stream.shutdown().await;
    }

    /// Reads, and drops, what still comes until the peer's close.
    async fn await_close(&mut self) {
        while let Some(heard) = listen(&mut self.stream, &mut self.reader).await {
            if heard.iter().any(|heard| matches!(heard, Heard::Close(_) | Heard::Violation(_))) {
                return;
            }
        }
    }
}

/// Waits for what the peer says next; `None` when the transport is gone. Safe to cancel.
async fn listen(stream: &mut Stream, reader: &mut ws::Reader) -> Option<Vec<Heard>> {
    stream.read_with(|bytes| hear(reader, bytes)).await.ok().flatten()
}

/// Takes the events out of bytes that were read.
fn hear(reader: &mut ws::Reader, mut input: &mut [u8]) -> Vec<Heard> {
    let mut heard = Vec::new();
    while !input.is_empty() {
        let (used, event) = match reader.read(input) {
            Ok(read) => read,
            Err(violation) => {
                heard.push(Heard::Violation(violation));
                return heard;
            }
        };
        heard.extend(match event {
            None | Some(Event::Pong(_)) => None,
            Some(Event::Ping(payload)) => Some(Heard::Ping(payload.into_owned())),
            Some(Event::Close(close)) => Some(Heard::Close(close)),
            Some(Event::Message { kind: MessageKind::Text, .. }) => {
                Some(Heard::Malformed("OpAMP messages are binary".into()))
            }
            Some(Event::Message { kind: MessageKind::Binary, payload }) => {
                Some(match frame::decode(&payload) {
                    Ok(message) => Heard::Message(Box::new(message)),
                    Err(error) => Heard::Malformed(error.to_string()),
                })
            }
        });
        input = &mut input[used..];
    }
    heard
}

/// True when something may wait behind what this message carries.
const fn has_more(message: &ServerToAgent) -> bool {
    message.command.is_some() || message.custom_message.is_some()
}

fn is_bad_request(message: &ServerToAgent) -> bool {
    message.error_response.as_ref().is_some_and(|error| error.kind == ServerErrorResponseType::BadRequest)
}

fn put(out: &mut Vec<u8>, message: &ServerToAgent) {
    ws::write_message(out, MessageKind::Binary, &frame::encode(message), None, || None);
}

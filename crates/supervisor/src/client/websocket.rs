//! The WebSocket transport: one connection, messages both ways, pings both ways.

use std::time::{Duration, Instant};

use tidegate_opamp::ws::{self, Close, Event, MessageKind, Reader, Role, close_code};
use tidegate_opamp::{AgentToServer, ServerToAgent, frame};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::link::Link;
use super::member::Leave;
use super::session::{Session, Turn, Wake, random};
use super::{Left, Reason, handshake};

/// Most time that one write may take; a server that does not read is a lost one.
const WRITE_DEADLINE: Duration = Duration::from_secs(30);

/// Most time for the closing handshake.
const CLOSE_DEADLINE: Duration = Duration::from_secs(3);

/// Bytes read at once.
const SCRATCH_BYTES: usize = 8 * 1024;

/// Longest silence before the server is pinged.
const LONGEST_SILENCE: Duration = Duration::from_secs(60);

/// Pings without any answer after which the server is lost; one silence more and the connection is given up.
const PINGS: u32 = 2;

/// How a conversation ended.
enum End {
    Stopped,
    /// Farewell was said: the target is another one.
    Moved,
    Ended(Reason),
}

/// Connects, converses, connects again, until it is told to stop or the target is another one.
pub(super) async fn run(session: &mut Session) -> Left {
    let target = session.target().clone();
    // How TLS is spoken, once it was needed.
    let mut tls = None;
    loop {
        let Some(uid) = session.uid() else { return Left::Stopped };
        let mut all_leave = session.all_leave();
        let opened = tokio::select! {
            biased;
            () = all_leave.wait() => {
                session.drop_leaving();
                return Left::Stopped;
            }
            opened = handshake::open(&target, &mut tls, uid) => opened,
        };
        let began = Instant::now();
        let reason = match opened {
            Ok((stream, leftover)) => {
                tracing::info!(endpoint = %target.endpoint, "connected");
                session.heard();
                let mut connection = Connection::new(stream, session.settings.max_message_bytes);
                let end = connection.converse(session, leftover).await;
                session.lost();
                match end {
                    End::Stopped => return Left::Stopped,
                    End::Moved => return Left::Moved,
                    End::Ended(reason) if connection.is_mute => {
                        if session.failed("the connection ended without an answer", reason == Reason::Denied)
                        {
                            return Left::Moved;
                        }
                        reason
                    }
                    End::Ended(reason) => reason,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "no connection to the server");
                let reason = error.reason();
                if reason != Reason::Lost {
                    session.heard();
                }
                if session.failed(&error.to_string(), reason == Reason::Denied) {
                    return Left::Moved;
                }
                reason
            }
        };
        let pause = session.backoff.after_connection(began.elapsed(), reason, random());
        tracing::debug!(?pause, ?reason, "the next connection is tried after a pause");
        let until = Instant::now() + pause;
        let stays = match reason {
            Reason::Lost => Box::pin(session.rest_unless_wanted(until)).await,
            // What the server asked for is kept.
            _ => session.rest(until).await,
        };
        if !stays {
            return Left::Stopped;
        }
    }
}

struct Connection {
    stream: Link,
    reader: Reader,
    /// The server has not answered anything yet.
    is_mute: bool,
    /// When the last byte came, and how often the server was pinged since.
    heard: Instant,
    pings: u32,
}

impl Connection {
    fn new(stream: Link, max_message_bytes: usize) -> Self {
        let reader = Reader::new(Role::Client, max_message_bytes);
        Self { stream, reader, is_mute: true, heard: Instant::now(), pings: 0 }
    }

    async fn converse(&mut self, session: &mut Session, mut leftover: Vec<u8>) -> End {
        session.connected();
        if let Err(end) = self.feed(session, &mut leftover).await {
            return end;
        }
        drop(leftover);
        let mut scratch = vec![0; SCRATCH_BYTES];
        loop {
            let now = Instant::now();
            let silence =
                session.heartbeat().map_or(LONGEST_SILENCE, |heartbeat| heartbeat.min(LONGEST_SILENCE));
            let proven_by = session.proven_by();
            if let Some((_, message)) = session.take(now) {
                if let Err(end) = self.send(&message).await {
                    return end;
                }
                continue;
            }
            let silent_at = self.heard + silence * (self.pings + 1);
            let due = session.due(now);
            tokio::select! {
                read = self.stream.read(&mut scratch) => {
                    let count = match read {
                        Ok(0) => return lost("the server closed the connection without a farewell"),
                        Ok(count) => count,
                        Err(error) => return lost_by(&error),
                    };
                    self.heard = Instant::now();
                    session.heard();
                    self.pings = 0;
                    let input = scratch.get_mut(..count).unwrap_or_default();
                    if let Err(end) = self.feed(session, input).await {
                        return end;
                    }
                }
                wake = session.wake(due) => if wake == Wake::Leave && !self.part(session).await {
                    return End::Stopped;
                },
                () = tokio::time::sleep_until(proven_by.unwrap_or(now).into()), if proven_by.is_some() => {
                    return lost("the server does not answer");
                }
                () = tokio::time::sleep_until(silent_at.into()) => {
                    if self.pings >= PINGS {
                        return lost("the server has been silent for too long");
                    }
                    self.pings += 1;
                    let mut ping = Vec::new();
                    ws::write_ping(&mut ping, b"", mask());
                    if let Err(end) = self.write(&ping).await {
                        return end;
                    }
                }
            }
        }
    }

    /// Reads events out of what arrived and answers them.
    async fn feed(&mut self, session: &mut Session, input: &mut [u8]) -> Result<(), End> {
        let mut at = 0;
        while let Some(rest) = input.get_mut(at..).filter(|rest| !rest.is_empty()) {
            let (used, event) = match self.reader.read(rest) {
                Ok(read) => read,
                Err(violation) => {
                    tracing::warn!(%violation, "the connection is closed");
                    self.close(Some(Close::new(violation.close_code(), violation.to_string()))).await;
                    return Err(End::Ended(Reason::Lost));
                }
            };
            match event {
                None | Some(Event::Pong(_)) => {}
                Some(Event::Ping(payload)) => {
                    let mut pong = Vec::new();
                    ws::write_pong(&mut pong, &payload, mask());
                    self.write(&pong).await?;
                }
                Some(Event::Close(close)) => return Err(self.closed_by_server(close).await),
                Some(Event::Message { kind, payload }) => {
                    let turn = take_message(session, kind, &payload);
                    self.is_mute &= session.proven_by().is_some();
                    match turn {
                        Some(Turn::Retreat(after)) => {
                            self.close(Some(Close::new(close_code::NORMAL, ""))).await;
                            return Err(End::Ended(Reason::Unavailable(after)));
                        }
                        Some(Turn::Move) => {
                            self.move_on(session).await;
                            return Err(End::Moved);
                        }
                        None => {}
                    }
                }
            }
            if used == 0 {
                break;
            }
            at += used;
        }
        Ok(())
    }

    async fn closed_by_server(&mut self, close: Option<Close>) -> End {
        let code = close.as_ref().map(|close| close.code);
        let reason = close.as_ref().map(|close| close.reason.escape_debug().to_string());
        tracing::info!(code, reason, "the server closed the connection");
        let mut answer = Vec::new();
        ws::write_close(&mut answer, close.as_ref(), mask());
        // The connection is over either way.
        let _ = self.write(&answer).await;
        End::Ended(match code {
            Some(close_code::POLICY) => Reason::Denied,
            Some(close_code::TRY_AGAIN) => Reason::Throttled(None),
            _ => Reason::Lost,
        })
    }

    async fn send(&mut self, message: &AgentToServer) -> Result<(), End> {
        let mut out = Vec::new();
        ws::write_message(&mut out, MessageKind::Binary, &frame::encode(message), None, mask);
        self.write(&out).await
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let write = async {
            self.stream.write_all(bytes).await?;
            // Under TLS the last record may still be on its way.
            self.stream.flush().await
        };
        match tokio::time::timeout(WRITE_DEADLINE, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(lost_by(&error)),
            Err(_) => Err(lost("the server does not read")),
        }
    }

    /// Leaves the agents that are to be left, the last one with a close frame as well (OpAMP C176, C180). False when
    /// none is left.
    async fn part(&mut self, session: &mut Session) -> bool {
        while let Some((leave, mut member)) = session.leaving() {
            let mut sent = true;
            if leave == Leave::Farewell {
                let message = member.core.farewell();
                sent = self.send_in_time(&message).await;
            }
            if sent && !session.has_agents() {
                self.close(Some(Close::new(close_code::NORMAL, ""))).await;
            }
            member.end();
        }
        session.has_agents()
    }

    /// Farewells of all agents and the end of the connection: they go on elsewhere.
    async fn move_on(&mut self, session: &mut Session) {
        for (_, message) in session.farewells() {
            if !self.send_in_time(&message).await {
                return;
            }
        }
        self.close(Some(Close::new(close_code::NORMAL, ""))).await;
    }

    async fn send_in_time(&mut self, message: &AgentToServer) -> bool {
        matches!(tokio::time::timeout(CLOSE_DEADLINE, self.send(message)).await, Ok(Ok(())))
    }

    /// Sends a close frame and reads until the server's comes or the connection ends, for a bounded time.
    async fn close(&mut self, close: Option<Close>) {
        let mut out = Vec::new();
        ws::write_close(&mut out, close.as_ref(), mask());
        let closing = async {
            self.stream.write_all(&out).await?;
            self.stream.flush().await?;
            let mut scratch = [0; 1024];
            loop {
                let count = self.stream.read(&mut scratch).await?;
                if count == 0 || is_closed(&mut self.reader, scratch.get_mut(..count).unwrap_or_default()) {
                    return std::io::Result::Ok(());
                }
            }
        };
        // Whatever comes of it, the connection is dropped.
        let _ = tokio::time::timeout(CLOSE_DEADLINE, closing).await;
    }
}

/// Whether a close frame is in what arrived; anything else is passed over. What cannot be read closes as well.
fn is_closed(reader: &mut Reader, input: &mut [u8]) -> bool {
    let mut at = 0;
    while let Some(rest) = input.get_mut(at..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok((_, Some(Event::Close(_)))) | Err(_) => return true,
            Ok((0, _)) => return false,
            Ok((used, _)) => at += used,
        }
    }
    false
}

/// Decodes a message and hands it on; what cannot be decoded is dropped (OpAMP C013, C021).
fn take_message(session: &mut Session, kind: MessageKind, payload: &[u8]) -> Option<Turn> {
    if kind == MessageKind::Text {
        tracing::debug!("a text message of the server is dropped: OpAMP messages are binary");
        return None;
    }
    match frame::decode::<ServerToAgent>(payload) {
        Ok(message) => session.received(message, None),
        Err(error) => {
            tracing::warn!(%error, "a message of the server is dropped");
            None
        }
    }
}

fn lost(why: &'static str) -> End {
    tracing::warn!(why, "the connection is lost");
    End::Ended(Reason::Lost)
}

fn lost_by(error: &std::io::Error) -> End {
    tracing::warn!(%error, "the connection is lost");
    End::Ended(Reason::Lost)
}

/// A masking key. Masks protect proxies from scripts in browsers, not us: on a host without randomness a fixed
/// one is as good.
fn mask() -> Option<[u8; 4]> {
    Some(random().to_ne_bytes())
}

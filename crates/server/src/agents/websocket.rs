//! One WebSocket: reads into a buffer of the worker, answers, sends what is due, and ends in order.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_fleet::offer;
use tidegate_opamp::ws::{self, Close, close_code};
use tokio::io::{AsyncWrite, AsyncWriteExt};

use super::Plane;
use super::budget::{Charge, Exhausted, PATIENCE, SMALL};
use super::door::Visitor;
use super::hear::{Heard, hear, listen};
use super::quick::{Brought, Listener};
use super::socket::{End, Socket, WRITE_AT};
use super::stream::Stream;
use super::talk::put;
use super::vigil::{Due, Progress, Vigil};
use crate::state::{Parting, Peer};

/// How long a peer may take to answer a close.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

/// Serves a socket to its end.
pub(super) async fn serve(stream: Stream, early: Bytes, plane: Plane, visitor: Arc<Visitor>, peer: Peer) {
    let Plane { core, guard, mut stopping, serving, .. } = plane;
    let waits = guard.times.waits;
    let mut socket = Socket {
        stream,
        reader: ws::Reader::new(ws::Role::Server, core.options.max_message_bytes),
        connection: core.open_connection(peer),
        core,
        guard,
        agents: BTreeMap::new(),
        offences: 0,
        messages: 0,
        held: Charge::default(),
        opened: Instant::now(),
        vigil: Vigil::default(),
    };
    // Boxed, as is all that is done below: the task of an idle socket is as large as what it awaits unboxed.
    let mut end = Box::pin(socket.start(early)).await;
    // One timer for all that is waited for; it is set earlier at need, and later only when it rings.
    let mut rings_at = socket.vigil.next(waits);
    let mut timer =
        Box::pin(tokio::time::sleep_until((socket.opened + Duration::from_millis(rings_at)).into()));
    let connection = Arc::clone(&socket.connection);
    // Both are made once, not at each message: a wait that is given up is taken off a list under a lock.
    let mut nudged = std::pin::pin!(connection.nudged());
    let mut stop = std::pin::pin!(stopping.begun());
    while end.is_ok() {
        end = tokio::select! {
            biased;
            brought = socket.listen(), if !socket.vigil.is_paused() => match brought {
                Some(brought) => socket.take_in(brought).await,
                None => Err(End::Gone),
            },
            () = nudged.as_mut() => {
                nudged.set(connection.nudged());
                Box::pin(socket.push()).await
            }
            () = timer.as_mut() => {
                rings_at = u64::MAX;
                Box::pin(socket.look()).await
            }
            () = stop.as_mut(), if !socket.vigil.is_leaving() => {
                socket.leave();
                Ok(())
            }
        };
        let next = socket.vigil.next(waits);
        if next < rings_at {
            rings_at = next;
            timer.as_mut().reset((socket.opened + Duration::from_millis(next)).into());
        }
    }
    // A known supervisor opens a socket for each message, closes it in order, and says no farewell: a poll.
    let parting = match &end {
        Err(End::Answer(Some(close))) if socket.messages == 1 && close.code == close_code::NORMAL => {
            Parting::Visit
        }
        _ => Parting::Gone,
    };
    let Peer { address, credential, .. } = &socket.connection.peer;
    tracing::debug!(%address, credential = credential.as_deref(), messages = socket.messages, "a socket ends");
    if let Err(end) = end {
        Box::pin(socket.end(end)).await;
    }
    socket.core.close_connection(&socket.connection, std::mem::take(&mut socket.agents).into_keys(), parting);
    drop((serving, visitor));
}

impl Socket {
    /// Takes the bytes that came with the handshake; they are freed before the loop begins.
    async fn start(&mut self, early: Bytes) -> Result<(), End> {
        let mut early = Vec::from(early);
        let heard = hear(&mut self.reader, &mut early);
        drop(early);
        self.hear(heard).await
    }

    /// Waits for what the peer says next; `None` when the transport is gone. Safe to cancel.
    async fn listen(&mut self) -> Option<Brought> {
        let Self { stream, reader, core, guard, connection, agents, .. } = self;
        let mut listener = Listener { core, guard, connection, agents };
        stream.read_with(|bytes| listener.take(reader, bytes)).await.ok().flatten()
    }

    /// Sends the answers to heartbeats, and takes in what else there is.
    async fn take_in(&mut self, brought: Brought) -> Result<(), End> {
        let Brought { acks, heard } = brought;
        if acks.count() > 0 {
            self.offences = 0;
            self.messages += u64::from(acks.count());
            self.vigil.heard(self.now(), Progress { message: true, partial: false });
            self.write_now(acks.bytes()).await?;
            if heard.is_empty() && self.reader.is_idle() {
                return Ok(());
            }
        }
        // Seldom, and large: what a heartbeat does not need is not part of every socket's task.
        Box::pin(self.hear(heard)).await
    }

    /// Takes what one read brought: charges what it leaves to be completed, and answers the rest.
    async fn hear(&mut self, heard: Vec<Heard>) -> Result<(), End> {
        let progress =
            Progress { message: heard.iter().any(Heard::is_message), partial: !self.reader.is_idle() };
        self.vigil.heard(self.now(), progress);
        let arrived = self.reader.held_bytes();
        self.held.shrink(arrived);
        self.answer(heard).await?;
        if self.guard.budget.grow(&mut self.held, arrived, PATIENCE).await.is_err() {
            return Err(self.exhausted(Bytes::new()).await);
        }
        Ok(())
    }

    /// Does what is due.
    async fn look(&mut self) -> Result<(), End> {
        let close = |code, reason: &str| Err(End::Close(Close::new(code, reason)));
        match self.vigil.look(self.now(), self.guard.times.waits) {
            Due::Nothing => Ok(()),
            Due::Ping => self.ping().await,
            Due::Gone => Err(End::Gone),
            Due::Silent => close(close_code::POLICY, "no OpAMP message came in time"),
            Due::Stalled => close(close_code::POLICY, "a message did not arrive in time"),
            Due::Leave => close(close_code::RESTART, "the server stops"),
        }
    }

    /// Plans the end of the socket of a server that stops.
    fn leave(&mut self) {
        let sockets = u64::try_from(self.core.metrics.connections.get()).unwrap_or(0);
        self.vigil.leave(self.now(), self.guard.leave_after(sockets));
    }

    /// Tells the peer that there is no memory for what it sends, and gives up: what is half here cannot be left out.
    async fn exhausted(&mut self, uid: Bytes) -> End {
        self.core.metrics.throttled_messages.inc();
        let mut out = Vec::new();
        put(&mut out, &offer::unavailable(uid, Exhausted.to_string(), self.guard.retry_after()), None);
        match self.write(&out).await {
            Ok(()) => End::Close(Close::new(close_code::TRY_AGAIN, Exhausted.to_string())),
            Err(end) => end,
        }
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

    async fn ping(&mut self) -> Result<(), End> {
        let mut out = Vec::new();
        ws::write_ping(&mut out, b"tidegate", None);
        self.write(&out).await
    }

    /// Writes what the kernel takes at once, as it nearly always does, and only then waits.
    async fn write_now(&mut self, bytes: &[u8]) -> Result<(), End> {
        let written = std::future::poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut self.stream).poll_write(context, bytes) {
                Poll::Ready(written) => written,
                Poll::Pending => Ok(0),
            })
        })
        .await
        .map_err(|_| End::Gone)?;
        match bytes.get(written..) {
            Some(rest) if !rest.is_empty() || self.stream.buffers() => Box::pin(self.write_all(rest)).await,
            _ => Ok(()),
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

    /// Reads, and drops, what still comes until the peer's close, or its end where a large message has begun: that is
    /// not kept for the sake of the close behind it.
    async fn await_close(&mut self) {
        while self.reader.held_bytes() <= SMALL {
            match listen(&mut self.stream, &mut self.reader).await {
                Some(heard) if !heard.iter().any(Heard::is_last) => {}
                _ => return,
            }
        }
        self.reader = ws::Reader::new(ws::Role::Server, 0);
        self.held.shrink(0);
        while let Ok(Some(())) = self.stream.read_with(|_| ()).await {}
    }
}

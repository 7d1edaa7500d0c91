//! Accepting agents: everyone is answered, if only with a refusal and a time to come back.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::service::service_fn;
use tokio::net::{TcpListener, TcpStream};

use super::guard::Entrance;
use super::stream::Stream;
use super::{Plane, Turns, answer, tls};
use crate::listen;

/// Pause after an error of `accept`, such as no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Most bytes of the head of a request.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Who has connected, and how it is received.
#[derive(Debug)]
pub(super) struct Visitor {
    pub(super) address: IpAddr,
    entrance: Entrance,
    /// There was no place to shake hands in.
    busy: bool,
}

impl Visitor {
    /// Why it is told to come back later, where it is.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        if self.entrance.refused {
            return Some("as many agents are connected as this server takes");
        }
        self.busy.then_some(BUSY)
    }
}

/// What a client is told when too much is in progress.
pub(super) const BUSY: &str = "this server is busy with other agents";

/// Accepts until the server stops, and hands the connections out.
pub(crate) async fn serve(listener: TcpListener, plane: Plane, mut turns: Turns) {
    let mut stopping = plane.stopping.clone();
    loop {
        let received = tokio::select! {
            () = stopping.begun() => return,
            received = async {
                let accepted = listener.accept().await?;
                Ok::<_, std::io::Error>((accepted, plane.guard.receive().await))
            } => received,
        };
        match received {
            Ok(((stream, from), Some(entrance))) => {
                // Small messages must not wait for the next.
                let _ = stream.set_nodelay(true);
                let plane = plane.clone();
                let served = turns.serve(stream, move |stream| attend(plane, stream, from, entrance));
                if let Err(error) = served {
                    tracing::warn!(%error, "a connection of an agent could not be handed on");
                }
            }
            Ok((_, None)) => return,
            Err(error) => {
                tracing::warn!(%error, "a connection of an agent could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends or becomes a socket.
async fn attend(plane: Plane, stream: TcpStream, from: SocketAddr, entrance: Entrance) {
    let _serving = plane.serving.clone();
    let Some((stream, busy)) = Box::pin(secure(&plane, stream)).await else { return };
    let visitor = Arc::new(Visitor { address: from.ip().to_canonical(), entrance, busy });
    let spoke = Arc::new(AtomicBool::new(false));
    let silent = silent(Arc::clone(&spoke), plane.guard.times.handshake);
    let stopping = plane.stopping.clone();
    let service = service_fn(move |request| {
        spoke.store(true, Ordering::Relaxed);
        answer(plane.clone(), Arc::clone(&visitor), request)
    });
    // The handshake's future is large; the steady loop runs in a task of its own.
    let served = Box::pin(listen::serve_http(stream, service, MAX_HEAD_BYTES, stopping));
    tokio::select! {
        () = served => {}
        () = silent => tracing::debug!("a client of the agents' plane made no request in time"),
    }
}

/// Resolves when no request has come in time, and never when one has.
async fn silent(spoke: Arc<AtomicBool>, deadline: Duration) {
    tokio::time::sleep(deadline).await;
    if spoke.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// Makes a connection what is spoken here: TLS, or nothing besides TCP. `None` when the client does not manage it. A
/// client for which there was no place shakes hands all the same, so that it can be told; it is marked.
async fn secure(plane: &Plane, mut stream: TcpStream) -> Option<(Stream, bool)> {
    let Some(tls) = &plane.tls else { return Some((Stream::plain(stream), false)) };
    let shaken = tokio::time::timeout(plane.guard.times.handshake, async {
        if !tls::begins(&mut stream).await {
            return None;
        }
        let place = plane.guard.begin().await;
        match tls::shake(tls.get(), stream).await {
            Ok(stream) => Some((stream, place.is_none())),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    });
    shaken.await.ok().flatten()
}

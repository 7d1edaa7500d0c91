//! Accepting connections: bounded in number, served until told to stop, drained before the end.

use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

/// How long a client may take for the head of a request. Also the longest time that a kept connection may be idle:
/// agents poll every half a minute.
const HEAD_DEADLINE: Duration = Duration::from_secs(90);

/// Pause after an error of `accept`, such as no descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Tells everything that serves that it should end.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// A switch and what it switches.
    pub(crate) fn channel() -> (watch::Sender<bool>, Self) {
        let (switch, receiver) = watch::channel(false);
        (switch, Self(receiver))
    }

    /// Resolves when it is time to end; safe to cancel.
    pub(crate) async fn begun(&mut self) {
        // A switch that is gone means the same as one that was thrown.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

/// Held by everything that serves; the drain is over when none is left.
#[derive(Clone, Debug)]
pub(crate) struct Serving {
    _held: mpsc::Sender<()>,
}

/// Waits until nothing serves any more.
#[derive(Debug)]
pub(crate) struct Drained(mpsc::Receiver<()>);

/// A token for what serves and the wait for all of them.
pub(crate) fn serving() -> (Serving, Drained) {
    let (held, drained) = mpsc::channel(1);
    (Serving { _held: held }, Drained(drained))
}

impl Drained {
    /// Resolves when every [`Serving`] is gone, or the deadline has passed; true in the first case.
    pub(crate) async fn within(mut self, deadline: Duration) -> bool {
        tokio::time::timeout(deadline, self.0.recv()).await.is_ok()
    }
}

/// Accepts until told to stop and hands each connection to `serve`, at most `max` at a time: one beyond that waits in
/// the kernel's queue.
pub(crate) async fn accept<F, S>(listener: TcpListener, max: usize, mut stopping: Stopping, serve: S)
where
    F: Future<Output = ()> + Send + 'static,
    S: Fn(TcpStream, OwnedSemaphorePermit) -> F,
{
    let room = Arc::new(Semaphore::new(max));
    loop {
        let accepted = tokio::select! {
            () = stopping.begun() => return,
            accepted = async {
                let permit = Arc::clone(&room).acquire_owned().await;
                (permit, listener.accept().await)
            } => accepted,
        };
        match accepted {
            (Ok(permit), Ok((stream, _))) => {
                // Small messages must not wait for the next.
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, permit));
            }
            (_, Err(error)) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
            (Err(_), _) => return,
        }
    }
}

/// Serves HTTP/1.1 on one connection, with heads of at most `max_head_bytes`, until the client leaves or the server stops.
pub(crate) async fn serve_http<I, S, B>(stream: I, service: S, max_head_bytes: usize, mut stopping: Stopping)
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: hyper::service::Service<http::Request<hyper::body::Incoming>, Response = http::Response<B>>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::Future: Send + 'static,
    B: hyper::body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .max_headers(64)
        .max_buf_size(max_head_bytes);
    let connection = builder.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let result = tokio::select! {
        result = connection.as_mut() => result,
        () = stopping.begun() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::debug!(%error, "a connection ended");
    }
}

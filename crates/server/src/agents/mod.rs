//! The agents' plane: `/v1/opamp` by POST and by WebSocket on one port.

mod http;
pub(crate) mod reload;
mod stream;
pub(crate) mod tls;
mod upgrade;
mod websocket;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};

use self::reload::Reloaded;
use self::stream::Stream;
use crate::listen::{self, Serving, Stopping};
use crate::settings::AgentsSettings;
use crate::state::Core;

/// How long things may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// A TLS handshake, and then the head of the first request.
    pub(crate) handshake: Duration,
}

impl From<&AgentsSettings> for Times {
    fn from(settings: &AgentsSettings) -> Self {
        Self { handshake: settings.handshake_timeout }
    }
}

/// What every connection of this plane needs.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) core: Arc<Core>,
    pub(crate) path: Arc<str>,
    pub(crate) times: Times,
    /// The certificate, where TLS is spoken.
    pub(crate) tls: Option<Arc<Reloaded<ServerConfig>>>,
    pub(crate) stopping: Stopping,
    pub(crate) serving: Serving,
}

/// Serves the plane until it is told to stop.
pub(crate) async fn serve(listener: TcpListener, max_connections: usize, plane: Plane) {
    let stopping = plane.stopping.clone();
    listen::accept(listener, max_connections, stopping, move |stream, permit| {
        let plane = plane.clone();
        async move {
            let _serving = plane.serving.clone();
            let Some(stream) = Box::pin(secure(&plane, stream)).await else { return };
            let permit = Arc::new(permit);
            let stopping = plane.stopping.clone();
            let handshake = plane.times.handshake;
            let spoke = Arc::new(AtomicBool::new(false));
            let silent = silent(Arc::clone(&spoke), handshake);
            let service = service_fn(move |request| {
                spoke.store(true, Ordering::Relaxed);
                answer(plane.clone(), Arc::clone(&permit), request)
            });
            // The handshake's future is large; the steady loop runs in a task of its own.
            let served = Box::pin(listen::serve_http(stream, service, stopping));
            tokio::select! {
                () = served => {}
                () = silent => tracing::debug!("a client of the agents' plane made no request in time"),
            }
        }
    })
    .await;
}

/// Resolves when no request has come in time, and never when one has.
async fn silent(spoke: Arc<AtomicBool>, deadline: Duration) {
    tokio::time::sleep(deadline).await;
    if spoke.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}

/// Makes a connection what is spoken here: TLS, or nothing besides TCP. `None` when the client does not manage it.
async fn secure(plane: &Plane, mut stream: TcpStream) -> Option<Stream> {
    let Some(tls) = &plane.tls else { return Some(Stream::Plain(stream)) };
    let shaken = tokio::time::timeout(plane.times.handshake, async {
        if !tls::begins(&mut stream).await {
            return None;
        }
        match tls::shake(tls.get(), stream).await {
            Ok(stream) => Some(stream),
            Err(error) => {
                tracing::debug!(%error, "a TLS handshake failed");
                None
            }
        }
    });
    shaken.await.ok().flatten()
}

type Permit = Arc<tokio::sync::OwnedSemaphorePermit>;

async fn answer(
    plane: Plane,
    permit: Permit,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != &*plane.path {
        return Ok(plain(StatusCode::NOT_FOUND, format!("OpAMP is served at {}\n", plane.path)));
    }
    Ok(match *request.method() {
        Method::POST => http::exchange(&plane.core, request).await,
        Method::GET if upgrade::is_requested(request.headers()) => upgrade::upgrade(plane, permit, request),
        Method::GET => {
            let mut response = plain(
                StatusCode::UPGRADE_REQUIRED,
                "send a POST with an OpAMP message, or upgrade to a WebSocket\n".into(),
            );
            response.headers_mut().insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
            response
        }
        _ => {
            let mut response =
                plain(StatusCode::METHOD_NOT_ALLOWED, "use POST, or GET with an upgrade\n".into());
            response.headers_mut().insert(header::ALLOW, header::HeaderValue::from_static("GET, POST"));
            response
        }
    })
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

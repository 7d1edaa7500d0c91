//! The agents' plane: `/v1/opamp` by POST and by WebSocket on one port.

mod budget;
mod door;
mod guard;
mod hear;
mod http;
mod quick;
mod reached;
pub(crate) mod reload;
mod socket;
mod stream;
mod talk;
mod throttle;
pub(crate) mod tls;
pub(crate) mod tokens;
mod upgrade;
mod vigil;
mod websocket;
mod workers;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode, header};
use rustls::ServerConfig;

use self::door::Visitor;
use self::reload::Reloaded;
use crate::listen::{Serving, Stopping};
use crate::state::{Core, Peer};

pub(crate) use self::door::serve;
pub(crate) use self::guard::Guard;
pub(crate) use self::workers::{Turns, Workers};

/// What an agent is told that sends more than it may.
const TOO_FAST: &str = "this agent sends more messages than this server takes from one";

/// What every connection of this plane needs.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) core: Arc<Core>,
    pub(crate) path: Arc<str>,
    pub(crate) guard: Arc<Guard>,
    /// The certificate, where TLS is spoken.
    pub(crate) tls: Option<Arc<Reloaded<ServerConfig>>>,
    pub(crate) stopping: Stopping,
    pub(crate) serving: Serving,
}

async fn answer(
    plane: Plane,
    visitor: Arc<Visitor>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    if request.uri().path() != &*plane.path {
        return Ok(plain(StatusCode::NOT_FOUND, format!("OpAMP is served at {}\n", plane.path)));
    }
    if let Some(reason) = visitor.refusal() {
        plane.core.metrics.refused_connections.inc();
        let mut response = come_back(StatusCode::SERVICE_UNAVAILABLE, reason, plane.guard.retry_after());
        response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
        return Ok(response);
    }
    let credential =
        match plane.guard.tokens.as_ref().map(|tokens| tokens.get().authenticate(request.headers())) {
            Some(Err(error)) => {
                plane.core.metrics.unauthenticated.inc();
                let mut response = plain(StatusCode::UNAUTHORIZED, format!("{error}\n"));
                let scheme = header::HeaderValue::from_static("Bearer");
                response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
                return Ok(response);
            }
            Some(Ok(name)) => Some(name),
            None => None,
        };
    let scheme = if request.method() == Method::POST { "http" } else { "ws" };
    let reached = reached::url(&plane, request.headers(), scheme);
    let peer = Peer { address: visitor.address, credential, reached };
    Ok(match *request.method() {
        Method::POST => http::exchange(&plane, peer, request).await,
        Method::GET if upgrade::is_requested(request.headers()) => {
            upgrade::upgrade(plane, visitor, peer, request).await
        }
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

/// A refusal with the time after which the client should try again (OpAMP S174).
fn come_back(status: StatusCode, reason: &str, after: Duration) -> Response<Full<Bytes>> {
    let mut response = plain(status, format!("{reason}; try again in {} s\n", after.as_secs()));
    response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(after.as_secs()));
    response
}

fn plain(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

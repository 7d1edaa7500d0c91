//! The agents' plane: `/v1/opamp` by POST and by WebSocket on one port.

mod http;
mod upgrade;
mod websocket;

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use tokio::net::TcpListener;

use crate::listen::{self, Serving, Stopping};
use crate::state::Core;

/// What every connection of this plane needs.
#[derive(Clone)]
pub(crate) struct Plane {
    pub(crate) core: Arc<Core>,
    pub(crate) path: Arc<str>,
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
            let permit = Arc::new(permit);
            let stopping = plane.stopping.clone();
            let service = service_fn(move |request| answer(plane.clone(), Arc::clone(&permit), request));
            // The handshake's future is large; the steady loop runs in a task of its own.
            Box::pin(listen::serve_http(stream, service, stopping)).await;
        }
    })
    .await;
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

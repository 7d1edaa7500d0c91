//! From an HTTP request to a WebSocket.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tidegate_opamp::ws;

use super::door::{BUSY, Visitor};
use super::stream::Stream;
use super::{Plane, come_back, plain, websocket};
use crate::state::Peer;

/// Most bytes of the task of a socket, which each of very many idle agents has.
const MAX_TASK_BYTES: usize = 1_408;

fn lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// True when the client asks for a WebSocket.
pub(super) fn is_requested(headers: &HeaderMap) -> bool {
    lists(headers, &header::UPGRADE, "websocket") && lists(headers, &header::CONNECTION, "upgrade")
}

/// Answers the handshake and hands the socket to its own task. No extension and no subprotocol is ever accepted: a
/// client that offers some connects without (ruling A17, OpAMP S032).
pub(super) async fn upgrade(
    plane: Plane,
    visitor: Arc<Visitor>,
    peer: Peer,
    mut request: Request<Incoming>,
) -> Response<Full<Bytes>> {
    let headers = request.headers();
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        let mut response =
            plain(StatusCode::UPGRADE_REQUIRED, "only WebSocket version 13 is spoken\n".into());
        response.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return response;
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).and_then(|key| key.to_str().ok()).unwrap_or_default();
    if !ws::is_valid_request_key(key) {
        return plain(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64\n".into());
    }
    let Ok(accept) = HeaderValue::from_str(&ws::accept_key(key)) else {
        return plain(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key cannot be answered\n".into());
    };
    let Some(place) = plane.guard.begin().await else {
        plane.core.metrics.refused_connections.inc();
        return come_back(StatusCode::SERVICE_UNAVAILABLE, BUSY, plane.guard.retry_after());
    };
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let upgraded = upgraded.await;
        drop(place);
        let Ok(upgraded) = upgraded else { return };
        let Ok(parts) = upgraded.downcast::<TokioIo<Stream>>() else {
            tracing::error!("an upgraded connection is none of the plane's streams");
            return;
        };
        let stream = parts.io.into_inner();
        let early = parts.read_buf;
        // A second, small task: this one is as large as the handshake (architecture, rules from measurement).
        let socket = websocket::serve(stream, early, plane, visitor, peer);
        debug_assert!(
            size_of_val(&socket) <= MAX_TASK_BYTES,
            "an idle socket takes {}",
            size_of_val(&socket)
        );
        tokio::spawn(socket);
    });
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

//! HTTP calls to services of this host, and to no other.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use bytes::Bytes;
use http::Request;
use http::header::{HOST, HeaderValue, USER_AGENT};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::client::USER_AGENT as PRODUCT;

/// Where a service of this host listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On a port of 127.0.0.1.
    Port(u16),
    /// On a Unix socket.
    Socket(PathBuf),
}

/// What a call brought.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// The beginning of the body; bytes that are no UTF-8 are replaced.
    pub(super) body: String,
    pub(super) truncated: bool,
}

/// Makes one call; at most `limit` bytes of the answer's body are read. `whom` names the service in errors. Bounded in
/// time by the caller.
pub(super) async fn call(
    place: &Place,
    whom: &str,
    mut request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, String> {
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static(PRODUCT));
    match place {
        Place::Port(port) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, *port));
            let stream = TcpStream::connect(address)
                .await
                .map_err(|error| format!("cannot connect to {whom} at {address}: {error}"))?;
            let host =
                HeaderValue::try_from(format!("localhost:{port}")).map_err(|error| error.to_string())?;
            request.headers_mut().insert(HOST, host);
            exchange(stream, whom, request, limit).await
        }
        Place::Socket(path) => {
            let stream = UnixStream::connect(path)
                .await
                .map_err(|error| format!("cannot connect to {whom} at {}: {error}", path.display()))?;
            request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
            exchange(stream, whom, request, limit).await
        }
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    whom: &str,
    request: Request<Full<Bytes>>,
    limit: usize,
) -> Result<Answer, String> {
    let failed = |error: hyper::Error| format!("the call of {whom} failed: {error}");
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    // Ends with the sender, at the end of this call.
    tokio::spawn(connection);
    let response = sender.send_request(request).await.map_err(failed)?;
    let status = response.status().as_u16();
    let (body, truncated) = beginning(response.into_body(), limit).await;
    Ok(Answer { status, body, truncated })
}

/// Reads the beginning of a body. A body that breaks off is truncated, not an error: the status has arrived.
async fn beginning(mut body: Incoming, limit: usize) -> (String, bool) {
    let mut bytes = Vec::new();
    let mut truncated = false;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else {
            truncated = true;
            break;
        };
        let Some(data) = frame.data_ref() else { continue };
        let room = limit.saturating_sub(bytes.len());
        bytes.extend_from_slice(data.get(..room).unwrap_or(data));
        if data.len() > room {
            truncated = true;
            break;
        }
    }
    (String::from_utf8_lossy(&bytes).into_owned(), truncated)
}

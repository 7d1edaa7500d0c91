//! The URL by which an agent reached this server: what it is told to keep where no other one is set.

use std::sync::Arc;

use hyper::header::{self, HeaderMap};

use super::Plane;

/// Longest host that is believed, in bytes.
const MAX_HOST: usize = 255;

/// The URL of a request, as its client wrote it; `None` when it names no host. A proxy that takes TLS off says so in
/// `X-Forwarded-Proto`: an agent that came by TLS is never told to go on without.
pub(super) fn url(plane: &Plane, headers: &HeaderMap, scheme: &str) -> Option<Arc<str>> {
    let host = headers.get(header::HOST)?.to_str().ok().filter(|host| host.len() <= MAX_HOST)?;
    let host: http::uri::Authority = host.parse().ok()?;
    if host.as_str().contains('@') || host.host().is_empty() {
        return None;
    }
    let forwarded = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    let forwarded = forwarded.is_some_and(|proto| ["https", "wss"].contains(&proto.trim()));
    let secure = if plane.tls.is_some() || forwarded { "s" } else { "" };
    Some(plane.core.settings.url(&format!("{scheme}{secure}://{host}{}", plane.path)))
}

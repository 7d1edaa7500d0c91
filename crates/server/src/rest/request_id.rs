//! `X-Request-Id`: names a call, in its answer and in the problem that it may have.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use super::Face;
use super::problem;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Longest id that is taken from a caller, in bytes.
const MAX_BYTES: usize = 128;

/// Gives every answer the id of its call: the caller's own, where it is printable and short, or a new one.
pub(super) async fn name(State(face): State<Arc<Face>>, request: Request, next: Next) -> Response {
    let given = request.headers().get(HEADER).and_then(|value| value.to_str().ok());
    let id = match given.filter(|id| is_plain(id)) {
        Some(id) => id.to_owned(),
        None => face.control.new_id(),
    };
    let mut response = problem::traced(next.run(request).await, &id);
    if let Ok(value) = HeaderValue::try_from(id) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn is_plain(id: &str) -> bool {
    (1..=MAX_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

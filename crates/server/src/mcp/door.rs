//! Who comes in: whoever shows the token, not too often, and with a bounded number of sessions.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use tidegate_fleet::{Actor, Face};

use super::Shared;

/// Sessions of clients that speak a revision before 2026-07-28; they end by themselves after a silence.
const MAX_SESSIONS: usize = 64;

const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
const METHOD: &str = "mcp-method";

/// The first revision without sessions.
const WITHOUT_SESSIONS: &str = "2026-07-28";

/// The door of one path.
pub(super) struct Door {
    pub(super) shared: Arc<Shared>,
    pub(super) sessions: Arc<LocalSessionManager>,
}

/// Lets a call through, with its actor.
pub(super) async fn pass(State(door): State<Arc<Door>>, mut request: Request, next: Next) -> Response {
    let mcp = &door.shared.mcp;
    mcp.control.count_call();
    if !bearer(request.headers()).is_some_and(|token| mcp.token.is(token)) {
        return unauthenticated();
    }
    let actor = Actor::admin(Face::Mcp);
    if let Err(seconds) = mcp.limits.look(&actor) {
        mcp.control.count_throttled_call();
        return refused(StatusCode::TOO_MANY_REQUESTS, Some(seconds), "too many calls with this token");
    }
    if begins_session(request.headers()) && door.sessions.sessions.read().await.len() >= MAX_SESSIONS {
        let detail = "too many sessions are open; end some, or speak revision 2026-07-28, which has none";
        return refused(StatusCode::SERVICE_UNAVAILABLE, Some(60), detail);
    }
    request.extensions_mut().insert(actor);
    next.run(request).await
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

/// True where a session may begin. That a call has the method that its header says is held behind this door.
fn begins_session(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let alone =
        text(VERSION) == Some(WITHOUT_SESSIONS) && text(METHOD).is_some_and(|method| method != "initialize");
    text(SESSION).is_none() && !alone
}

fn unauthenticated() -> Response {
    let detail = "send the admin token as `Authorization: Bearer TOKEN`";
    let mut response = refused(StatusCode::UNAUTHORIZED, None, detail);
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

fn refused(status: StatusCode, retry_after: Option<u64>, detail: &'static str) -> Response {
    let mut response = (status, detail).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

//! Logging in to the console, and out: `/session`, `/login-links`; and what a browser must show besides its cookie.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::{Action, Actor, Face as ActingFace};

use super::problem::{Failure, unauthenticated};
use super::{Face, convert, json};
use crate::control::ControlError;
use crate::session::{self, Peer, Refused, Secret, Until};

/// The cookie. It goes to this server alone, to no script, and with no request that another site caused.
const COOKIE: &str = "tidegate_session";

/// Where a code is taken by the console, behind the mark after which nothing is sent to a server or written to a log.
const LOGIN_PATH: &str = "/login#";

/// The session that a call's cookie names; the first of several of that name.
fn named(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value)
}

/// The session that somebody calls in; who shows the token has none.
pub(super) fn of<'a>(actor: &Actor, headers: &'a HeaderMap) -> Option<&'a str> {
    named(headers).filter(|_| actor.face == ActingFace::Console)
}

/// Who calls by a cookie: `None` without one, or with one that names no session.
///
/// # Errors
/// Where another site made the browser call, which could be an act that nobody meant, or had its own name lead here.
pub(super) fn actor(face: &Face, method: &Method, headers: &HeaderMap) -> Result<Option<Actor>, Failure> {
    let Some(session) = named(headers) else { return Ok(None) };
    if face.sessions.touch(session).is_none() {
        return Ok(None);
    }
    named_ours(face, headers)?;
    if !matches!(*method, Method::GET | Method::HEAD) {
        same_origin(headers)?;
    }
    Ok(Some(Actor::admin(ActingFace::Console)))
}

/// Lets only pages of this server act: the browser says where a request comes from, and a script cannot change that.
fn same_origin(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_ours = match text("sec-fetch-site") {
        Some(site) => site == "same-origin",
        // Browsers that do not say it name the origin of whatever may act.
        None => match (text("origin").and_then(|origin| origin.split_once("://")), text("host")) {
            (Some((_, origin)), Some(host)) => origin.eq_ignore_ascii_case(host),
            _ => false,
        },
    };
    if is_ours {
        return Ok(());
    }
    let detail =
        "the browser was sent here by another site; open the console itself, or call with a bearer token";
    Err(Failure::new(StatusCode::FORBIDDEN, "cross-site", "Not from the console", detail))
}

/// Lets a browser in only by a name of this server, for any name can be made to lead to it.
fn named_ours(face: &Face, headers: &HeaderMap) -> Result<(), Failure> {
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if face.hosts.has(host) {
        return Ok(());
    }
    let detail = format!(
        "{host:?} is no name of this server; open the console by its address, or give the server this name by \
         `operators: {{names: [...]}}` in its settings file"
    );
    Err(Failure::new(StatusCode::FORBIDDEN, "cross-site", "Not from the console", detail))
}

/// Logs in with a code or with the admin token.
pub(super) async fn log_in(
    State(face): State<Arc<Face>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    json::Body(request): json::Body<api::LogIn>,
) -> Result<Response, Failure> {
    named_ours(&face, &headers)?;
    // Nobody is to be logged in to an account that somebody else chose.
    if headers.contains_key("sec-fetch-site") || headers.contains_key(header::ORIGIN) {
        same_origin(&headers)?;
    }
    let begun = match (request.code, request.token) {
        (Some(code), None) => face.sessions.exchange(&code, peer),
        (None, Some(token)) => face.sessions.log_in(face.token.is(token.trim()), peer),
        _ => return Err(Failure::invalid("code", "give either a code or a token")),
    };
    let (session, until) = begun.map_err(|refused| match refused {
        Refused::Wrong => unauthenticated(
            "this link was used, is too old, or the token is not the one of this server; `tidegate login-link` makes \
             a new link",
        ),
        Refused::TooMany(wait) => Failure::later(
            "too-many",
            "Too many",
            "too many attempts to log in from your address have failed",
            wait.as_secs().max(1),
        ),
    })?;
    let told = Json(told(&face, &Actor::admin(ActingFace::Console), Some(until)));
    let cookie = cookie(&session.0, session::left(until).as_secs(), &headers)?;
    tracing::info!("somebody logged in to the console");
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], told).into_response())
}

/// Who is logged in, and until when.
pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
) -> Json<api::Session> {
    let until = of(&actor, &headers).and_then(|session| face.sessions.touch(session));
    Json(told(&face, &actor, until))
}

/// Ends the session of the call's cookie; a bearer has none.
pub(super) async fn log_out(State(face): State<Arc<Face>>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Some(session) = named(&headers) {
        face.sessions.end(session);
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie("", 0, &headers)?)]).into_response())
}

/// Makes a link that logs in once.
pub(super) async fn link(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<(StatusCode, Json<api::LoginLink>), Failure> {
    tidegate_fleet::authorize(&actor, Action::LogIn).map_err(ControlError::Denied)?;
    let code = face.sessions.code().map_err(|error| {
        Failure::new(StatusCode::SERVICE_UNAVAILABLE, "store", "No link can be made", error)
    })?;
    let expires_at = convert::time(face.control.now().plus(session::CODE_LIFE));
    Ok((StatusCode::CREATED, Json(api::LoginLink { path: path(&code), expires_at })))
}

/// The address of the console that takes a code, from the root of the server.
pub(crate) fn path(code: &Secret) -> String {
    format!("{LOGIN_PATH}{}", code.0)
}

fn told(face: &Face, actor: &Actor, until: Option<Until>) -> api::Session {
    let end = |until| convert::time(face.control.now().plus(session::left(until)));
    api::Session { actor: actor.name.clone(), expires_at: until.map(end) }
}

/// The cookie for a session that may live so many seconds; 0 takes it away.
fn cookie(session: &str, seconds: u64, headers: &HeaderMap) -> Result<HeaderValue, Failure> {
    let forwarded = headers.get("x-forwarded-proto").and_then(|value| value.to_str().ok());
    // Behind a proxy that speaks TLS the cookie must not go out without it.
    let secure = if forwarded.is_some_and(|proto| proto.trim() == "https") { "; Secure" } else { "" };
    let text = format!("{COOKIE}={session}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}{secure}");
    HeaderValue::try_from(text).map_err(|_| unauthenticated("the session cannot be told to the browser"))
}

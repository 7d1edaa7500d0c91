//! `Idempotency-Key`: an act that is asked for twice under one key is done once.
//!
//! The answer is stored in the transaction of the act, so that it is there exactly if the act is. What was refused is
//! not stored: nothing was done, and the same key may be tried again.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tidegate_fleet::{Actor, Timestamp};
use tidegate_store::{Answered, Write};

use super::problem::Failure;
use super::{Face, json};
use crate::control::Record;

/// The header that callers send.
const HEADER: &str = "idempotency-key";

/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Largest answer that is kept whole, in bytes; of a larger one the rows are left out.
const MAX_KEPT_BYTES: usize = 1024 * 1024;

/// The keys whose acts are under way, each with its actor. At most one for each call that is being served.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnderWay(Arc<Mutex<HashSet<(String, String)>>>);

impl UnderWay {
    /// Takes a key until the guard is dropped; `None` when it is taken.
    fn take(&self, actor: &str, key: &str) -> Option<Taken> {
        let pair = (actor.to_owned(), key.to_owned());
        self.0.lock().insert(pair.clone()).then(|| Taken { keys: self.clone(), pair })
    }
}

struct Taken {
    keys: UnderWay,
    pair: (String, String),
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.keys.0.lock().remove(&self.pair);
    }
}

/// The key of a call whose act is still to be done.
#[derive(Clone, Debug)]
pub(super) struct Key {
    actor: String,
    key: String,
    fingerprint: Bytes,
    at: Timestamp,
}

impl Key {
    /// Keeps the answer with the act. `answer` makes the body, and the location where there is one.
    pub(super) fn record<T, B: Serialize>(
        self,
        status: StatusCode,
        answer: impl FnOnce(&T) -> (Option<String>, B) + Send + 'static,
    ) -> Record<T> {
        Box::new(move |done| {
            let (location, body) = answer(done);
            let Self { actor, key, fingerprint, at: created_at } = self;
            let (status, body) = (status.as_u16(), kept(&body));
            vec![Write::Answered(Box::new(Answered {
                actor,
                key,
                fingerprint,
                status,
                location,
                body,
                created_at,
            }))]
        })
    }
}

fn kept(answer: &impl Serialize) -> Bytes {
    let mut body = serde_json::to_vec(answer).unwrap_or_default();
    if body.len() > MAX_KEPT_BYTES
        && let Ok(serde_json::Value::Object(mut members)) = serde_json::to_value(answer)
    {
        for rows in members.values_mut().filter_map(serde_json::Value::as_array_mut) {
            rows.clear();
        }
        body = serde_json::to_vec(&members).unwrap_or_default();
    }
    body.into()
}

/// Lets an act through that has not been done under its key, and gives the first answer to one that has.
pub(super) async fn once(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let key = key(request.headers())?;
    let (mut parts, body) = request.into_parts();
    // A copy of the head goes along: it holds how large a body may be.
    let body = json::bytes(Request::from_parts(parts.clone(), body)).await?;
    let mut digest = Sha256::new();
    digest.update(format!("{} {}\n", parts.method, parts.uri));
    digest.update(&body);
    let fingerprint: [u8; 32] = digest.finalize().into();
    let fingerprint = Bytes::copy_from_slice(&fingerprint);

    let Some(taken) = face.under_way.take(&actor.name, &key) else {
        let detail = "a call with this Idempotency-Key is still being carried out; ask again in a moment";
        return Err(Failure::new(StatusCode::CONFLICT, "key-in-use", "Still under way", detail));
    };
    if let Some(first) = face.control.answered(&actor, &key).await? {
        return if first.fingerprint == fingerprint { Ok(replay(first)) } else { Err(reused()) };
    }
    let at = face.control.now();
    parts.extensions.insert(Key { actor: actor.name, key, fingerprint, at });
    let request = Request::from_parts(parts, Body::from(body));
    // The key stays taken until the act has ended, also when the caller has left.
    let act = tokio::spawn(async move {
        let response = next.run(request).await;
        drop(taken);
        response
    });
    act.await.map_err(|error| {
        let detail = format!("the act broke off: {error}");
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, "broken-off", "Broken off", detail)
    })
}

/// The key of a call: a UUID, with or without the quotes of a structured header.
fn key(headers: &HeaderMap) -> Result<String, Failure> {
    let refused = |detail: &str| {
        Failure::new(StatusCode::BAD_REQUEST, "idempotency-key", "An idempotency key is needed", detail)
    };
    let mut given = headers.get_all(HEADER).iter();
    let Some(value) = given.next() else {
        let detail = "send a new UUID as Idempotency-Key, and the same one when you repeat the call: it is then \
                      carried out once";
        return Err(refused(detail));
    };
    let text = value.to_str().unwrap_or_default().trim();
    let text = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let digit_or_dash = |(index, byte): (usize, u8)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if given.next().is_some() || text.len() != 36 || !text.bytes().enumerate().all(digit_or_dash) {
        return Err(refused("Idempotency-Key takes one UUID, such as 0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"));
    }
    Ok(text.to_ascii_lowercase())
}

fn replay(first: Answered) -> Response {
    let status = StatusCode::from_u16(first.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Body::from(first.body)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    if let Some(location) = first.location.and_then(|location| HeaderValue::try_from(location).ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}

fn reused() -> Failure {
    let detail =
        "this Idempotency-Key was used for another call within the last day; make a new one for each act";
    Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "The key is another act's", detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(values: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_str(value).unwrap());
        }
        key(&headers).ok()
    }

    #[test]
    fn given_headers_when_read_then_one_uuid_is_a_key_and_nothing_else_is() {
        let uuid = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        assert_eq!(given(&[uuid]).as_deref(), Some(uuid));
        assert_eq!(given(&[&format!("\"{}\"", uuid.to_uppercase())]).as_deref(), Some(uuid));
        for wrong in [&[][..], &[""], &["1"], &[&uuid[1..]], &[uuid, uuid], &[&uuid.replace('-', "0")]] {
            assert_eq!(given(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn given_an_answer_that_is_too_large_when_kept_then_its_rows_are_left_out() {
        let answer = |rows: usize| serde_json::json!({"id": "a", "agents": vec!["x".repeat(1000); rows]});
        assert_eq!(kept(&answer(2)), serde_json::to_vec(&answer(2)).unwrap());
        assert_eq!(kept(&answer(2000)), serde_json::to_vec(&answer(0)).unwrap());
    }
}

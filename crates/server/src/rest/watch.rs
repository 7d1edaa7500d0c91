//! `/events` and `/watch`.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::StreamExt as _;
use serde::{Deserialize, Serialize};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_opamp::InstanceUid;

use super::cursor::Unusable;
use super::json::Parameters;
use super::problem::Failure;
use super::{Face, agents, convert, session};
use crate::control::Seen;
use crate::session::Sessions;

/// Silence after which a comment shows that the stream is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Most agents that a watcher names one by one.
const MAX_IDS: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EventParameters {
    #[serde(default)]
    q: String,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn events(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(parameters): Parameters<EventParameters>,
) -> Result<Json<api::List<api::Event>>, Failure> {
    let limit = agents::limit(parameters.limit)?;
    let asked = format!("events\n{}", parameters.q);
    let now = face.control.now();
    let cursor = parameters.cursor.as_deref();
    let before = cursor.map(|cursor| face.cursors.marked(&asked, cursor, now)).transpose()?;
    let before = before.map(|number| number.parse().map_err(|_| Unusable::Foreign)).transpose()?;
    let events = face.control.events(&actor, &parameters.q, before, limit + 1)?;
    // The oldest is one too many, where there are so many: it shows that there is another page.
    let more = events.len().saturating_sub(limit);
    let page = events.get(more..).unwrap_or_default();
    let items: Vec<_> = page.iter().map(|(stored, name)| convert::event(stored, name)).collect();
    let oldest = page.first().filter(|_| more > 0);
    let next_cursor = oldest.map(|(stored, _)| face.cursors.mark(&asked, &stored.number.to_string(), now));
    let total = api::Total { value: items.len() as u64, exact: false };
    Ok(Json(api::List { items, next_cursor, total, facets: BTreeMap::new() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WatchParameters {
    #[serde(default)]
    q: String,
    kinds: Option<String>,
    ids: Option<String>,
    since: Option<u64>,
}

pub(super) async fn watch(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    Parameters(parameters): Parameters<WatchParameters>,
) -> Result<Response, Failure> {
    let kinds = parameters.kinds.as_deref().unwrap_or("agents,events");
    let (mut wants_agents, mut wants_events) = (false, false);
    for kind in kinds.split(',') {
        match kind {
            "agents" => wants_agents = true,
            "events" => wants_events = true,
            other => return Err(Failure::invalid("kinds", format!("{other:?} is none of agents, events"))),
        }
    }
    let only = parameters.ids.as_deref().map(ids).transpose()?;
    let place = face.limits.stream(&actor)?;
    let resumed = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let since = resumed.or(parameters.since);
    let watcher = face.control.watch(&actor, &parameters.q, wants_agents, wants_events, since, only).await?;
    let session = session::of(&actor, &headers).map(ToOwned::to_owned);
    let over = ended(face.sessions.clone(), session);
    let state = (watcher, face.stopping.clone(), place);
    let stream = futures_util::stream::unfold(state, |(mut watcher, mut stopping, place)| async move {
        let seen = tokio::select! {
            biased;
            () = stopping.begun() => return None,
            seen = watcher.next() => seen?,
        };
        Some((Ok::<_, Infallible>(event(&seen)), (watcher, stopping, place)))
    });
    let mut response =
        Sse::new(stream.take_until(over)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response();
    let buffering = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(buffering, HeaderValue::from_static("no"));
    Ok(response)
}

/// Resolves when the session of a browser has ended; never without one, as with the token.
async fn ended(sessions: Sessions, session: Option<String>) {
    match session {
        Some(session) => sessions.ended(&session).await,
        None => std::future::pending().await,
    }
}

/// The uids that a watcher names, with commas between.
fn ids(text: &str) -> Result<BTreeSet<InstanceUid>, Failure> {
    let wrong = |message: String| Failure::invalid("ids", message);
    let mut uids = BTreeSet::new();
    for one in text.split(',') {
        uids.insert(one.parse().map_err(|error| wrong(format!("{one:?}: {error}")))?);
        if uids.len() > MAX_IDS {
            return Err(wrong(format!("name at most {MAX_IDS} agents, or ask by q")));
        }
    }
    Ok(uids)
}

fn event(seen: &Seen) -> Event {
    match seen {
        Seen::Added(view) => json("added", &convert::agent(view)),
        Seen::Modified(view) => json("modified", &convert::agent(view)),
        Seen::Removed(uid) => json("removed", &api::Removed { uid: uid.to_string() }),
        Seen::Happened(stored, name) => {
            json("happened", &convert::event(stored, name)).id(stored.number.to_string())
        }
        Seen::Bookmark(number) => Event::default().event("bookmark").id(number.to_string()).data("{}"),
        Seen::Resync => Event::default().event("resync").data("{}"),
    }
}

fn json(name: &str, value: &impl Serialize) -> Event {
    // The API's types have text keys and finite numbers: they always become JSON.
    Event::default().event(name).data(serde_json::to_string(value).unwrap_or_default())
}

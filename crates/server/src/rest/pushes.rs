//! `/pushes`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::{Extension, Json};
use serde::Deserialize;
use tidegate_api as api;
use tidegate_fleet::Actor;

use super::idempotency::Key;
use super::json::{Body, Parameters};
use super::labels::ActParameters;
use super::problem::Failure;
use super::{Face, agents, convert};
use crate::control::{PushOrder, PushView, PushedFile, Record};

pub(super) async fn create(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::PushRequest>,
) -> Result<(StatusCode, HeaderMap, Json<api::Push>), Failure> {
    let file = |file: api::PushFile| PushedFile {
        name: file.name,
        content_type: file.content_type,
        role: file.role,
        body: file.body,
    };
    let order = PushOrder {
        query: request.q,
        files: request.files.into_iter().map(file).collect(),
        expected_count: request.expected_count,
    };
    if parameters.dry_run.is_some() {
        let planned = face.control.plan_push(&actor, order).await?;
        // Nothing has its id.
        let answer = api::Push { id: String::new(), ..convert::push(&planned) };
        return Ok((StatusCode::OK, HeaderMap::new(), Json(answer)));
    }
    let view = face.control.push(&actor, order, kept(key)).await?;
    Ok(created(&view))
}

/// The answer to a push that is made, as it is kept with it.
pub(super) fn kept(key: Key) -> Record<PushView> {
    key.record(StatusCode::CREATED, |view: &PushView| (Some(location(view)), convert::push(view)))
}

/// The same, as it is given.
pub(super) fn created(view: &PushView) -> (StatusCode, HeaderMap, Json<api::Push>) {
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(location(view)) {
        headers.insert(header::LOCATION, location);
    }
    (StatusCode::CREATED, headers, Json(convert::push(view)))
}

fn location(view: &PushView) -> String {
    format!("{}/pushes/{}", api::BASE, view.push.id.0)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParameters {
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<api::List<api::PushListed>>, Failure> {
    let limit = agents::limit(parameters.limit)?;
    let (asked, now) = ("pushes", face.control.now());
    let cursor = parameters.cursor.as_deref();
    let after = cursor.map(|cursor| face.cursors.marked(asked, cursor, now)).transpose()?;
    let pushes = face.control.pushes(&actor)?;
    // Newest first: what follows has a lesser id.
    let rest = pushes.iter().filter(|push| after.as_ref().is_none_or(|after| push.id.0 < *after));
    let rest: Vec<_> = rest.take(limit + 1).collect();
    let page = rest.get(..limit).unwrap_or(&rest);
    let last = page.last().filter(|_| rest.len() > limit);
    Ok(Json(api::List {
        items: page.iter().map(|push| convert::push_listed(push)).collect(),
        next_cursor: last.map(|last| face.cursors.mark(asked, &last.id.0, now)),
        total: api::Total { value: pushes.len() as u64, exact: true },
        facets: BTreeMap::new(),
    }))
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Push>, Failure> {
    Ok(Json(convert::push(&face.control.push_state(&actor, &id)?)))
}

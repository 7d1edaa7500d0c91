//! `/pushes`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;

use super::idempotency::Key;
use super::json::{Body, Parameters};
use super::labels::ActParameters;
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{PushOrder, PushView, PushedFile};

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
    let record =
        key.record(StatusCode::CREATED, |view: &PushView| (Some(location(view)), convert::push(view)));
    let view = face.control.push(&actor, order, record).await?;
    let mut headers = HeaderMap::new();
    if let Ok(location) = HeaderValue::try_from(location(&view)) {
        headers.insert(header::LOCATION, location);
    }
    Ok((StatusCode::CREATED, headers, Json(convert::push(&view))))
}

fn location(view: &PushView) -> String {
    format!("{}/pushes/{}", api::BASE, view.push.id.0)
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Push>, Failure> {
    Ok(Json(convert::push(&face.control.push_state(&actor, &id)?)))
}

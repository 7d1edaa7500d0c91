//! `/schemas`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::schemas::Schema;

use super::problem::Failure;
use super::{Face, convert, etag};
use crate::control::Control;

pub(super) async fn list(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<api::List<api::PluginSchema>>, Failure> {
    let schemas = face.control.schemas(&actor)?;
    Ok(Json(api::List {
        total: api::Total { value: schemas.len() as u64, exact: true },
        items: schemas.iter().map(|schema| told(schema)).collect(),
        next_cursor: None,
        facets: BTreeMap::new(),
    }))
}

/// The document; its hash is its tag, so that what the caller has is not even unpacked.
pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(hash): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let schema = face.control.schema(&actor, &hash)?;
    let tag = format!("\"{}\"", schema.hash);
    if etag::is_known(&headers, &tag) {
        return Ok(etag::not_modified(&tag));
    }
    let document = Control::schema_document(&schema)?;
    let headers = [
        (header::CONTENT_TYPE, header::HeaderValue::from_static("application/json")),
        (header::ETAG, etag::value(&tag)),
        // It is an agent's, and no browser is to take it for anything but what it says it is.
        (header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff")),
    ];
    Ok((headers, document).into_response())
}

fn told(schema: &Schema) -> api::PluginSchema {
    api::PluginSchema {
        hash: schema.hash.to_string(),
        kind: schema.kind.clone(),
        version: schema.version.clone(),
        plugins: schema.plugins,
        bytes: schema.bytes,
        since: convert::time(schema.since),
    }
}

//! `/agents/{uid}/labels`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tidegate_fleet::Actor;
use tidegate_fleet::agent::{LabelPatch, Labels};

use super::Face;
use super::json::{Body, Parameters, uid};
use super::problem::Failure;

/// Whether an act is only tried.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActParameters {
    pub(super) dry_run: Option<DryRun>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum DryRun {
    All,
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let labels = face.control.agent(&actor, &uid(&text)?)?.agent.labels;
    let known = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    if known.is_some_and(|known| names(known, &tag(&labels))) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, etag(&labels))]).into_response());
    }
    Ok(answer(&labels))
}

/// A merge patch (RFC 7396): a text sets a label, null removes it.
pub(super) async fn patch(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    headers: HeaderMap,
    Body(patch): Body<LabelPatch>,
) -> Result<Response, Failure> {
    let uid = uid(&text)?;
    let Some(believed) = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) else {
        return Err(Failure::new(
            StatusCode::PRECONDITION_REQUIRED,
            "precondition-required",
            "Say what you saw",
            "send If-Match with the ETag that GET gave for these labels, or * to change them as they are",
        ));
    };
    let believed = believed.to_owned();
    let as_believed = move |labels: &Labels| names(&believed, &tag(labels));
    let labels =
        face.control.patch_labels(&actor, &uid, patch, as_believed, parameters.dry_run.is_some()).await?;
    Ok(answer(&labels))
}

fn answer(labels: &Labels) -> Response {
    let pairs: BTreeMap<_, _> = labels.iter().collect();
    ([(header::ETAG, etag(labels))], Json(pairs)).into_response()
}

/// The strong tag of labels: a digest of what they are.
fn tag(labels: &Labels) -> String {
    let mut digest = Sha256::new();
    for (key, value) in labels.iter() {
        // Neither can hold a line feed.
        digest.update(format!("{key}\n{value}\n"));
    }
    let digest: [u8; 32] = digest.finalize().into();
    let hexadecimal: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("\"{hexadecimal}\"")
}

fn etag(labels: &Labels) -> HeaderValue {
    HeaderValue::from_str(&tag(labels)).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// Whether a list of tags, or a star, names this one.
fn names(list: &str, tag: &str) -> bool {
    list.split(',').any(|one| matches!(one.trim(), "*") || one.trim() == tag)
}

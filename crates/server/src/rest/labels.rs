//! `/agents/{uid}/labels`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use tidegate_fleet::Actor;
use tidegate_fleet::agent::{LabelPatch, Labels};

use super::json::{Body, Parameters, uid};
use super::problem::Failure;
use super::{Face, etag};
use crate::control::ControlError;

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
    if etag::is_known(&headers, &tag(&labels)) {
        return Ok(etag::not_modified(&tag(&labels)));
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
    let as_believed = move |labels: &Labels| etag::names(&believed, &tag(labels));
    match face.control.patch_labels(&actor, &uid, patch, as_believed, parameters.dry_run.is_some()).await {
        Ok(labels) => Ok(answer(&labels)),
        Err(error @ ControlError::Stale(_)) => {
            let now = face.control.agent(&actor, &uid)?.agent.labels;
            Ok(etag::with(error.into(), &tag(&now)))
        }
        Err(error) => Err(error.into()),
    }
}

fn answer(labels: &Labels) -> Response {
    let pairs: BTreeMap<_, _> = labels.iter().collect();
    ([(header::ETAG, etag::value(&tag(labels)))], Json(pairs)).into_response()
}

/// The strong tag of labels: a digest of what they are.
fn tag(labels: &Labels) -> String {
    // Neither can hold a line feed.
    etag::of(labels.iter().map(|(key, value)| format!("{key}\n{value}\n")).collect::<String>())
}

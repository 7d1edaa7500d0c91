//! `/agents/{uid}/labels`, `/bulk-operations` and `/operations`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::agent::{LabelPatch, Labels};

use super::idempotency::Key;
use super::json::{Body, Parameters, uid};
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{LabelOrder, Operation, Outcome};

/// Whether an act is only tried.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActParameters {
    dry_run: Option<DryRun>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DryRun {
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

pub(super) async fn bulk(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::BulkRequest>,
) -> Result<Response, Failure> {
    let api::BulkRequest { q, expected_count, tolerance, action } = request;
    let api::BulkAction::Label { labels } = action;
    let order = LabelOrder { query: q, patch: labels, expected_count, tolerance };
    let dry_run = parameters.dry_run.is_some();
    let record = key.record(StatusCode::CREATED, |operation: &Operation| {
        (Some(location(operation)), convert_operation(operation))
    });
    let operation = face.control.label(&actor, order, dry_run, record).await?;
    if dry_run {
        return Ok(Json(convert_operation(&operation)).into_response());
    }
    let body = Json(convert_operation(&operation));
    Ok((StatusCode::CREATED, [(header::LOCATION, location(&operation))], body).into_response())
}

fn location(operation: &Operation) -> String {
    format!("{}/operations/{}", api::BASE, operation.id)
}

pub(super) async fn operation(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Operation>, Failure> {
    Ok(Json(convert_operation(&face.control.operation(&actor, &id)?)))
}

fn convert_operation(operation: &Operation) -> api::Operation {
    let targets: Vec<_> = operation
        .targets
        .iter()
        .map(|target| {
            let (outcome, reason) = match &target.outcome {
                Outcome::Done(reason) => ("succeeded", reason),
                Outcome::Refused(reason) => ("refused", reason),
            };
            api::OperationTarget {
                uid: target.uid.to_string(),
                name: target.name.clone(),
                outcome: outcome.to_owned(),
                reason: reason.clone(),
            }
        })
        .collect();
    let succeeded = targets.iter().filter(|target| target.outcome == "succeeded").count() as u64;
    api::Operation {
        id: operation.id.clone(),
        kind: operation.kind.to_owned(),
        q: operation.query.clone(),
        actor: operation.actor.clone(),
        at: convert::time(operation.at),
        total: targets.len() as u64,
        succeeded,
        refused: targets.len() as u64 - succeeded,
        targets,
    }
}

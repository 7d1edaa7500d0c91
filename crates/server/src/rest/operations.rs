//! `/bulk-operations` and `/operations`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::{Actor, CommandState};

use super::idempotency::Key;
use super::json::{Body, Parameters};
use super::labels::ActParameters;
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{BulkOrder, CommandOrder, Commanded, ControlError, LabelOrder, Operation, Outcome};

pub(super) async fn bulk(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::BulkRequest>,
) -> Result<Response, Failure> {
    let api::BulkRequest { q, expected_count, tolerance, action } = request;
    let dry_run = parameters.dry_run.is_some();
    // Labels are set when the answer comes; commands are then under way.
    let status = match &action {
        api::BulkAction::Label { .. } => StatusCode::CREATED,
        api::BulkAction::Restart { .. } => StatusCode::ACCEPTED,
    };
    let record =
        key.record(status, |operation: &Operation| (Some(location(operation)), convert_operation(operation)));
    let done = match action {
        api::BulkAction::Label { labels } => {
            let order = LabelOrder { query: q, patch: labels, expected_count, tolerance };
            face.control.label(&actor, order, dry_run, record).await
        }
        api::BulkAction::Restart { deadline_seconds } => {
            let deadline = deadline_seconds.map(Duration::from_secs);
            let command = CommandOrder::Restart;
            let order = BulkOrder { query: q, expected_count, tolerance, command, deadline };
            face.control.command_all(&actor, order, dry_run, record).await
        }
    };
    let operation = done.map_err(within_the_action)?;
    let body = Json(convert_operation(&operation));
    if dry_run {
        return Ok(body.into_response());
    }
    Ok((status, [(header::LOCATION, location(&operation))], body).into_response())
}

/// Use cases know an action by itself; in the body of this call it stands below `action`.
fn within_the_action(error: ControlError) -> ControlError {
    match error {
        ControlError::Invalid { pointer, message } if pointer != "/q" => {
            ControlError::Invalid { pointer: format!("/action{pointer}"), message }
        }
        error => error,
    }
}

pub(super) fn location(operation: &Operation) -> String {
    format!("{}/operations/{}", api::BASE, operation.id)
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Operation>, Failure> {
    Ok(Json(convert_operation(&face.control.operation(&actor, &id)?)))
}

pub(super) async fn cancel(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
) -> Result<Json<api::Operation>, Failure> {
    let dry_run = parameters.dry_run.is_some();
    let record = key.record(StatusCode::OK, |operation| (None, convert_operation(operation)));
    Ok(Json(convert_operation(&face.control.cancel_operation(&actor, &id, dry_run, record).await?)))
}

pub(super) fn convert_operation(operation: &Operation) -> api::Operation {
    let mut told = api::Operation {
        id: operation.id.clone(),
        kind: operation.kind.to_owned(),
        q: operation.query.clone(),
        actor: operation.actor.clone(),
        at: convert::time(operation.at),
        total: operation.targets.len() as u64,
        succeeded: 0,
        refused: 0,
        pending: 0,
        failed: 0,
        targets: Vec::with_capacity(operation.targets.len()),
    };
    for target in &operation.targets {
        let (outcome, count, reason, command) = match &target.outcome {
            Outcome::Done(reason) => ("succeeded", &mut told.succeeded, reason, None),
            Outcome::Refused(reason) => ("refused", &mut told.refused, reason, None),
            Outcome::Commanded(Commanded { id, state, ended, reason }) => {
                let count = match state {
                    _ if !ended => &mut told.pending,
                    CommandState::Succeeded | CommandState::Acknowledged => &mut told.succeeded,
                    _ => &mut told.failed,
                };
                (state.as_str(), count, reason, Some(id.0.clone()))
            }
        };
        *count += 1;
        told.targets.push(api::OperationTarget {
            uid: target.uid.to_string(),
            name: target.name.clone(),
            outcome: outcome.to_owned(),
            reason: reason.clone(),
            command,
        });
    }
    told
}

//! `/plans`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::plan::Planned;
use tidegate_opamp::InstanceUid;

use super::idempotency::Key;
use super::json::{Body, Parameters};
use super::labels::ActParameters;
use super::operations::{convert_operation, location};
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{Confirmation, Operation, PlanPage, PlanState};

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Plan>, Failure> {
    Ok(Json(told(&face.control.plan_page(&actor, &id).await?)))
}

/// Carries a plan out, for a person who typed what confirms it.
pub(super) async fn execute(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::PlanExecution>,
) -> Result<Response, Failure> {
    let api::PlanExecution { hash, confirmation: typed, reason } = request;
    let dry_run = parameters.dry_run.is_some();
    let record = key.record(StatusCode::ACCEPTED, |operation: &Operation| {
        (Some(location(operation)), convert_operation(operation))
    });
    let confirmation = Confirmation { hash, typed, reason };
    let operation = face.control.execute_plan(&actor, &id, confirmation, dry_run, record).await?;
    let body = Json(convert_operation(&operation));
    if dry_run {
        return Ok(body.into_response());
    }
    Ok((StatusCode::ACCEPTED, [(header::LOCATION, location(&operation))], body).into_response())
}

pub(super) async fn discard(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
) -> Result<Json<api::Plan>, Failure> {
    let record = key.record(StatusCode::OK, |page: &PlanPage| (None, told(page)));
    Ok(Json(told(&face.control.discard_plan(&actor, &id, record).await?)))
}

/// A plan in the words of the API.
fn told(page: &PlanPage) -> api::Plan {
    let plan = &page.plan;
    let (state, why, operation) = match &page.state {
        PlanState::Waiting => ("waiting", "", None),
        PlanState::UnderWay => ("under-way", "", None),
        PlanState::Done(operation) => ("done", "", Some(operation.clone())),
        PlanState::Stale(why) => ("stale", why.as_str(), None),
        PlanState::Expired(why) => ("expired", why.as_str(), None),
        PlanState::Discarded => ("discarded", "", None),
    };
    let action = match &plan.command {
        Planned::Restart => api::PlanAction::Restart,
        Planned::Message { capability, kind, data } => api::PlanAction::Custom {
            capability: capability.clone(),
            message_type: kind.clone(),
            data: serde_json::from_slice(data).unwrap_or_else(|_| String::from_utf8_lossy(data).into()),
        },
    };
    let agent = |uid: &InstanceUid, name: &str, reason: &str| api::PlanAgent {
        uid: uid.to_string(),
        name: name.to_owned(),
        reason: reason.to_owned(),
    };
    api::Plan {
        id: plan.id.clone(),
        hash: plan.hash(),
        state: state.to_owned(),
        why: why.to_owned(),
        action,
        summary: plan.command.summary(),
        q: plan.query.clone(),
        count: plan.targets.len() as u64,
        agents: page.agents.iter().map(|(uid, name)| agent(uid, name, "")).collect(),
        refused: page.refused_count as u64,
        refused_agents: page.refused.iter().map(|(uid, name, reason)| agent(uid, name, reason)).collect(),
        confirmation: plan.phrase(),
        actor: plan.actor.clone(),
        client: page.client.clone(),
        reason: page.reason.clone(),
        made_at: convert::time(plan.made_at),
        expires_at: convert::time(plan.expires_at()),
        operation,
    }
}

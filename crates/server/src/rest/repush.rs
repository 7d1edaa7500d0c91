//! `/pushes/{id}/actions`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;

use super::idempotency::Key;
use super::json::{Body, Parameters};
use super::labels::ActParameters;
use super::problem::Failure;
use super::{Face, convert, pushes};
use crate::control::{Returning, RollBackOrder, RollBackView, Way};

pub(super) async fn retry(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::RetryRequest>,
) -> Result<(StatusCode, HeaderMap, Json<api::Push>), Failure> {
    let dry_run = parameters.dry_run.is_some();
    let kept = pushes::kept(key);
    let view = face.control.retry_push(&actor, &id, request.expected_count, dry_run, kept).await?;
    if dry_run {
        // Nothing has its id.
        let answer = api::Push { id: String::new(), ..convert::push(&view) };
        return Ok((StatusCode::OK, HeaderMap::new(), Json(answer)));
    }
    Ok(pushes::created(&view))
}

pub(super) async fn roll_back(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::RollBackRequest>,
) -> Result<(StatusCode, Json<api::RollBack>), Failure> {
    let dry_run = parameters.dry_run.is_some();
    let agents = match request.agents {
        api::RollBackAgents::Failed => Returning::Failed,
        api::RollBackAgents::All => Returning::All,
    };
    let order = RollBackOrder { agents, expected_count: request.expected_count };
    let record = key.record(StatusCode::CREATED, |view: &RollBackView| (None, told(view, true)));
    let view = face.control.roll_back(&actor, &id, order, dry_run, record).await?;
    let status = if dry_run { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(told(&view, !dry_run))))
}

/// A roll back in the words of the API; the pushes of one that is only tried have no ids.
fn told(view: &RollBackView, done: bool) -> api::RollBack {
    let mut summary = api::RollBackSummary { left: view.left, ..api::RollBackSummary::default() };
    let agent = |(uid, name, way): &(tidegate_opamp::InstanceUid, String, Way)| {
        let (count, word, reason, config, push) = match way {
            Way::Back(push, config) => {
                let push = done.then(|| push.0.clone());
                (&mut summary.back, "back", "", Some(config.to_string()), push)
            }
            Way::Nowhere => {
                let reason = "no config is known that it applied before this push";
                (&mut summary.nowhere, "nowhere", reason, None, None)
            }
            Way::Superseded => {
                let reason = "it has been given another config since";
                (&mut summary.superseded, "superseded", reason, None, None)
            }
        };
        *count += 1;
        let (uid, name) = (uid.to_string(), name.clone());
        api::RollBackAgent { uid, name, way: word.to_owned(), reason: reason.to_owned(), config, push }
    };
    let agents = view.agents.iter().map(agent).collect();
    let listed = |push: &tidegate_fleet::Push| {
        let told = convert::push_listed(push);
        if done { told } else { api::PushListed { id: String::new(), ..told } }
    };
    let pushes = view.pushes.iter().map(listed).collect();
    api::RollBack { roll_back_of: view.of.0.clone(), summary, pushes, agents }
}

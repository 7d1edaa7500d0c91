//! `/fleet/attention`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::calls::Call;

use super::Face;
use super::agents::SummaryParameters;
use super::json::Parameters;
use super::problem::Failure;

/// What in the fleet calls for a person.
pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(SummaryParameters { q }): Parameters<SummaryParameters>,
) -> Result<Json<api::FleetAttention>, Failure> {
    let sentence = |call: Call| api::AttentionSentence {
        level: call.level.as_str().to_owned(),
        sentence: call.sentence,
        query: call.query,
        count: call.count,
    };
    let calls = face.control.calls(&actor, &q).await?;
    Ok(Json(api::FleetAttention { items: calls.into_iter().map(sentence).collect() }))
}

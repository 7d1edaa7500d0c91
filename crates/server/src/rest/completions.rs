//! `/agents/completions`.

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::query::MAX_QUERY_BYTES;

use super::Face;
use super::json::Parameters;
use super::problem::Failure;
use crate::control::Kind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CompletionParameters {
    #[serde(default)]
    q: String,
    at: Option<usize>,
}

/// What a query may go on with; at its end unless a place is named.
pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(CompletionParameters { q, at }): Parameters<CompletionParameters>,
) -> Result<Json<api::Completions>, Failure> {
    if q.len() > MAX_QUERY_BYTES {
        return Err(Failure::invalid("q", format!("a query has at most {MAX_QUERY_BYTES} bytes")));
    }
    let found = face.control.complete(&actor, &q, at.unwrap_or(usize::MAX)).await?;
    let item = |proposal: &crate::control::Proposal| api::Completion {
        kind: match proposal.kind {
            Kind::Key => "key",
            Kind::Value => "value",
            Kind::Agent => "agent",
        }
        .to_owned(),
        text: proposal.text.clone(),
        count: proposal.count,
    };
    Ok(Json(api::Completions {
        from: found.place.0 as u64,
        to: found.place.1 as u64,
        items: found.proposals.iter().map(item).collect(),
    }))
}

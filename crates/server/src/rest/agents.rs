//! `/agents`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use tidegate_api as api;
use tidegate_fleet::Actor;

use super::json::{Parameters, uid};
use super::problem::Failure;
use super::{Face, convert};

/// Rows of a page unless the caller asks for another number.
const DEFAULT_LIMIT: usize = 100;

/// Most rows of a page.
pub(super) const MAX_LIMIT: usize = 500;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParameters {
    #[serde(default)]
    q: String,
    cursor: Option<String>,
    limit: Option<usize>,
}

pub(super) fn limit(asked: Option<usize>) -> Result<usize, Failure> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        limit => Err(Failure::invalid("limit", format!("{limit} does not lie between 1 and {MAX_LIMIT}"))),
    }
}

pub(super) async fn list(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<api::List<api::Agent>>, Failure> {
    let wrong_cursor = |_| Failure::invalid("cursor", "it was not made by this server; list from the start");
    let after = parameters.cursor.map(|cursor| cursor.parse()).transpose().map_err(wrong_cursor)?;
    let page = face.control.list_agents(&actor, &parameters.q, after, limit(parameters.limit)?)?;
    Ok(Json(api::List {
        items: page.agents.iter().map(convert::agent).collect(),
        next_cursor: page.next.map(|uid| uid.to_string()),
        total: api::Total { value: page.total as u64, exact: true },
    }))
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
) -> Result<Json<api::AgentDetail>, Failure> {
    Ok(Json(convert::agent_detail(&face.control.agent(&actor, &uid(&text)?)?)))
}

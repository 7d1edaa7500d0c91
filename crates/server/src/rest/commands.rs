//! `/commands` and `/agents/{uid}/commands`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use tidegate_api as api;
use tidegate_fleet::{Actor, CommandState};

use super::idempotency::Key;
use super::json::{Body, Parameters, uid};
use super::labels::ActParameters;
use super::problem::Failure;
use super::{Face, agents, convert};
use crate::control::{CommandFilter, CommandOrder};

pub(super) async fn create(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(text): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    Body(request): Body<api::CommandRequest>,
) -> Result<(StatusCode, Json<api::Command>), Failure> {
    let (order, deadline) = match request {
        api::CommandRequest::Restart { deadline_seconds } => (CommandOrder::Restart, deadline_seconds),
        api::CommandRequest::Custom { capability, message_type, data, deadline_seconds } => {
            let data = match data {
                Value::Null => Bytes::new(),
                Value::String(text) => Bytes::from(text),
                json => Bytes::from(json.to_string()),
            };
            (CommandOrder::Custom { capability, kind: message_type, data }, deadline_seconds)
        }
    };
    let deadline = deadline.map(Duration::from_secs);
    if parameters.dry_run.is_some() {
        let planned = face.control.plan_command(&actor, &uid(&text)?, order, deadline)?;
        // Nothing has its id.
        return Ok((StatusCode::OK, Json(api::Command { id: String::new(), ..convert::command(&planned) })));
    }
    let record = key.record(StatusCode::ACCEPTED, |command| (None, convert::command(command)));
    let command = face.control.queue_command(&actor, &uid(&text)?, order, deadline, record).await?;
    Ok((StatusCode::ACCEPTED, Json(convert::command(&command))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ListParameters {
    agent: Option<String>,
    state: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn list(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Json<api::List<api::Command>>, Failure> {
    let agent = parameters.agent.as_deref().map(uid).transpose()?;
    let state = match parameters.state.as_deref() {
        None => None,
        Some(word) => Some(CommandState::from_word(word).ok_or_else(|| {
            let known = CommandState::ALL.map(CommandState::as_str).join(", ");
            Failure::invalid("state", format!("{word:?} is none of {known}"))
        })?),
    };
    let limit = agents::limit(parameters.limit)?;
    let asked = format!("commands\n{agent:?}\n{state:?}");
    let now = face.control.now();
    let cursor = parameters.cursor.as_deref();
    let after = cursor.map(|cursor| face.cursors.marked(&asked, cursor, now)).transpose()?;
    let commands = face.control.commands(&actor, CommandFilter { agent, state })?;
    // Newest first: what follows has a lesser id.
    let rest = commands.iter().filter(|command| after.as_ref().is_none_or(|after| command.id.0 < *after));
    let rest: Vec<_> = rest.take(limit + 1).collect();
    let page = rest.get(..limit).unwrap_or(&rest);
    let last = page.last().filter(|_| rest.len() > limit);
    Ok(Json(api::List {
        items: page.iter().map(|command| convert::command(command)).collect(),
        next_cursor: last.map(|last| face.cursors.mark(&asked, &last.id.0, now)),
        total: api::Total { value: commands.len() as u64, exact: true },
        facets: BTreeMap::new(),
    }))
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(id): Path<String>,
) -> Result<Json<api::Command>, Failure> {
    Ok(Json(convert::command(&face.control.command(&actor, &id)?)))
}

pub(super) async fn cancel(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Extension(key): Extension<Key>,
    Path(id): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
) -> Result<Json<api::Command>, Failure> {
    if parameters.dry_run.is_some() {
        return Ok(Json(convert::command(&face.control.plan_cancel(&actor, &id)?)));
    }
    let record = key.record(StatusCode::OK, |command| (None, convert::command(command)));
    Ok(Json(convert::command(&face.control.cancel_command(&actor, &id, record).await?)))
}

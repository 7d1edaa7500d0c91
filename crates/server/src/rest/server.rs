//! `/server`, `/capabilities`, `/metrics` and the probes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_custom::{Direction, Field, JsonForm, MessageType};
use tidegate_fleet::{Actor, Timestamp};

use super::problem::Failure;
use super::{Face, convert};

pub(super) async fn server(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<api::ServerStatus>, Failure> {
    let view = face.control.server(&actor).await?;
    let now = face.control.now();
    let run = |(at, took, result): (Timestamp, Duration, Result<String, String>)| {
        let ok = result.is_ok();
        let result = result.unwrap_or_else(|error| error);
        api::TaskRun { at: convert::time(at), took_ms: took.as_secs_f64() * 1000.0, ok, result }
    };
    let tasks = view.tasks.into_iter().map(|task| api::TaskStatus {
        name: task.name.to_owned(),
        period_ms: u64::try_from(task.period.as_millis()).unwrap_or(u64::MAX),
        last: task.last.map(run),
    });
    Ok(Json(api::ServerStatus {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: Some(convert::time(view.started)),
        agents: view.agents as u64,
        connections: u64::try_from(view.connections).unwrap_or_default(),
        transports: view.transports.into_iter().flat_map(|facet| facet.values).collect(),
        messages: api::MessageFlow {
            total: view.messages,
            per_second_10s: view.message_rates[0],
            per_second_60s: view.message_rates[1],
        },
        store: Some(api::StoreStatus {
            bytes: view.store.bytes,
            transactions: view.store.transactions,
            last_commit: view.store.last_commit.map(|commit| {
                let ago = u64::try_from(commit.ended.elapsed().as_millis()).unwrap_or(u64::MAX);
                api::StoreCommit {
                    at: convert::time(Timestamp(now.0.saturating_sub(ago))),
                    took_ms: commit.took.as_secs_f64() * 1000.0,
                    transactions: commit.transactions as u64,
                }
            }),
        }),
        tasks: tasks.collect(),
    }))
}

pub(super) async fn capabilities() -> Json<api::Catalogue> {
    let field = |field: &Field| api::MessageField {
        name: field.name.to_owned(),
        form: match field.form {
            JsonForm::Text => api::FieldForm::Text,
            JsonForm::Number => api::FieldForm::Number,
            JsonForm::Flag => api::FieldForm::Flag,
            JsonForm::Object => api::FieldForm::Object,
            JsonForm::List => api::FieldForm::List,
        },
        required: field.required,
        meaning: field.meaning.to_owned(),
    };
    let message = |message: &MessageType| api::MessageType {
        kind: message.kind.to_owned(),
        direction: match message.direction {
            Direction::ToAgent => api::Direction::ToAgent,
            Direction::ToServer => api::Direction::ToServer,
        },
        summary: message.summary.to_owned(),
        fields: message.fields.iter().map(field).collect(),
    };
    let items = tidegate_custom::catalogue().iter().map(|known| api::CustomCapability {
        name: known.name.to_owned(),
        summary: known.summary.to_owned(),
        idempotent: known.idempotent,
        messages: known.messages.iter().map(message).collect(),
    });
    Json(api::Catalogue { items: items.collect() })
}

pub(super) async fn metrics(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<impl IntoResponse, Failure> {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], face.control.metrics(&actor)?))
}

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The fleet is loaded and both planes are open: nothing is served before that.
pub(super) async fn ready() -> &'static str {
    "ok\n"
}

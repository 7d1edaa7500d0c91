//! `/server`, `/capabilities`, `/metrics` and the probes.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::{Value, json};
use tidegate_fleet::Actor;

use super::problem::Failure;
use super::{Face, convert};

pub(super) async fn server(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<Value>, Failure> {
    let view = face.control.server(&actor)?;
    let task = |task: crate::background::TaskView| {
        let last = task.last.map(|(at, took, result)| {
            let (ok, text) = match result {
                Ok(text) => (true, text),
                Err(text) => (false, text),
            };
            json!({"at": convert::time(at), "took_ms": took.as_secs_f64() * 1000.0, "ok": ok, "result": text})
        });
        json!({"name": task.name, "period_ms": task.period.as_millis(), "last": last})
    };
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "agents": view.agents,
        "connections": view.connections,
        "tasks": view.tasks.into_iter().map(task).collect::<Vec<_>>(),
    })))
}

pub(super) async fn capabilities() -> Json<Value> {
    Json(json!({ "items": tidegate_custom::catalogue() }))
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

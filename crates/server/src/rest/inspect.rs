//! `/agents/{uid}/timeline`, `/report` and `/capabilities`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidegate_api as api;
use tidegate_custom::{Capability, Direction, Field, JsonForm};
use tidegate_fleet::{Actor, Timestamp};

use super::json::{Parameters, uid};
use super::problem::Failure;
use super::{Face, agents, convert, report};
use crate::control::{Happening, Place};

pub(super) async fn report(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
) -> Result<Json<api::AgentReport>, Failure> {
    Ok(Json(report::of(&face.control.agent(&actor, &uid(&text)?)?)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TimelineParameters {
    limit: Option<usize>,
    cursor: Option<String>,
}

pub(super) async fn timeline(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
    Parameters(parameters): Parameters<TimelineParameters>,
) -> Result<Json<api::List<api::TimelineItem>>, Failure> {
    let (uid, limit) = (uid(&text)?, agents::limit(parameters.limit)?);
    let (asked, now) = (format!("timeline {uid}"), face.control.now());
    let cursor = parameters.cursor.as_deref();
    let mark = cursor.map(|cursor| face.cursors.marked(&asked, cursor, now)).transpose()?;
    let before = mark.as_deref().and_then(place);
    let name = face.control.agent(&actor, &uid)?.agent.name();
    let mut found = face.control.timeline(&actor, &uid, before.as_ref(), limit + 1)?;
    let more = found.len() > limit;
    found.truncate(limit);
    let last = found.last().filter(|_| more).map(|last| {
        let (at, what) = last.place();
        face.cursors.mark(&asked, &format!("{} {what}", at.0), now)
    });
    Ok(Json(api::List {
        total: api::Total { value: found.len() as u64, exact: !more && before.is_none() },
        items: found.iter().map(|happening| item(happening, &name)).collect(),
        next_cursor: last,
        facets: BTreeMap::new(),
    }))
}

fn place(mark: &str) -> Option<Place> {
    let (at, what) = mark.split_once(' ')?;
    Some((Timestamp(at.parse().ok()?), what.to_owned()))
}

fn item(happening: &Happening, name: &str) -> api::TimelineItem {
    let item = |kind: &str| api::TimelineItem {
        at: convert::time(happening.place().0),
        kind: kind.to_owned(),
        event: None,
        command: None,
        push: None,
    };
    match happening {
        Happening::Event(stored) => {
            api::TimelineItem { event: Some(convert::event(stored, name)), ..item("event") }
        }
        Happening::Command(command) => {
            api::TimelineItem { command: Some(convert::command(command)), ..item("command") }
        }
        Happening::Push(push, state, reason) => {
            let (push, state) = (convert::push_listed(push), convert::push_state(*state).to_owned());
            let push = api::TimelinePush { push, state, reason: reason.clone() };
            api::TimelineItem { push: Some(push), ..item("push") }
        }
    }
}

pub(super) async fn capabilities(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
) -> Result<Json<api::AgentCatalogue>, Failure> {
    let sendable = face.control.sendable(&actor, &uid(&text)?)?;
    let items = sendable.custom.iter().filter_map(|(name, known)| match known {
        Some(known) => capability(known),
        None => Some(api::AgentCapability {
            name: name.clone(),
            known: false,
            summary: String::new(),
            idempotent: false,
            answers: true,
            messages: Vec::new(),
        }),
    });
    Ok(Json(api::AgentCatalogue {
        restart: sendable.restart,
        remote_config: sendable.remote_config,
        items: items.collect(),
    }))
}

/// What may be sent to a capability that is known; `None` where that is nothing.
fn capability(known: &Capability) -> Option<api::AgentCapability> {
    let orders = known.messages.iter().filter(|message| message.direction == Direction::ToAgent);
    let message = |message: &tidegate_custom::MessageType| api::SendableMessage {
        message_type: message.kind.to_owned(),
        summary: message.summary.to_owned(),
        arguments: arguments(message.fields),
    };
    let messages: Vec<_> = orders.map(message).collect();
    (!messages.is_empty()).then(|| api::AgentCapability {
        name: known.name.to_owned(),
        known: true,
        summary: known.summary.to_owned(),
        idempotent: known.idempotent,
        answers: known.answers(),
        messages,
    })
}

/// The JSON schema of a payload.
fn arguments(fields: &[Field]) -> Value {
    let property = |field: &Field| {
        let mut schema = match field.form {
            JsonForm::Text => json!({"type": "string"}),
            JsonForm::Number => json!({"type": "integer", "minimum": 0}),
            JsonForm::Flag => json!({"type": "boolean"}),
            JsonForm::Object => json!({"type": "object"}),
            JsonForm::List => json!({"type": "array"}),
        };
        schema["description"] = json!(field.meaning);
        (field.name.to_owned(), schema)
    };
    let properties: Map<_, _> = fields.iter().map(property).collect();
    let required: Vec<_> = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
    json!({"type": "object", "properties": properties, "required": required})
}

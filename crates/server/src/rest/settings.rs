//! `/connection-settings`.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use tidegate_api as api;
use tidegate_fleet::Actor;

use super::json::{Body, Parameters, uid};
use super::labels::ActParameters;
use super::problem::Failure;
use super::settings_convert::{self as convert, Secrets};
use super::{Face, etag, settings_convert};
use crate::control::{Belief, ControlError, RuleOrder, TargetOrder};

pub(super) async fn list(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
) -> Result<Json<api::List<api::SettingsRule>>, Failure> {
    let rules = face.control.settings_rules(&actor)?;
    Ok(Json(api::List {
        total: api::Total { value: rules.len() as u64, exact: true },
        items: rules.iter().map(settings_convert::rule).collect(),
        next_cursor: None,
        facets: BTreeMap::new(),
    }))
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    Ok(answer(StatusCode::OK, &convert::rule(&face.control.settings_rule(&actor, &name)?)))
}

pub(super) async fn put(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    headers: HeaderMap,
    Body(request): Body<api::SettingsRequest>,
) -> Result<Response, Failure> {
    let before = match face.control.settings_rule(&actor, &name) {
        Ok(view) => Some(view.rule),
        Err(ControlError::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let belief = match belief(&headers)? {
        None if before.is_none() => Belief::Absent,
        None => return Err(condition_required()),
        Some(belief) => belief,
    };
    let target = target(&request.target)?;
    let secrets = Secrets::of(before.as_ref().map(|rule| &rule.settings));
    let settings = convert::settings(&request, &secrets)?;
    let dry_run = parameters.dry_run.is_some();
    let priority = request.priority;
    let order = RuleOrder { name: name.clone(), target, priority, settings, belief, dry_run };
    let view = match face.control.put_settings(&actor, order).await {
        Ok(view) => view,
        Err(error) => return refused(&face, &actor, &name, error),
    };
    if dry_run {
        // Without a tag: nothing has this revision.
        return Ok(Json(convert::rule(&view)).into_response());
    }
    let status = if view.rule.revision == 1 { StatusCode::CREATED } else { StatusCode::OK };
    Ok(answer(status, &convert::rule(&view)))
}

pub(super) async fn delete(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(name): Path<String>,
    Parameters(parameters): Parameters<ActParameters>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let belief = belief(&headers)?.ok_or_else(condition_required)?;
    let done = if parameters.dry_run.is_some() {
        let planned = face.control.plan_delete(&actor, &name, belief);
        planned.map(|view| answer(StatusCode::OK, &convert::rule(&view)))
    } else {
        let deleted = face.control.delete_settings(&actor, &name, belief).await;
        deleted.map(|()| StatusCode::NO_CONTENT.into_response())
    };
    done.or_else(|error| refused(&face, &actor, &name, error))
}

/// What was refused because the rule has changed is told with the tag that it has now.
fn refused(face: &Face, actor: &Actor, name: &str, error: ControlError) -> Result<Response, Failure> {
    if !matches!(error, ControlError::Stale(_)) {
        return Err(error.into());
    }
    match face.control.settings_rule(actor, name) {
        Ok(view) => Ok(etag::with(error.into(), &tag(view.rule.revision))),
        // There is none, and nothing to name.
        Err(_) => Err(error.into()),
    }
}

fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// An answer with the rule's revision as its strong tag.
fn answer(status: StatusCode, rule: &api::SettingsRule) -> Response {
    let mut response = (status, Json(rule)).into_response();
    response.headers_mut().insert(header::ETAG, etag::value(&tag(rule.revision)));
    response
}

/// What the caller believes of the rule, where they say so.
fn belief(headers: &HeaderMap) -> Result<Option<Belief>, Failure> {
    let text = |name| headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default().trim());
    match (text(header::IF_MATCH), text(header::IF_NONE_MATCH)) {
        (None, None) => Ok(None),
        (None, Some("*")) => Ok(Some(Belief::Absent)),
        (Some("*"), None) => Ok(Some(Belief::Present)),
        (Some(tag), None) => {
            let revision = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            let revision = revision.and_then(|revision| revision.parse().ok());
            // A tag of another form is of no revision that ever was.
            Ok(Some(Belief::Revision(revision.unwrap_or(0))))
        }
        _ => Err(Failure::invalid("If-None-Match", "only * is understood, and not beside If-Match")),
    }
}

fn condition_required() -> Failure {
    let detail =
        "the rule is there; send its ETag as If-Match, so that no one's change is overwritten unseen";
    Failure::new(
        StatusCode::PRECONDITION_REQUIRED,
        "precondition-required",
        "A condition is required",
        detail,
    )
}

fn target(target: &api::SettingsTarget) -> Result<TargetOrder, Failure> {
    match target {
        api::SettingsTarget { all: true, q: None, agent: None } => Ok(TargetOrder::Fleet),
        api::SettingsTarget { all: false, q: Some(q), agent: None } => Ok(TargetOrder::Query(q.clone())),
        api::SettingsTarget { all: false, q: None, agent: Some(text) } => Ok(TargetOrder::Agent(uid(text)?)),
        _ => Err(Failure::invalid("/target", "give one of all, q and agent")),
    }
}

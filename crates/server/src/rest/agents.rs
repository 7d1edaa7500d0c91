//! `/agents` and `/fleet`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use tidegate_api as api;
use tidegate_fleet::Actor;
use tidegate_fleet::index::{Facet, Sort};
use tidegate_fleet::query::Key;

use super::json::{self, Parameters, uid};
use super::problem::Failure;
use super::{Face, convert};
use crate::control::{AgentView, ListOrder};

/// Rows of a page unless the caller asks for another number.
const DEFAULT_LIMIT: usize = 100;

/// Most rows of a page.
pub(super) const MAX_LIMIT: usize = 500;

/// Most facets of one call.
const MAX_FACETS: usize = 12;

/// Rows that are made ready at once when everything is streamed.
const CHUNK: usize = 100;

/// The keys of an agent that `fields` can name.
const FIELDS: [&str; 15] = [
    "uid",
    "name",
    "service",
    "connection",
    "health",
    "config",
    "attention",
    "transport",
    "first_seen",
    "last_seen",
    "started_at",
    "attributes",
    "labels",
    "capabilities",
    "custom_capabilities",
];

/// What the overview of a fleet counts.
const SUMMARY: [&str; 8] =
    ["connection", "health", "config", "attention", "transport", "service", "version", "os"];

/// What a list asks, in the address or, for long queries, in a body.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ListParameters {
    q: String,
    cursor: Option<String>,
    limit: Option<usize>,
    sort: String,
    fields: String,
    facets: String,
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
    headers: HeaderMap,
    Parameters(parameters): Parameters<ListParameters>,
) -> Result<Response, Failure> {
    answer(face, actor, &headers, parameters).await
}

pub(super) async fn search(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    headers: HeaderMap,
    json::Body(parameters): json::Body<ListParameters>,
) -> Result<Response, Failure> {
    answer(face, actor, &headers, parameters).await
}

async fn answer(
    face: Arc<Face>,
    actor: Actor,
    headers: &HeaderMap,
    parameters: ListParameters,
) -> Result<Response, Failure> {
    let sort = Sort::read(&parameters.sort).map_err(|error| Failure::invalid("sort", error.0))?;
    let fields = Fields::read(&parameters.fields)?;
    let facets = facets(&parameters.facets)?;
    // A cursor holds for one query in one order.
    let asked = format!("{}\n{}", parameters.sort, parameters.q);
    let now = face.control.now();
    let after = match &parameters.cursor {
        None => None,
        Some(cursor) => Some(face.cursors.read(&asked, cursor, now)?),
    };
    let order = ListOrder { query: parameters.q, sort, after, limit: None, facets };
    if wants_stream(headers) {
        return stream(face, actor, order, fields).await;
    }
    let order = ListOrder { limit: Some(limit(parameters.limit)?), ..order };
    let page = face.control.list_agents(&actor, order).await?;
    let items = page.agents.iter().map(|view| fields.of(&convert::agent(view))).collect();
    Ok(Json(api::List::<Value> {
        items,
        next_cursor: page.next.as_ref().map(|place| face.cursors.write(&asked, place, now)),
        total: api::Total { value: page.total, exact: true },
        facets: page.facets.iter().map(facet).collect(),
    })
    .into_response())
}

fn wants_stream(headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepts.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == api::NDJSON_TYPE))
}

/// Every agent that matches, one a line, as it is when its line is written.
async fn stream(
    face: Arc<Face>,
    actor: Actor,
    order: ListOrder,
    fields: Fields,
) -> Result<Response, Failure> {
    let uids = face.control.matching(&actor, &order).await?;
    let state = (face, actor, fields, uids.into_iter());
    let lines = futures_util::stream::unfold(state, |(face, actor, fields, mut uids)| async move {
        let mut lines = Vec::new();
        let mut any = false;
        for uid in uids.by_ref().take(CHUNK) {
            any = true;
            // One that has been forgotten meanwhile is left out.
            if let Ok(view) = face.control.agent(&actor, &uid) {
                lines.extend(fields.of(&convert::agent(&view)).to_string().into_bytes());
                lines.push(b'\n');
            }
        }
        any.then(|| (Ok::<_, Infallible>(Bytes::from(lines)), (face, actor, fields, uids)))
    });
    Ok(([(header::CONTENT_TYPE, api::NDJSON_TYPE)], Body::from_stream(lines)).into_response())
}

/// The keys of an agent that are told.
#[derive(Clone, Debug, Default)]
struct Fields(Vec<String>);

impl Fields {
    fn read(text: &str) -> Result<Self, Failure> {
        let names: Vec<_> = text.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect();
        match names.iter().find(|name| !FIELDS.contains(&name.as_str())) {
            Some(name) => {
                Err(Failure::invalid("fields", format!("{name:?} is none of {}", FIELDS.join(", "))))
            }
            None => Ok(Self(names)),
        }
    }

    /// An agent with these keys and its uid; all keys where none was named.
    fn of(&self, agent: &api::Agent) -> Value {
        // The API's types have text keys and finite numbers: they always become JSON.
        let mut value = serde_json::to_value(agent).unwrap_or_default();
        if let (Some(object), false) = (value.as_object_mut(), self.0.is_empty()) {
            object.retain(|key, _| key == "uid" || self.0.iter().any(|name| name == key));
        }
        value
    }
}

fn facets(text: &str) -> Result<Vec<Key>, Failure> {
    let names: Vec<_> = text.split(',').filter(|name| !name.is_empty()).collect();
    if names.len() > MAX_FACETS {
        return Err(Failure::invalid("facets", format!("count at most {MAX_FACETS} keys at once")));
    }
    let key = |name: &&str| {
        let key = Key::named(name).map_err(|message| Failure::invalid("facets", message))?;
        if key.is_time() {
            return Err(Failure::invalid("facets", format!("{name} has too many values to be counted")));
        }
        Ok(key)
    };
    names.iter().map(key).collect()
}

fn facet(facet: &Facet) -> (String, api::Facet) {
    let value = |(value, count): &(String, u64)| api::FacetValue { value: value.clone(), count: *count };
    let counted = api::Facet {
        values: facet.values.iter().map(value).collect(),
        other: facet.other,
        missing: facet.missing,
    };
    (facet.key.to_string(), counted)
}

pub(super) async fn get(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Path(text): Path<String>,
) -> Result<Json<api::AgentDetail>, Failure> {
    let view: AgentView = face.control.agent(&actor, &uid(&text)?)?;
    Ok(Json(convert::agent_detail(&view)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SummaryParameters {
    #[serde(default)]
    pub(super) q: String,
}

/// How many agents stand where, on every axis at once.
pub(super) async fn summary(
    State(face): State<Arc<Face>>,
    Extension(actor): Extension<Actor>,
    Parameters(SummaryParameters { q }): Parameters<SummaryParameters>,
) -> Result<Json<api::FleetSummary>, Failure> {
    let facets = SUMMARY.iter().filter_map(|name| Key::named(name).ok()).collect();
    let order = ListOrder { query: q, limit: Some(0), facets, ..ListOrder::default() };
    let page = face.control.list_agents(&actor, order).await?;
    let by: BTreeMap<_, _> = page.facets.iter().map(facet).collect();
    Ok(Json(api::FleetSummary { total: page.total, by }))
}

//! The API told to programs: OpenAPI 3.1, made of the wire types and of one table of calls.

mod agent_calls;
mod call;
mod headers;
mod operations;
mod page;
mod parameters;
mod plan_calls;
mod push_calls;
mod shapes;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use tidegate_api as api;
use utoipa::ToSchema;

use call::{Answer, Operation, PROBLEMS, Parameter, is_open};

/// The document as it is served, and as `openapi.json` at the root of the repository holds it.
pub(super) static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
});

static PAGE: LazyLock<String> = LazyLock::new(|| page::page(&document()));

/// Nothing may be loaded, run, sent or framed by the page.
const POLICY: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) async fn json() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT.as_str())
}

pub(super) async fn docs() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, PAGE.as_str())
}

fn document() -> Value {
    let mut paths = Map::new();
    for operation in operations::all() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_owned(), describe(operation));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            "description": "The operators' plane of a Tidegate server.",
        },
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "tidegate_session"},
            },
            "headers": headers::all(),
            "schemas": schemas(),
        },
    })
}

fn describe(operation: &Operation) -> Value {
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<_> = in_path
        .map(|name| {
            let schema = shapes::parameter(name, "string");
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect();
    parameters.extend(operation.parameters.iter().map(parameter));
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": responses(operation),
    });
    if let Some(schema) = operation.body {
        let content = json!({"application/json": {"schema": reference(schema)}});
        described["requestBody"] = json!({"required": true, "content": content});
    }
    if is_open(operation) {
        described["security"] = json!([]);
    }
    described
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.description,
        "schema": shapes::parameter(parameter.name, parameter.kind),
    })
}

fn responses(operation: &Operation) -> Value {
    let answer = match &operation.answer {
        Answer::One(schema) => json_content(&reference(schema)),
        Answer::List(schema) => json_content(&list(schema)),
        Answer::Agents => json!({
            "application/json": {"schema": list("Agent")},
            api::NDJSON_TYPE: {"schema": {"type": "string"}},
        }),
        Answer::Object(text) => json_content(&json!({"type": "object", "description": text})),
        Answer::Text(media_type) => json!({*media_type: {"schema": {"type": "string"}}}),
        Answer::Nothing => Value::Null,
    };
    let mut told = json!({"description": operation.summary});
    if !answer.is_null() {
        told["content"] = answer;
    }
    let mut responses = Map::new();
    match operation.id {
        "createBulkOperation" => drop(responses.insert("202".into(), told.clone())),
        "putConnectionSettings" => drop(responses.insert("201".into(), told.clone())),
        // What would be removed.
        "deleteConnectionSettings" => {
            let content = json_content(&reference("SettingsRule"));
            responses.insert("200".into(), json!({"description": operation.summary, "content": content}));
        }
        _ => {}
    }
    let takes = |name: &str| operation.parameters.iter().any(|given| given.name == name);
    if takes("dry_run") && !responses.contains_key("200") {
        responses.insert("200".into(), told.clone());
    }
    if operation.method == "get" && takes("If-None-Match") {
        responses.insert("304".into(), json!({"description": "It has this ETag."}));
    }
    responses.insert(operation.status.to_string(), told);
    let of_all: &[&str] = if is_open(operation) {
        &[]
    } else {
        &["unauthenticated", "forbidden", "cross-site", "rate-limited"]
    };
    let mut by_status: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    for (code, status) in PROBLEMS {
        if operation.problems.contains(&code) || of_all.contains(&code) {
            by_status.entry(status).or_default().push(code);
        }
    }
    for (status, codes) in by_status {
        let description = codes.iter().map(|code| format!("`{code}`")).collect::<Vec<_>>().join(", ");
        let content = json!({api::PROBLEM_TYPE: {"schema": reference("Problem")}});
        responses.insert(
            status.to_string(),
            json!({"description": description, "content": content, "x-codes": codes}),
        );
    }
    for (status, response) in &mut responses {
        response["headers"] = headers::of(operation, status);
    }
    Value::Object(responses)
}

fn json_content(schema: &Value) -> Value {
    json!({"application/json": {"schema": schema}})
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn list(schema: &str) -> Value {
    json!({
        "type": "object",
        "required": ["items", "total"],
        "properties": {
            "items": {"type": "array", "items": reference(schema)},
            "next_cursor": {"type": "string", "description": "Names the next page; absent on the last."},
            "total": reference("Total"),
            "facets": {"type": "object", "additionalProperties": reference("Facet")},
        },
    })
}

fn schemas() -> Map<String, Value> {
    let mut found = Vec::new();
    add::<api::AgentDetail>(&mut found);
    add::<api::Agent>(&mut found);
    add::<api::AgentMetrics>(&mut found);
    add::<api::AgentReport>(&mut found);
    add::<api::TimelineItem>(&mut found);
    add::<api::AgentCatalogue>(&mut found);
    add::<api::AgentConfig>(&mut found);
    add::<api::Completions>(&mut found);
    add::<api::FleetSummary>(&mut found);
    add::<api::FleetAttention>(&mut found);
    add::<api::Total>(&mut found);
    add::<api::BulkRequest>(&mut found);
    add::<api::Operation>(&mut found);
    add::<api::CommandRequest>(&mut found);
    add::<api::Command>(&mut found);
    add::<api::SettingsRequest>(&mut found);
    add::<api::SettingsRule>(&mut found);
    add::<api::PushRequest>(&mut found);
    add::<api::Push>(&mut found);
    add::<api::PushListed>(&mut found);
    add::<api::RetryRequest>(&mut found);
    add::<api::RollBackRequest>(&mut found);
    add::<api::RollBack>(&mut found);
    add::<api::Plan>(&mut found);
    add::<api::PlanExecution>(&mut found);
    add::<api::Event>(&mut found);
    add::<api::PluginSchema>(&mut found);
    add::<api::ServerStatus>(&mut found);
    add::<api::Catalogue>(&mut found);
    add::<api::LogIn>(&mut found);
    add::<api::Session>(&mut found);
    add::<api::LoginLink>(&mut found);
    add::<api::Problem>(&mut found);
    let mut schemas: Map<String, Value> = found
        .into_iter()
        .map(|(name, schema)| (name, serde_json::to_value(schema).unwrap_or_default()))
        .collect();
    shapes::extend(&mut schemas);
    shapes::refine(&mut schemas);
    schemas
}

type Found = Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>;

/// A type's schema, and those that it refers to.
fn add<T: ToSchema>(found: &mut Found) {
    found.push((T::name().into_owned(), T::schema()));
    T::schemas(found);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// Every path with its methods, as the router's source has them.
    fn routes() -> BTreeSet<(String, String)> {
        let source = include_str!("../mod.rs");
        let mut routes = BTreeSet::new();
        let nested = source.find(".nest(").unwrap();
        for (start, _) in source.match_indices(".route(") {
            let rest = &source[start..];
            let end = rest[1..].find(".route(").map_or(rest.len(), |end| end + 1);
            let call = &rest[..rest[..end].find(';').unwrap_or(end)];
            let path = call.split('"').nth(1).unwrap();
            let base = if start < nested { api::BASE } else { "" };
            for method in ["get", "post", "put", "patch", "delete"] {
                if call.contains(&format!(" {method}(")) || call.contains(&format!(".{method}(")) {
                    routes.insert((format!("{base}{path}"), method.to_owned()));
                }
            }
        }
        routes
    }

    #[test]
    fn given_the_routes_when_compared_with_the_document_then_each_is_in_the_other() {
        let told = operations::all().map(|call| (call.path.to_owned(), call.method.to_owned()));
        let (routes, told): (_, BTreeSet<_>) = (routes(), told.collect());
        assert_eq!(routes, told);
        assert_eq!(told.len(), operations::all().count(), "a call is told twice");
        let ids: BTreeSet<_> = operations::all().map(|call| call.id).collect();
        assert_eq!(ids.len(), operations::all().count(), "an id is given twice");
    }

    #[test]
    fn given_the_codes_of_problems_when_looked_up_then_each_is_known() {
        for call in operations::all() {
            for code in call.problems {
                assert!(PROBLEMS.iter().any(|(known, _)| known == code), "{}: {code}", call.id);
            }
        }
    }

    /// Nothing is referred to that is not there.
    #[test]
    fn given_the_document_when_its_references_are_followed_then_each_leads_to_a_schema() {
        let document = document();
        let mut count = 0;
        visit(&document, &mut |reference| {
            count += 1;
            let pointer = reference.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
        });
        assert!(count > 100, "only {count} references");
    }

    fn visit(value: &Value, look: &mut impl FnMut(&str)) {
        match value {
            Value::Object(members) => {
                for (key, member) in members {
                    match member {
                        Value::String(text) if key == "$ref" => look(text),
                        _ => visit(member, look),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| visit(item, look)),
            _ => {}
        }
    }

    /// Set `TIDEGATE_WRITE_OPENAPI=1` to write it anew.
    #[test]
    fn given_the_committed_document_when_compared_then_it_is_fresh() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json");
        if std::env::var_os("TIDEGATE_WRITE_OPENAPI").is_some() {
            std::fs::write(&path, DOCUMENT.as_str()).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(committed == *DOCUMENT, "openapi.json is stale: run this test with TIDEGATE_WRITE_OPENAPI=1");
    }
}

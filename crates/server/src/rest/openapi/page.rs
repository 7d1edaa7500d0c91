//! The document as a page for people: made here, nothing of it comes from elsewhere, nothing of it runs.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page; a `write!` into a text cannot fail.
pub(super) fn page(document: &Value) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Tidegate API</title></head><body>\n\
         <h1>Tidegate API</h1>\n<p>For programs: <a href=\"/openapi.json\">openapi.json</a>.</p>\n<h2>Calls</h2>\n<ul>\n",
    );
    let calls = || {
        members(&document["paths"])
            .flat_map(|(path, methods)| members(methods).map(move |(method, call)| (path, method, call)))
    };
    for (path, method, call) in calls() {
        let id = escaped(&call["operationId"]);
        let (method, path) = (method.to_uppercase(), escape(path));
        let _ = writeln!(page, "<li><a href=\"#{id}\"><code>{method} {path}</code></a></li>");
    }
    page.push_str("</ul>\n");
    for (path, method, call) in calls() {
        self::call(&mut page, path, &method.to_uppercase(), call);
    }
    page.push_str("<h2>Schemas</h2>\n");
    for (name, schema) in members(&document["components"]["schemas"]) {
        let name = escape(name);
        let text = escape(&serde_json::to_string_pretty(schema).unwrap_or_default());
        let _ = writeln!(page, "<h3 id=\"schema-{name}\">{name}</h3>\n<pre>{text}</pre>");
    }
    page.push_str("</body></html>\n");
    page
}

fn call(page: &mut String, path: &str, method: &str, call: &Value) {
    let id = escaped(&call["operationId"]);
    let _ = writeln!(page, "<h3 id=\"{id}\"><code>{method} {}</code></h3>", escape(path));
    let _ = writeln!(page, "<p>{}</p>", escaped(&call["summary"]));
    if call["security"].as_array().is_some_and(Vec::is_empty) {
        page.push_str("<p>Needs no token.</p>\n");
    }
    let parameters = call["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        page.push_str("<h4>Parameters</h4>\n<dl>\n");
        for parameter in parameters {
            let needed = if parameter["required"] == true { ", needed" } else { "" };
            let _ = writeln!(
                page,
                "<dt><code>{}</code> ({}, {}{needed})</dt><dd>{}</dd>",
                escaped(&parameter["name"]),
                escaped(&parameter["in"]),
                escaped(&parameter["schema"]["type"]),
                escaped(&parameter["description"]),
            );
        }
        page.push_str("</dl>\n");
    }
    if call["requestBody"].is_object() {
        let _ = writeln!(page, "<h4>Body</h4>\n<p>{}</p>", content(&call["requestBody"]["content"]));
    }
    page.push_str("<h4>Answers</h4>\n<dl>\n");
    for (status, answer) in members(&call["responses"]) {
        let content = content(&answer["content"]);
        let description = escaped(&answer["description"]);
        let _ = writeln!(page, "<dt><code>{status}</code> {content}</dt><dd>{description}</dd>");
    }
    page.push_str("</dl>\n");
}

/// Media types, each with a link to its schema where it has one by name.
fn content(content: &Value) -> String {
    let one = |(media_type, body): (&String, &Value)| {
        let schema = &body["schema"];
        let (schema, list) = match &schema["properties"]["items"]["items"] {
            Value::Null => (schema, ""),
            items => (items, "list of "),
        };
        let name = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        let link =
            name.map(|name| format!(": {list}<a href=\"#schema-{}\">{}</a>", escape(name), escape(name)));
        format!("{}{}", escape(media_type), link.unwrap_or_default())
    };
    members(content).map(one).collect::<Vec<_>>().join("; ")
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn escaped(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

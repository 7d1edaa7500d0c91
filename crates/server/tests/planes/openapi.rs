//! The document of the API, and its page.

use serde_json::{Value, json};

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::world::World;

/// Every call that the document names is there: it is refused for its parameter or its body, not for its path.
#[tokio::test]
async fn given_the_document_when_its_calls_are_made_then_each_has_a_route() {
    let world = World::new().await;
    let document =
        http::call(world.server.operators, &Request::new("GET", "/openapi.json")).await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut count = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            count += 1;
            let filled = path.replace("{uid}", "x").replace("{id}", "x").replace("{name}", "x");
            let request = Request::new(&method.to_uppercase(), &format!("{filled}?nonsense=1"))
                .header("Authorization", &format!("Bearer {}", world.token))
                .body("{}");
            let answer = http::call(world.server.operators, &request).await;
            let problem: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            assert!(problem["code"] != "no-route" && problem["code"] != "no-method", "{method} {path}");
        }
    }
    assert!(count > 20, "only {count} calls are told");
}

#[tokio::test]
async fn given_the_page_when_read_then_it_has_every_call_and_can_run_and_load_nothing() {
    let world = World::new().await;
    let answer = http::call(world.server.operators, &Request::new("GET", "/docs")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let page = String::from_utf8(answer.body).unwrap();
    for forbidden in ["<script", "<style", " style=", " src=", "://", "<link"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    let document =
        http::call(world.server.operators, &Request::new("GET", "/openapi.json")).await.expect(200);
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            assert!(page.contains(&format!("<code>{} {path}</code></h3>", method.to_uppercase())), "{path}");
            assert!(page.contains(call["summary"].as_str().unwrap().split('`').next().unwrap()), "{path}");
            for answer in call["responses"].as_object().unwrap().values() {
                for code in answer["x-codes"].as_array().into_iter().flatten() {
                    assert!(page.contains(&format!("`{}`", code.as_str().unwrap())), "{path}: {code}");
                }
            }
        }
    }
}

/// Whether a value has the form that a schema says, as far as our own document says forms; else where it has not.
fn check(document: &Value, schema: &Value, value: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        check(document, document.pointer(&reference[1..]).unwrap(), value, place)?;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        check(document, part, value, place)?;
    }
    if let Some(kinds) = schema["oneOf"].as_array() {
        let fitting = kinds.iter().filter(|kind| check(document, kind, value, place).is_ok()).count();
        (fitting == 1).then_some(()).ok_or(format!("{place}: fits {fitting} of {kinds:?}"))?;
    }
    let is = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed: Vec<_> = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect(),
    };
    let fits =
        allowed.is_empty() || allowed.contains(&is) || (is == "integer" && allowed.contains(&"number"));
    fits.then_some(()).ok_or(format!("{place}: {value} is none of {allowed:?}"))?;
    if let Some(words) = schema["enum"].as_array() {
        words.contains(value).then_some(()).ok_or(format!("{place}: {value} is none of {words:?}"))?;
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(document, &schema["items"], item, &format!("{place}/{index}"))?;
    }
    let Some(members) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        let name = name.as_str().unwrap();
        members.contains_key(name).then_some(()).ok_or(format!("{place}: {name} is missing"))?;
    }
    for (name, member) in members {
        let place = format!("{place}/{name}");
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Bool(false)) => return Err(format!("{place} may not be there")),
            (Value::Null, more) => check(document, more, member, &place)?,
            (known, _) => check(document, known, member, &place)?,
        }
    }
    Ok(())
}

/// Answers are what the document says of them.
#[tokio::test]
async fn given_the_document_when_calls_are_answered_then_answers_have_the_form_that_it_says() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let command = world.command(&agent, json!({"kind": "restart"})).await["id"].clone();
    let order = json!({"q": "name:*", "expected_count": 1, "action": {"kind": "restart"}});
    let operation = world.post("/bulk-operations", order).await.expect(202)["id"].clone();
    let push = world.push("name:*", "service: {}").await["id"].clone();
    let rule = json!({"target": {"all": true}, "heartbeat": {"interval_seconds": 10}});
    world.call("PUT", "/connection-settings/all", Some(&rule)).await.expect(201);
    world.eventually("/server", |server| server["tasks"][0]["last"].is_object()).await;
    let document =
        http::call(world.server.operators, &Request::new("GET", "/openapi.json")).await.expect(200);
    for (path, id) in [
        ("/agents", ""),
        ("/agents/{uid}", &*agent.uid.to_string()),
        ("/agents/{uid}/labels", &*agent.uid.to_string()),
        ("/agents/{uid}/report", &*agent.uid.to_string()),
        ("/agents/{uid}/timeline", &*agent.uid.to_string()),
        ("/agents/{uid}/capabilities", &*agent.uid.to_string()),
        ("/agents/completions", ""),
        ("/agents/{uid}/config", &*agent.uid.to_string()),
        ("/fleet/summary", ""),
        ("/commands", ""),
        ("/commands/{id}", command.as_str().unwrap()),
        ("/operations/{id}", operation.as_str().unwrap()),
        ("/pushes", ""),
        ("/pushes/{id}", push.as_str().unwrap()),
        ("/connection-settings", ""),
        ("/connection-settings/{name}", "all"),
        ("/events", ""),
        ("/server", ""),
        ("/capabilities", ""),
    ] {
        let told = &document["paths"][format!("/api/v1{path}")]["get"]["responses"]["200"]["content"];
        let schema = &told["application/json"]["schema"];
        let filled =
            ["{uid}", "{id}", "{name}"].iter().fold(path.to_owned(), |path, at| path.replace(at, id));
        let answer = world.get(&filled).await.expect(200);
        assert_eq!(check(&document, schema, &answer, path), Ok(()));
        // It is no answer to another call: the check can fail.
        assert!(check(&document, schema, &json!({"other": 1}), path).is_err() || path.contains("labels"));
    }
}

/// What a schema forbids the server refuses, and with a status that the document has.
#[tokio::test]
async fn given_arguments_out_of_their_form_when_called_then_each_is_refused() {
    let world = World::new().await;
    world.poll(&Reporter::new(1).full()).await;
    for path in [
        "/agents?limit=0",
        "/agents?limit=501",
        "/agents/x",
        "/commands?agent=x",
        "/commands?state=x",
        "/watch?since=-1",
    ] {
        let status = world.get(path).await.status;
        assert!(matches!(status, 400 | 422), "{path}: {status}");
    }
    let act = |action: Value| json!({"q": "name:*", "expected_count": 1, "action": action});
    for (path, body) in [
        ("/agents/search", json!({"limit": 0})),
        ("/agents/search", json!({"fields": null})),
        ("/pushes", json!({"q": " ", "files": [{"name": "a", "body": "b"}]})),
        ("/bulk-operations", act(json!({"kind": "restart", "other": 1}))),
        ("/bulk-operations", act(json!({"kind": "restart", "deadline_seconds": 0}))),
        ("/bulk-operations", act(json!({"kind": "label", "labels": {"A": "b"}}))),
        ("/bulk-operations?dry_run=some", act(json!({"kind": "restart"}))),
    ] {
        let status = world.post(path, body.clone()).await.status;
        assert!(matches!(status, 400 | 422), "{path} {body}: {status}");
    }
}

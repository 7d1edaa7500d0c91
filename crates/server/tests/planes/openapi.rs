//! The document of the API, and its page.

use serde_json::Value;

use crate::http::{self, Request};
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

//! What calls for a person.

use serde_json::json;

use super::canned::{Canned, Reply, Request, problem};
use super::program::run;

#[test]
fn given_agents_that_are_ill_when_asked_then_each_sentence_has_a_line_with_its_query() {
    let server = Canned::new(|request: &Request| {
        if request.path != "/fleet/attention" {
            return problem(404, "no such call");
        }
        let item = |level: &str, sentence: &str, query: &str| json!({"level": level, "sentence": sentence, "query": query, "count": 2});
        let items = match request.query.as_str() {
            "q=os%3Alinux" => vec![
                item("act", "2 agents are unhealthy", "(os:linux) health:unhealthy"),
                item("watch", "2 agents are late", "(os:linux) \u{9b}connection:late"),
            ],
            _ => vec![],
        };
        Reply::Json(200, json!({ "items": items }))
    });
    let ran = run(&server, &["get", "attention", "-q", "os:linux"]);
    let expected = "LEVEL   WHAT                     QUERY\n\
                    act     2 agents are unhealthy   (os:linux) health:unhealthy\n\
                    watch   2 agents are late        (os:linux) \\u{9b}connection:late\n";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{ran:?}");
    let queries = run(&server, &["get", "attention", "-q", "os:linux", "-o", "name"]);
    assert_eq!(queries.out, "(os:linux) health:unhealthy\n(os:linux) \\u{9b}connection:late\n");
    let json = run(&server, &["get", "attention", "-q", "os:linux", "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(shown["items"][0]["count"], 2, "{json:?}");
    let none = run(&server, &["get", "attention"]);
    assert!(none.code == 0 && none.out.is_empty() && none.err.contains("Nothing calls"), "{none:?}");
}

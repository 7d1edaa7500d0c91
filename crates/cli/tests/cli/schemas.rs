//! Schemas of plugins.

use serde_json::json;

use super::canned::{Canned, Reply, Request, problem};
use super::program::run;
use super::values::list;

/// A server with two schemas, of which one names a plugin that would steer a terminal.
fn server() -> Canned {
    Canned::new(|request: &Request| match request.path.as_str() {
        "/schemas" => {
            let schema = |digit: &str, version: &str| {
                json!({"hash": digit.repeat(64), "kind": "fluent-bit", "version": version, "plugins": 2,
                       "bytes": 252527, "since": "2026-03-04T05:06:07Z"})
            };
            Reply::Json(200, list(&[schema("a", "5.1.1"), schema("b", "4.0.0")]))
        }
        path if path == format!("/schemas/{}", "a".repeat(64)) => {
            let option =
                json!({"name": "path", "description": "Where\u{9b}31m", "default": null, "type": "string"});
            let global = json!({"name": "tag", "description": "", "default": "x", "type": "string"});
            let properties = json!({"options": [option], "global_options": [global]});
            let tail = json!({"name": "tail", "description": "Tail files", "properties": properties});
            let other = json!({"name": "file", "description": "Write files"});
            Reply::Json(
                200,
                json!({"fluent-bit": {"version": "5.1.1"}, "inputs": [tail], "outputs": [other]}),
            )
        }
        _ => problem(404, "no such schema"),
    })
}

#[test]
fn given_schemas_when_listed_then_each_has_a_line() {
    let ran = run(&server(), &["get", "schemas"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines[0].starts_with("HASH"), "{ran:?}");
    assert!(lines[1].starts_with("aaaaaaaaaaaa   fluent-bit   5.1.1     2         252527"), "{ran:?}");
    let names = run(&server(), &["get", "schemas", "-o", "name"]);
    assert_eq!(names.out, format!("{}\n{}\n", "a".repeat(64), "b".repeat(64)));
    let none = run(&Canned::new(|_| Reply::Json(200, list(&[]))), &["get", "schemas"]);
    assert!(none.code == 0 && none.out.is_empty() && none.err.contains("no schemas yet"), "{none:?}");
}

#[test]
fn given_a_schema_when_shown_then_its_plugins_or_the_properties_of_one_are_told() {
    let ran = run(&server(), &["get", "schema", "5.1.1", "--no-headers"]);
    assert_eq!(ran.out, "inputs    tail   1   Tail files\noutputs   file   0   Write files\n");
    let ran = run(&server(), &["get", "schema", "AAAA", "Tail", "--no-headers"]);
    let expected = "inputs tail: Tail files\n\
                    path   string   -   options          Where\\u{9b}31m\n\
                    tag    string   x   global_options\n";
    assert_eq!(ran.out, expected, "{ran:?}");
    let ran = run(&server(), &["get", "schema", "5.1.1", "file", "-o", "json"]);
    let shown: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let expected = json!({"fluent-bit": {"version": "5.1.1"},
                          "outputs": [{"name": "file", "description": "Write files"}]});
    assert_eq!(shown, expected);
}

#[test]
fn given_what_is_not_there_when_shown_then_the_error_says_where_to_look() {
    for (args, part) in [
        (&["get", "schema", "6"][..], "there is no schema \"6\"; tidegate get schemas lists them"),
        (&["get", "schema", "5.1.1", "none"], "has no plugin \"none\"; tidegate get schema 5.1.1 lists them"),
    ] {
        let ran = run(&server(), args);
        assert!(ran.code == 2 && ran.err.contains(part), "{ran:?}");
    }
    let ran = run(&server(), &["get", "schema", "4.0.0"]);
    assert!(ran.code != 0 && ran.err.contains("no such schema"), "{ran:?}");
}

#[test]
fn given_a_config_when_validated_against_a_build_then_what_that_does_not_know_is_a_warning() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.conf");
    let path = path.to_str().unwrap();
    let validate =
        |more: &[&str]| run(&server(), &[&["validate", path, "--schema", "5.1.1"][..], more].concat());
    std::fs::write(path, "[INPUT]\n  Name tail\n  Paht x\n[OUTPUT]\n  Name file\n").unwrap();
    let ran = validate(&[]);
    let told = "m.conf:3:3: warning: the input plugin `tail` of Fluent Bit 5.1.1 has no property `paht` (is `path` meant?)";
    assert_eq!((ran.code, ran.out.trim_end()), (0, told), "{ran:?}");
    let shown: serde_json::Value = serde_json::from_str(&validate(&["-o", "json"]).out).unwrap();
    assert_eq!((&shown[0]["line"], &shown[0]["severity"]), (&json!(3), &json!("warning")));
    std::fs::write(path, "[INPUT]\n  Name tail\n  Path x\n[OUTPUT]\n  Name file\n").unwrap();
    assert_eq!(validate(&[]).out, "nothing is wrong with the config for 5.1.1\n");
    std::fs::write(path, "[INPUT\n").unwrap();
    let ran = validate(&[]);
    assert!(ran.code == 6 && ran.out.contains("error"), "{ran:?}");
    assert_eq!(run(&server(), &["validate", path]).code, 2, "either an agent or a build");
}

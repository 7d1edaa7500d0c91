//! Setting service keys.

use tidegate_fluent::{EditError, Format, absolute_paths, parse, set_service};

use crate::corpus::{CLASSIC, YAML};
use crate::support::{config, load_files, one};

const KEYS: [(&str, &str); 2] = [("flush", "7"), ("http_server", "on")];

fn check(text: &str, expected: &str) {
    let before = one(text);
    let done = set_service(&before, &KEYS).map(|done| done.text);
    assert_eq!(done.as_deref(), Ok(expected), "{text}");
    let again = set_service(&one(expected), &KEYS).map(|done| done.text);
    assert_eq!(again.as_deref(), Ok(expected), "setting the same keys again changes nothing");
}

#[test]
fn classic_keys_are_replaced_or_added_at_the_end() {
    check("", "[SERVICE]\n    flush 7\n    http_server on\n");
    check("[SERVICE]\n\tFlush  1 \n", "[SERVICE]\n\tFlush  7 \n[SERVICE]\n\thttp_server on\n");
    check(
        "[SERVICE]\r\n  flush 1\r\n  HTTP_Server off\r\n[INPUT]\r\n  name a",
        "[SERVICE]\r\n  flush 7\r\n  HTTP_Server on\r\n[INPUT]\r\n  name a",
    );
    check(
        "[SERVICE]\r\n  flush 7\r\n[INPUT]\r\n  name a",
        "[SERVICE]\r\n  flush 7\r\n[INPUT]\r\n  name a\r\n[SERVICE]\r\n  http_server on\r\n",
    );
    check(
        "[SERVICE]\n  flush 1\n[SERVICE]\n  flush 2\n  http_server on\n# end\n",
        "[SERVICE]\n  flush 1\n[SERVICE]\n  flush 7\n  http_server on\n# end\n",
    );
}

#[test]
fn yaml_keys_are_replaced_or_added_to_the_map() {
    let p = "pipeline:\n  inputs: []\n";
    check(&format!("# c\n{p}"), &format!("# c\n{p}service:\n  flush: 7\n  http_server: on\n"));
    check(
        &format!("service:  # s\n    # first\n    flush: 1 # one\n\n    # last\n{p}"),
        &format!("service:  # s\n    # first\n    flush: 7 # one\n    http_server: on\n\n    # last\n{p}"),
    );
    check(
        &format!("service: {{flush: \"1\", # c\n  grace: 3,\n}}\n{p}"),
        &format!("service: {{http_server: on, flush: 7, # c\n  grace: 3,\n}}\n{p}"),
    );
    check(&format!("service: {{ }}\n{p}"), &format!("service: {{flush: 7, http_server: on }}\n{p}"));
    check(
        &format!("service:\n  httpServer: off\n  http_server: no\n  flush:\n{p}"),
        &format!("service:\n  httpServer: off\n  http_server: on\n  flush: 7\n{p}"),
    );
    check(
        &format!("service: &s\n  flush: !!str &f >-\n    1\n  http_server: |\n    off\n{p}"),
        &format!("service: &s\n  flush: !!str &f 7\n  http_server: on\n{p}"),
    );
    check(
        &format!("service: !!map\n  &a flush: 1\n{p}"),
        &format!("service: !!map\n  &a flush: 7\n  http_server: on\n{p}"),
    );
    check(
        &format!("service:\n  ? flush\n  : 1\n{p}"),
        &format!("service:\n  ? flush\n  : 7\n  http_server: on\n{p}"),
    );
    check("{\"pipeline\": {}}", "{service: {flush: 7, http_server: on}, \"pipeline\": {}}");
    check(
        "env:\r\n  A: b\r\nservice:\r\n  flush: 1",
        "env:\r\n  A: b\r\nservice:\r\n  flush: 7\r\n  http_server: on",
    );
    check("\u{feff}env: {}\n", "\u{feff}env: {}\nservice:\n  flush: 7\n  http_server: on\n");
}

/// Where the end of the file is no place for keys, they go to the beginning.
#[test]
fn yaml_keys_find_another_place_when_the_end_is_none() {
    check("env:\n  A: b\n...\n", "service:\n  flush: 7\n  http_server: on\nenv:\n  A: b\n...\n");
    check(
        "service:\n  log_file: |+\n    a\n\n\nenv: {}\n",
        "service:\n  log_file: |+\n    a\n\n\n  flush: 7\n  http_server: on\nenv: {}\n",
    );
    check(
        "  env:\n    A: |+\n      x\n",
        "  env:\n    A: |+\n      x\n  service:\n    flush: 7\n    http_server: on\n",
    );
}

#[test]
fn every_config_of_the_field_takes_the_keys_and_keeps_all_else() {
    for text in CLASSIC.iter().chain(&YAML) {
        let name = if CLASSIC.contains(text) { "/m.conf" } else { "/m.yaml" };
        let before = config(&[(name, text)]);
        let done = set_service(&before, &[("flush", "77"), ("storage.path", "/a b: c # d")]);
        let done = done.unwrap_or_else(|error| panic!("{text}\n{error}"));
        let after = config(&[(name, &done.text)]);
        assert_eq!(after.service().get("flush"), Some("77"));
        assert_eq!(after.service().get("storage.path"), Some("/a b: c # d"));
        let kept = text.lines().filter(|line| !line.to_lowercase().contains("flush"));
        let missing: Vec<_> = kept.filter(|line| !done.text.contains(line)).collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
}

#[test]
fn yaml_s_service_section_is_edited_where_it_stands() {
    let config = config(&[
        ("/m.yaml", "includes: [s.yaml]\npipeline: {inputs: []}\n"),
        ("/s.yaml", "service:\n  grace: 1\n"),
    ]);
    let done = set_service(&config, &[("flush", "7")]).unwrap();
    assert_eq!((done.file, done.name.as_str()), (1, "/s.yaml"));
    assert_eq!(done.text, "service:\n  grace: 1\n  flush: 7\n");
}

#[test]
fn a_classic_key_that_an_include_overrides_is_added_at_the_end() {
    let config = config(&[
        ("/m.conf", "[SERVICE]\n  flush 7\n@INCLUDE s.conf\n"),
        ("/s.conf", "[SERVICE]\n\tflush 1\n"),
    ]);
    let done = set_service(&config, &[("flush", "7")]).unwrap();
    assert_eq!(done.text, "[SERVICE]\n  flush 7\n@INCLUDE s.conf\n[SERVICE]\n  flush 7\n");
}

#[test]
fn what_cannot_be_set_is_refused() {
    let good = one("[SERVICE]\n    flush 1\n");
    let value = |key: &str| EditError::Value { key: key.to_owned() };
    for bad in ["", " x", "x\t", "a\nb", "a\rb"] {
        assert_eq!(set_service(&good, &[("log_file", bad)]), Err(value("log_file")), "{bad:?}");
    }
    for bad in ["", "a b", "Flush", "a:b", "a\n"] {
        assert_eq!(set_service(&good, &[(bad, "1")]), Err(EditError::Key { key: bad.to_owned() }), "{bad:?}");
    }
    let (broken, _) = load_files(&[("/m.conf", "[SERVICE\n")]);
    let error = set_service(&broken, &[("flush", "1")]).unwrap_err().to_string();
    assert!(error.starts_with("cannot edit a config that has an error: /m.conf:1:1: error:"), "{error}");
}

/// A section that Fluent Bit takes for the service by its prefix rule comes later and would win.
#[test]
fn an_edit_that_would_have_no_effect_is_refused() {
    let config = config(&[
        ("/m.yaml", "service: {grace: 1}\nincludes: [b.yaml]\n"),
        ("/b.yaml", "serv: {flush: 9}\n"),
    ]);
    let error = set_service(&config, &[("flush", "7")]).unwrap_err().to_string();
    assert!(error.contains("`flush` would not take effect"), "{error}");
}

#[test]
fn relative_paths_become_absolute() {
    let cases = [
        (
            Format::Classic,
            "[SERVICE]\n  Parsers_File  ./p.conf\n  parsers_file /q.conf\n  storage.path s\n@INCLUDE d/*.conf\n[FILTER]\n  Name lua\n  Script ../a.lua\n",
            "[SERVICE]\n  Parsers_File  /b/p.conf\n  parsers_file /q.conf\n  storage.path s\n@INCLUDE /b/d/*.conf\n[FILTER]\n  Name lua\n  Script /b/../a.lua\n",
        ),
        (
            Format::Yaml,
            "includes: [a.yaml, '/x.yaml']\nservice:\n  parsersFile: 'a b.conf' # c\n  plugins_file: file:///x\n  streams_file: ${D}/s\nenv:\n  S: file://s\n",
            "includes: [/b/a.yaml, '/x.yaml']\nservice:\n  parsersFile: \"/b/a b.conf\" # c\n  plugins_file: file:///x\n  streams_file: ${D}/s\nenv:\n  S: file://s\n",
        ),
    ];
    for (format, text, expected) in cases {
        let (tree, _) = parse(format, "m", text);
        assert_eq!(absolute_paths(&tree, "/b"), expected);
        assert_eq!(absolute_paths(&tree, "/b/"), expected);
    }
}

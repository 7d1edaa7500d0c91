use std::sync::LazyLock;

use super::*;
use crate::{Format, load};

const CAPTURED: &[u8] = include_bytes!("../../../testkit/captures/fluent-bit/schema-5.1.1.json");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| Schema::read(CAPTURED).unwrap());

fn findings(format: Format, text: &str) -> Vec<String> {
    let (config, _) = load(format, "m", text, &mut |_| Ok(Vec::new()));
    check(&config, &SCHEMA).iter().map(ToString::to_string).collect()
}

#[test]
fn given_what_the_build_does_not_know_when_checked_then_each_is_told_with_its_place_and_what_may_be_meant() {
    let text = "pipeline:\n  inputs:\n    - name: tial\n      path: /x\n    - name: tail\n      paht: /x\n      \
                refresh_interval: often\n      read_from_head: maybe\n  outputs:\n    - name: http\n      \
                no_such_thing_at_all: 1\n      Formt: json\n";
    let expected = [
        "m:3:13: warning: Fluent Bit 5.1.1 has no input plugin `tial` (is `tail` meant?)",
        "m:6:7: warning: the input plugin `tail` of Fluent Bit 5.1.1 has no property `paht` (is `path` meant?)",
        "m:8:7: warning: `read_from_head` cannot be `maybe` (use on or off)",
        "m:11:7: warning: the output plugin `http` of Fluent Bit 5.1.1 has no property `no_such_thing_at_all`",
        "m:12:7: warning: the output plugin `http` of Fluent Bit 5.1.1 has no property `formt` (is `format` meant?)",
    ];
    let found = findings(Format::Yaml, text);
    // The place of a plugin's name is its key.
    assert_eq!(found, expected.map(|line| line.replace("m:3:13", "m:3:7")));
    let classic = "[INPUT]\n  Name tail\n  Paht /x\n[OUTPUT]\n  Name nul\n  Match *\n";
    assert_eq!(
        findings(Format::Classic, classic),
        [
            "m:3:3: warning: the input plugin `tail` of Fluent Bit 5.1.1 has no property `paht` (is `path` meant?)",
            "m:5:3: warning: Fluent Bit 5.1.1 has no output plugin `nul` (is `null` meant?)",
        ]
    );
}

/// A finding that is false is worse than one that is missed.
#[test]
fn given_what_may_be_right_when_checked_then_nothing_is_told() {
    for text in [
        // Taken by the core.
        "[INPUT]\n  Name dummy\n  Tag x\n  Mem_Buf_Limit 1M\n  storage.type filesystem\n  Threaded on\n  Alias a\n",
        "[INPUT]\n  Name http\n  Host 0.0.0.0\n  Port 1\n  tls on\n  tls.verify off\n  net.backlog 5\n  workers 2\n",
        "[OUTPUT]\n  Name http\n  Match *\n  Retry_Limit False\n  workers 2\n  net.keepalive off\n  ipv6 on\n  \
         storage.total_limit_size 5M\n  oauth2.client_id x\n  _debug.http.request_headers on\n",
        "[FILTER]\n  Name grep\n  Match_Regex .*\n  Log_Level debug\n  Regex log x\n  Regex log y\n  active off\n",
        // Variables, and a protocol before the name.
        "[INPUT]\n  Name ${KIND}\n  x 1\n[OUTPUT]\n  Name tcp://h:1\n  Match *\n  Format ${F}\n",
        "[INPUT]\n  Name tail\n  Path x\n  ${KEY} 1\n  read_from_head ${HEAD}\n  Refresh_Interval ${N}\n",
        // Plugins from elsewhere, and a kind that tells of none.
        "[SERVICE]\n  plugins_file p.conf\n[INPUT]\n  Name mine\n  x 1\n",
        "[INPUT]\n  Name lib\n  x 1\n",
        // Numbers that are read as far as they are digits.
        "[INPUT]\n  Name dummy\n  Rate 5 each\n  Samples -1\n",
        // A property that is told as a prefix.
        "[FILTER]\n  Name rewrite_tag\n  Match *\n  Rule $a b c true\n",
    ] {
        assert_eq!(findings(Format::Classic, text), Vec::<String>::new(), "{text}");
    }
    let yaml = "pipeline:\n  inputs:\n    - name: dummy\n      tag: x\n      processors:\n        logs:\n          \
                - name: made_up\n            x: 1\n      routes: {logs: []}\n  outputs:\n    - name: null\n      \
                match: '*'\n";
    assert_eq!(findings(Format::Yaml, yaml), Vec::<String>::new());
}

#[test]
fn given_every_property_that_a_build_tells_of_when_checked_then_it_is_known() {
    let sections = [("inputs", "INPUT"), ("filters", "FILTER"), ("outputs", "OUTPUT"), ("customs", "CUSTOM")];
    let mut checked = 0;
    for (group, section) in sections {
        for (name, plugin) in &SCHEMA.groups[group] {
            let mut text = format!("[{section}]\n  Name {name}\n");
            for property in &plugin.properties {
                let more = if property.kind == "prefixed string" { "x" } else { "" };
                let value = if property.kind == "boolean" { "on" } else { "1" };
                text.push_str(&format!("  {}{more} {value}\n", property.name.to_uppercase()));
                checked += 1;
            }
            assert_eq!(findings(Format::Classic, &text), Vec::<String>::new(), "{text}");
        }
    }
    assert!(checked > 3_000, "{checked}");
}

#[test]
fn given_a_config_that_is_all_wrong_when_checked_then_what_is_told_is_bounded() {
    let wrong = |number: usize| format!("  key{number}{} 1\n", "x".repeat(60));
    let text = format!("[INPUT]\n  Name tail\n{}", (0..5_000).map(wrong).collect::<String>());
    assert_eq!(findings(Format::Classic, &text).len(), MAX_DIAGNOSTICS);
}

#[test]
fn given_names_when_compared_then_near_ones_are_found_and_far_ones_are_not() {
    let known = ["path", "tag", "refresh_interval", "match"];
    for (name, expected) in [
        ("paht", Some("path")),
        ("Path_", Some("path")),
        ("refresh_intervall", Some("refresh_interval")),
        ("refreshinterval", Some("refresh_interval")),
        ("tga", Some("tag")),
        ("exclude", None),
        ("t", None),
        ("", None),
    ] {
        let expected = expected.map(|known| format!("is `{known}` meant?"));
        assert_eq!(nearest(name, known.into_iter()), expected, "{name}");
    }
    assert_eq!(nearest(&"p".repeat(65), known.into_iter()), None);
}

#[test]
fn given_files_when_checked_then_includes_among_them_are_followed_and_others_may_bring_plugins() {
    let main = "[INPUT]\n  Name tail\n  Paht x\n[INPUT]\n  Name mine\n@INCLUDE more.conf\n";
    let more = "[OUTPUT]\n  Name null\n  Formta json\n";
    let told = |files: &[(&str, &str)]| -> Vec<_> {
        let found = check_files(files, &SCHEMA).into_iter();
        found.map(|found| (found.file, found.position.unwrap().line)).collect()
    };
    let place = |file: &str, line| (file.to_owned(), line);
    let all = [place("m.conf", 3), place("m.conf", 5), place("more.conf", 3)];
    assert_eq!(told(&[("m.conf", main), ("more.conf", more)]), all);
    assert_eq!(
        told(&[("m.conf", main), ("other.conf", more)]),
        [place("m.conf", 3)],
        "`mine` may be its plugin"
    );
    assert_eq!(told(&[("m.conf", "[INPUT]\n  Paht x\n")]), [], "it cannot be loaded");
    assert_eq!(told(&[]), []);
}

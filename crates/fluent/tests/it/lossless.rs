//! Whatever the bytes: a tree that holds them all, and no panic.

use proptest::prelude::*;
use tidegate_fluent::{
    Format, Item, MAX_DIAGNOSTICS, MAX_NODES, RenderRequest, absolute_paths, load, parse, render_effective,
    set_service,
};

use crate::corpus::{CLASSIC, YAML};

#[test]
fn a_config_of_the_field_is_kept_and_has_no_errors() {
    let files =
        CLASSIC.iter().map(|text| (Format::Classic, *text)).chain(YAML.map(|text| (Format::Yaml, text)));
    for (format, text) in files {
        let (tree, diagnostics) = parse(format, "main", text);
        assert_eq!(tree.text(), text);
        assert!(!diagnostics.iter().any(|d| d.is_error() && !d.message.contains("alias")), "{diagnostics:?}");
    }
}

#[test]
fn spans_cover_what_the_items_say() {
    for text in CLASSIC {
        let (tree, _) = parse(Format::Classic, "main", text);
        for entry in tree.sections().flat_map(|section| &section.entries) {
            assert!(text[entry.key_span.clone()].eq_ignore_ascii_case(&entry.key), "{entry:?}");
            if let Some(value) = entry.value.as_str() {
                assert_eq!(&text[entry.value_span.clone()], value);
            }
        }
    }
    for text in YAML {
        let (tree, _) = parse(Format::Yaml, "main", text);
        for entry in tree.sections().flat_map(|section| &section.entries) {
            if let Some(value) = entry.value.as_str() {
                assert!(text[entry.value_span.clone()].contains(value), "{entry:?}");
            }
        }
    }
}

#[test]
fn a_position_counts_characters_from_one() {
    let cases = [
        (Format::Classic, "[SERVICE]\r\n\tflush 1\r\n\tlog_file \u{fc}\u{1f30a} x\r\n", vec![(2, 2), (3, 2)]),
        (Format::Classic, "#\u{1f30a}\n[INPUT]\n  a 1\n\n  b 2", vec![(3, 3), (5, 3)]),
        (
            Format::Yaml,
            "service: {\u{fc}: \u{1f30a}, b: 1}\r\nx:\r\n  c: 1\r\n",
            vec![(1, 11), (1, 17), (3, 3)],
        ),
    ];
    for (format, text, expected) in cases {
        let (tree, diagnostics) = parse(format, "main", text);
        let positions = tree.sections().flat_map(|section| &section.entries).map(|entry| entry.position);
        let positions: Vec<_> = positions.map(|at| (at.line, at.column)).collect();
        assert_eq!(positions, expected, "{text:?} {diagnostics:?}");
    }
}

#[test]
fn a_position_far_into_a_line_counts_all_characters() {
    let text = format!("service: {{a: \"{}\", b: 1}}", "\u{fc}".repeat(5000));
    let (tree, _) = parse(Format::Yaml, "main", &text);
    let last = tree.sections().flat_map(|section| &section.entries).last().unwrap();
    assert_eq!((last.position.line, last.position.column), (1, 5018));
}

#[test]
fn hostile_files_end_in_bounded_diagnostics() {
    let deep = "[".repeat(100_000);
    let bomb = format!("a: &a [x]\n{}", "b: *a\n".repeat(5000));
    let wide = format!("service: {{{}}}", "a: [],".repeat(60_000));
    let many = format!("[S]\n{}", " a b\n".repeat(MAX_NODES + 10));
    let wrong = "key\n".repeat(50_000);
    let files = [
        (Format::Yaml, deep.as_str()),
        (Format::Yaml, &bomb),
        (Format::Yaml, &wide),
        (Format::Classic, &many),
        (Format::Classic, &wrong),
    ];
    for (format, text) in files {
        let (tree, diagnostics) = parse(format, "main", text);
        assert_eq!(tree.text(), text);
        assert!(diagnostics.iter().any(tidegate_fluent::Diagnostic::is_error));
        assert!(diagnostics.len() <= MAX_DIAGNOSTICS + 1);
    }
}

#[test]
fn an_unfinished_yaml_file_keeps_what_was_read() {
    let (tree, diagnostics) = parse(Format::Yaml, "main", "service:\n  flush: 5\n  grace: [");
    assert_eq!(diagnostics.len(), 1 + 1, "{diagnostics:?}");
    let entries: Vec<_> = tree.sections().flat_map(|s| &s.entries).map(|entry| entry.key.as_str()).collect();
    assert_eq!(entries, ["flush", "grace"]);
}

/// Text made of the pieces of which configs are made, so that more than the first line is reached.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "[SERVICE]",
        "[INPUT]",
        "[",
        "]",
        "\n",
        "\n",
        "\n",
        "\r\n",
        "  ",
        "\t",
        " ",
        "    ",
        "flush",
        "Name",
        ": ",
        ":",
        "- ",
        "service:",
        "pipeline:",
        "inputs:",
        "includes:",
        "env:",
        "{",
        "}",
        ",",
        "|",
        ">-",
        "|+",
        "&a ",
        "*a",
        "!!str ",
        "'",
        "\"",
        "#",
        " # c",
        "@INCLUDE ",
        "@SET a=b",
        "x.conf",
        "\u{fc}",
        "\u{feff}",
        "? ",
        "---",
        "...",
        "%YAML 1.1",
        "\0",
        "1",
        "on",
        "null",
        "name: dummy",
        "*",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn survives(format: Format, text: &str) {
    let (tree, _) = parse(format, "main", text);
    assert_eq!(tree.text(), text);
    for item in tree.items() {
        if let Item::Include(include) = item {
            assert!(text.get(include.span.clone()).is_some());
        }
    }
    let (config, _) = load(format, "/a/main", text, &mut |_| Err("none here".to_owned()));
    let keys = [("http_server", "on"), ("flush", "7")];
    if let Ok(done) = set_service(&config, &keys) {
        let (after, _) = load(format, "/a/main", &done.text, &mut |_| Err("none here".to_owned()));
        assert_eq!(after.fault(), None, "{text:?}");
        assert_eq!(after.service().get("flush"), Some("7"), "{text:?}");
    }
    let request = RenderRequest { forced: &keys, base: "/a", file_name_for: &|name| format!("/r{name}") };
    let _ = render_effective(&config, request);
    let _ = absolute_paths(&tree, "/a");
}

proptest! {
    #[test]
    fn random_text_never_panics(text in ".{0,200}") {
        survives(Format::Classic, &text);
        survives(Format::Yaml, &text);
    }

    #[test]
    fn random_pieces_of_configs_never_panic(text in pieces()) {
        survives(Format::Classic, &text);
        survives(Format::Yaml, &text);
    }

    #[test]
    fn a_damaged_config_never_panics(which in 0..15usize, at in 0..2000usize, cut in 0..20usize, put in pieces()) {
        let (format, text) = CLASSIC
            .iter()
            .map(|text| (Format::Classic, *text))
            .chain(YAML.map(|text| (Format::Yaml, text)))
            .nth(which)
            .unwrap();
        let start = text.floor_char_boundary(at.min(text.len()));
        let end = text.floor_char_boundary((start + cut).min(text.len()));
        survives(format, &format!("{}{put}{}", &text[..start], &text[end.max(start)..]));
    }
}

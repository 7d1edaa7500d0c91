//! What Fluent Bit 5.1.1 refuses (and what it accepts), measured with `--dry-run`.

use tidegate_fluent::{Format, lint, parse};

use crate::support::{config, load_files, one};

const PIPELINE: &str =
    "pipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: 'null'\n      match: '*'\n";

/// The line, column and beginning of the first error's message.
fn check(format: Format, text: &str, expected: Option<(u32, u32, &str)>) {
    let (_, diagnostics) = parse(format, "main", text);
    let error = diagnostics.iter().find(|diagnostic| diagnostic.is_error());
    let found = error.map(|error| error.position.map(|at| (at.line, at.column)));
    assert_eq!(found, expected.map(|(line, column, _)| Some((line, column))), "{text:?}: {error:?}");
    if let (Some(error), Some((_, _, message))) = (error, expected) {
        assert!(error.message.contains(message), "{text:?}: {error}");
        assert!(error.fix.is_some() || error.message.contains("YAML"), "{text:?}: {error}");
    }
}

#[test]
fn classic_errors_are_found_with_their_place() {
    let cases = [
        ("[INPUT\n    Name dummy\n", Some((1, 1, "not closed"))),
        ("[SERVICE]\n    Flush 1\n\tGrace 1\n", Some((3, 1, "mixes tabs and spaces"))),
        ("[SERVICE]\n    Flush 1\n  Grace 1\n", Some((3, 1, "indented less"))),
        ("[SERVICE]\n  Flush 1\n     Grace 1\n", Some((3, 1, "indented more"))),
        ("[SERVICE]\n  Flush 1\n    Grace 1\n", None),
        ("[SERVICE]\nFlush 1\n", Some((2, 1, "must be indented"))),
        ("[SERVICE]\n    Flush\n", Some((2, 5, "no value"))),
        ("[SERVICE]\n    Flush \n", Some((2, 5, "no value"))),
        ("[SERVICE]\n    Flush\t1\n", Some((2, 5, "no value"))),
        ("[SERVICE]\n    Flush\t1 2\n", None),
        ("[SERVICE]\n    Flush\t 1\n", None),
        ("    Flush 1\n", Some((1, 5, "no section"))),
        ("\u{feff}[SERVICE]\n    Flush 1\n", Some((1, 1, "must be indented"))),
        ("[SERVICE]\n    Flush 1\n  \n    Grace 1\n", Some((3, 1, "indented less"))),
        ("[SERVICE]\n    Flush 1\n    \n    Grace 1\n", None),
        ("[SERVICE]\n    Flush 1\n  # c\n    Grace 1\n", Some((3, 1, "indented less"))),
        ("[SERVICE]\n    Flush 1\n    gr\0ace 1\n", Some((3, 7, "NUL"))),
        ("[INPUT]\n    Name dummy\n    [rule]\n        a b\n", Some((3, 5, "space in its line"))),
        ("[INPUT]\n    Name dummy\n    [rule] \n        a b\n", None),
        ("[INPUT]\n    Name dummy\n    [rule \n        a b\n", Some((3, 5, "group header is not closed"))),
        ("@SETX\n", Some((1, 1, "has no value"))),
        ("@INCLUDE\ta.conf\n", Some((1, 1, "has no value"))),
        ("[FOO]\n    a b\n", None),
        ("[SERVICE]\r\n    Flush 1\r\n", None),
        ("", None),
    ];
    for (text, expected) in cases {
        check(Format::Classic, text, expected);
    }
}

#[test]
fn yaml_errors_are_found_with_their_place() {
    let cases = [
        ("service:\n\tflush: 1\n", Some((2, 2, "not valid YAML"))),
        ("service: [\n", Some((1, 10, "not valid YAML"))),
        ("service:\n", Some((1, 1, "must be a map"))),
        ("service: {}\n", None),
        ("service:\n  flush: [1]\n", Some((2, 10, "list"))),
        ("service:\n  foo: {a: 1}\n", Some((2, 8, "telemetry"))),
        ("service:\n  telemetry: {a: 1}\n", None),
        ("service:\n  flush: &f 1\n  grace: *f\n", Some((3, 10, "aliases"))),
        ("service:\n  flush: *none\n", Some((2, 10, "aliases"))),
        ("- a\n", Some((1, 1, "map of sections"))),
        ("abc\n", Some((1, 1, "map of sections"))),
        ("pipeline:\n", Some((1, 1, "must be a map"))),
        ("pipeline:\n  foo: []\n", Some((2, 3, "no component"))),
        ("pipeline:\n  inputs:\n    name: dummy\n", Some((2, 3, "must be a list"))),
        ("pipeline:\n  inputs:\n  outputs: []\n", Some((2, 3, "must be a list"))),
        ("pipeline:\n  inputs:\n    -\n", Some((3, 6, "must be a map"))),
        ("pipeline:\n  inputs:\n    - name: dummy\n      x: {a: {b: c}}\n", Some((4, 14, "scalars only"))),
        (
            "pipeline:\n  inputs:\n    - name: a\n      processors: {bad: []}\n",
            Some((4, 20, "no processors")),
        ),
        ("includes: a.yaml\n", Some((1, 1, "must be a list"))),
        ("env:\n", Some((1, 1, "must be a map or a list"))),
        ("env: {A: {b: c}}\n", Some((1, 10, "must be text"))),
        ("foo:\n", Some((1, 1, "no section `foo`"))),
        ("foo: [a]\n", Some((1, 1, "no section `foo`"))),
        ("foo: {a: b}\n", None),
        ("foo: {a: {b: c}}\n", Some((1, 10, "scalars only"))),
        ("stream_processors: []\n", Some((1, 1, "no section"))),
        ("service: {flush: 1}\n...\nenv: {A: b}\n", Some((3, 1, "`---`"))),
        ("service: {flush: 1}\n---\nenv: {A: b}\n", None),
        ("# nothing\n", None),
        ("", None),
    ];
    for (text, expected) in cases {
        check(Format::Yaml, text, expected);
    }
}

/// The first error of whole configs, as it is shown.
#[test]
fn load_errors_name_file_line_and_fix() {
    let second = format!("service: {{flush: 1}}\nincludes: [b.yaml]\n{PIPELINE}");
    let cases: [(&[(&str, &str)], &str); 10] = [
        (
            &[("/m.yaml", &second), ("/b.yaml", "# b\nservice:\n  grace: 1\n")],
            "/b.yaml:2:1: error: there is a second `service` section, the first one is at /m.yaml:1 (merge",
        ),
        (
            &[("/m.yaml", "includes:\n  - none.yaml\n")],
            "/m.yaml:2:5: error: cannot include `none.yaml`: no such file (correct",
        ),
        (
            &[("/m.conf", "@INCLUDE x*.conf\n")],
            "/m.conf:1:10: error: cannot include `x*.conf`: no file matches",
        ),
        (&[("/m.yaml", "includes: [/x*]\n")], "/m.yaml:1:12: error: cannot include `/x*`: no file matches"),
        (
            &[("/m.yaml", "includes: [b.conf]\n"), ("/b.conf", "[SERVICE]\n    flush 1\n")],
            "/b.conf: error: a YAML config cannot include a classic file",
        ),
        (
            &[("/m.conf", "@INCLUDE b.yaml\n"), ("/b.yaml", "service:\n  flush: 1\n")],
            "/b.yaml: error: a classic config cannot include a YAML file",
        ),
        (
            &[("/m.conf", "@INCLUDE b.conf\n@INCLUDE b.conf\n"), ("/b.conf", "")],
            "/m.conf:2:10: error: cannot include `/b.conf`: the file is included already",
        ),
        (
            &[("/m.conf", "@INCLUDE m.conf\n")],
            "/m.conf:1:10: error: cannot include `/m.conf`: the file is inc",
        ),
        (&[("/m.conf", "[PARSER]\n    name x\n")], "/m.conf:1:1: error: the section [PARSER] is not allowed"),
        (&[("/m.conf", "[INPUT]\n    tag x\n")], "/m.conf:1:1: error: the input has no `name` (write"),
    ];
    for (files, expected) in cases {
        let (config, diagnostics) = load_files(files);
        let shown = config.fault().map(ToString::to_string).unwrap_or_default();
        assert!(shown.starts_with(expected), "{shown}\n{diagnostics:?}");
    }
}

#[test]
fn a_diagnostic_is_shown_on_one_line_without_control_characters() {
    let (_, diagnostics) = parse(Format::Classic, "a\nb", "[SERVICE]\n    \u{1b}[31mkey\n");
    assert_eq!(
        diagnostics[0].to_string(),
        r"a\nb:2:5: error: the key `\u{1b}[31mkey` has no value (write a value after the key)"
    );
}

#[test]
fn a_config_without_a_pipeline_is_found() {
    let cases = [
        ("", Some("no pipeline")),
        ("service: {flush: 1}\n", Some("no pipeline")),
        ("[INPUT]\n    Name dummy\n", Some("no outputs")),
        ("[OUTPUT]\n    Name null\n    Match *\n", Some("no inputs")),
        ("pipeline: {inputs: [], outputs: [{name: stdout}]}\n", Some("no inputs")),
        (PIPELINE, None),
    ];
    for (text, expected) in cases {
        let found = lint::no_pipeline(&one(text)).map(|diagnostic| diagnostic.message);
        assert_eq!(
            found.as_deref().map(|message| message.contains(expected.unwrap_or("?"))),
            expected.map(|_| true)
        );
    }
    let included =
        config(&[("/m.conf", "@INCLUDE p.conf\n"), ("/p.conf", "[INPUT]\n  Name a\n[OUTPUT]\n  Name b\n")]);
    assert_eq!(lint::no_pipeline(&included), None);
}

/// Fluent Bit loads these, but hardly as they were meant.
#[test]
fn what_has_no_effect_is_a_warning() {
    let cases = [
        (Format::Classic, "[SERVICE]\n    Flush\t1 2\n", "2:5: warning: a tab stands in the key"),
        (
            Format::Classic,
            "[SERVICE]\n[INPUT]\n    a b\n",
            "2:1: warning: the section before this one has no entries",
        ),
        (Format::Classic, "@FOO bar\n", "1:1: warning: Fluent Bit ignores the command `@FOO`"),
        (Format::Classic, "@SET bar\n", "1:1: warning: Fluent Bit ignores @SET without `=`"),
        (Format::Classic, "@INCLUDE a.conf \n", "1:10: warning: blanks around the path count"),
        (Format::Yaml, "service: {flush: ' '}\n", "1:18: warning: Fluent Bit ignores a blank value"),
        (Format::Yaml, "env:\n  - {value: a}\n", "2:5: warning: this variable has no name"),
    ];
    for (format, text, expected) in cases {
        let (_, diagnostics) = parse(format, "m", text);
        let shown: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
        assert!(shown.len() == 1 && shown[0].starts_with(&format!("m:{expected}")), "{text:?}: {shown:?}");
    }
}

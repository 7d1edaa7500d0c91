//! Rendering the files that Fluent Bit is made to load.

use tidegate_fluent::{EditError, RenderRequest, RenderedFile, compare, render_effective};

use crate::support::{Files, config};

const FORCED: [(&str, &str); 2] = [("http_port", "2101"), ("http_server", "on")];

fn render(files: Files<'_>) -> Result<Vec<RenderedFile>, EditError> {
    let name = |path: &str| format!("/run/{}", path.trim_start_matches("/etc/").replace('/', "-"));
    render_effective(&config(files), RenderRequest { forced: &FORCED, base: "/etc", file_name_for: &name })
}

/// Renders, compares the texts, and loads them as Fluent Bit would: beside the files that stay.
fn check(files: Files<'_>, expected: Files<'_>) {
    let rendered = render(files);
    assert!(rendered.is_ok(), "{rendered:?}");
    let rendered = rendered.unwrap_or_default();
    let texts: Vec<_> = rendered.iter().map(|file| (file.name.as_str(), file.text.as_str())).collect();
    assert_eq!(texts, expected);
    let all: Vec<_> = texts.iter().chain(files).copied().collect();
    let (before, after) = (config(files), config(&all));
    let keys = FORCED.map(|(key, _)| key);
    assert_eq!(compare(&before, &after, &keys), []);
    for (key, value) in FORCED {
        assert_eq!(after.service().get(key), Some(value));
    }
}

#[test]
fn a_single_file_is_rendered_alone() {
    check(
        &[("/etc/m.yaml", "service:\n  http_server: off\n  parsers_file: p.conf\n")],
        &[("/run/m.yaml", "service:\n  http_server: on\n  parsers_file: /etc/p.conf\n  http_port: 2101\n")],
    );
}

#[test]
fn yaml_includes_stay_where_they_are_when_they_can() {
    check(
        &[
            ("/etc/m.yaml", "includes:\n  - d/*.yaml # all\n  - /abs.yaml\nservice: {flush: 1}\n"),
            ("/etc/d/a.yaml", "includes: [e/b.yaml]\nenv: {A: b}\n"),
            ("/etc/d/e/b.yaml", "env: {B: b}\n"),
            ("/abs.yaml", "env: {C: b}\n"),
        ],
        &[(
            "/run/m.yaml",
            "includes:\n  - /etc/d/*.yaml # all\n  - /abs.yaml\nservice: {http_port: 2101, http_server: on, flush: 1}\n",
        )],
    );
}

#[test]
fn a_yaml_include_that_holds_the_service_is_rendered_too() {
    check(
        &[
            ("/etc/m.yaml", "includes:\n  - d/*.yaml\npipeline: {}\n"),
            ("/etc/d/a.yaml", "env: {A: b}\n"),
            ("/etc/d/s.yaml", "includes: [x/y.yaml]\nservice:\n  parsers_file: p.conf\n"),
            ("/etc/d/x/y.yaml", "env: {B: b}\n"),
        ],
        &[
            ("/run/m.yaml", "includes:\n  - /etc/d/a.yaml\n  - /run/d-s.yaml\npipeline: {}\n"),
            (
                "/run/d-s.yaml",
                "includes: [/etc/d/x/y.yaml]\nservice:\n  parsers_file: /etc/p.conf\n  http_port: 2101\n  http_server: on\n",
            ),
        ],
    );
}

#[test]
fn a_chain_of_yaml_includes_is_rendered_down_to_the_service() {
    check(
        &[
            ("/etc/m.yaml", "includes: [a.yaml, d/*.yaml]\npipeline: {}\n"),
            ("/etc/a.yaml", "env: {A: b}\n"),
            ("/etc/d/c.yaml", "includes:\r\n- e/s.yaml\r\n"),
            ("/etc/d/d.yaml", "env: {D: b}\n"),
            ("/etc/d/e/s.yaml", "service: {}\n"),
        ],
        &[
            ("/run/m.yaml", "includes: [/etc/a.yaml, /run/d-c.yaml, /etc/d/d.yaml]\npipeline: {}\n"),
            ("/run/d-c.yaml", "includes:\r\n- /run/d-e-s.yaml\r\n"),
            ("/run/d-e-s.yaml", "service: {http_port: 2101, http_server: on}\n"),
        ],
    );
}

#[test]
fn classic_includes_are_overridden_from_the_main_file_s_end() {
    check(
        &[
            ("/etc/m.conf", "@INCLUDE d/*.conf\n[INPUT]\n  Name a\n"),
            ("/etc/d/a.conf", "[SERVICE]\n\thttp_server off\n"),
            ("/etc/d/b.conf", "[FILTER]\n\tName stdout\n"),
        ],
        &[(
            "/run/m.conf",
            "@INCLUDE /etc/d/*.conf\n[INPUT]\n  Name a\n[SERVICE]\n  http_port 2101\n  http_server on\n",
        )],
    );
}

/// In classic, a nested include and a parsers file depend on the main file's folder.
#[test]
fn a_classic_include_with_relative_paths_is_rendered_too() {
    check(
        &[
            ("/etc/m.conf", "[SERVICE]\n  flush 1\n@INCLUDE d/*.conf\n"),
            ("/etc/d/a.conf", "@INCLUDE d/x/n.conf\n"),
            ("/etc/d/b.conf", "[SERVICE]\n\tparsers_file p.conf\n"),
            ("/etc/d/c.conf", "[FILTER]\n\tName stdout\n"),
            ("/etc/d/x/n.conf", "[SERVICE]\n\thttp_port 1\n"),
        ],
        &[
            (
                "/run/m.conf",
                "[SERVICE]\n  flush 1\n@INCLUDE /run/d-a.conf\n@INCLUDE /run/d-b.conf\n@INCLUDE /etc/d/c.conf\n[SERVICE]\n  http_port 2101\n  http_server on\n",
            ),
            ("/run/d-a.conf", "@INCLUDE /etc/d/x/n.conf\n"),
            ("/run/d-b.conf", "[SERVICE]\n\tparsers_file /etc/p.conf\n"),
        ],
    );
}

/// As an absolute glob it would be an error.
#[test]
fn a_yaml_glob_that_matches_nothing_stays_relative() {
    check(
        &[("/etc/m.yaml", "includes: [d/*.yaml]\nservice: {http_port: 2101, http_server: on}\n")],
        &[(
            "/run/m.yaml",
            "includes: [\"../../etc/d/*.yaml\"]\nservice: {http_port: 2101, http_server: on}\n",
        )],
    );
}

#[test]
fn an_include_that_cannot_be_split_is_refused() {
    let error = render(&[
        ("/etc/m.yaml", "includes:\n  - >-\n    d/*.yaml\n"),
        ("/etc/d/a.yaml", "env: {A: b}\n"),
        ("/etc/d/s.yaml", "service: {}\n"),
    ]);
    let (file, argument) = ("/etc/m.yaml".to_owned(), "d/*.yaml".to_owned());
    assert_eq!(error, Err(EditError::Include { file, argument }));
}

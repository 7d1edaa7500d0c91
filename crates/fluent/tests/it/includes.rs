//! Following includes.

use tidegate_fluent::{Format, IncludedFile, MAX_FILES, MAX_INCLUDE_DEPTH, load};

use crate::support::config;

#[test]
fn includes_are_read_at_their_place() {
    let classic = config(&[
        (
            "/m.conf",
            "[SERVICE]\n    flush 1\n@INCLUDE d/*.conf\n    grace 9\n[SERVICE]\n    log_level error\n",
        ),
        ("/d/a.conf", "[SERVICE]\n  flush 2\n  log_level debug\n"),
        ("/d/b.conf", "[SERVICE]\n\tflush 3\n"),
    ]);
    let service = classic.service();
    assert_eq!((service.get("flush"), service.get("log_level")), (Some("3"), Some("error")));
    assert_eq!(service.get("grace"), Some("9"), "an include does not end the section around it");
    assert_eq!(classic.includes()[0].targets, [1, 2]);
}

/// Classic starts at the main file's folder, YAML at the including file's.
#[test]
fn relative_includes_start_where_fluent_bit_starts() {
    for (format, main, included) in [
        (Format::Classic, "@INCLUDE d/a\n", "@INCLUDE b\n"),
        (Format::Yaml, "includes: [d/a]\n", "includes: [b]\n"),
    ] {
        let mut asked = Vec::new();
        let (_, _) = load(format, "/e/m", main, &mut |request| {
            asked.push((request.from.to_owned(), request.base.to_owned(), request.argument.to_owned()));
            match request.argument {
                "d/a" => Ok(vec![IncludedFile { name: "/e/d/a".to_owned(), text: included.to_owned() }]),
                _ => Err("no".to_owned()),
            }
        });
        let base = if format == Format::Yaml { "/e/d/a" } else { "/e/m" };
        let expected = [("/e/m", "/e/m", "d/a"), ("/e/d/a", base, "b")];
        let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
        assert_eq!(asked, expected);
    }
}

#[test]
fn only_a_star_makes_a_glob() {
    let mut globs = Vec::new();
    let (_, _) = load(Format::Classic, "m", "@INCLUDE a?.conf\n@include b*.conf\n", &mut |request| {
        globs.push(request.glob);
        Ok(vec![IncludedFile { name: request.argument.to_owned(), text: String::new() }])
    });
    assert_eq!(globs, [false, true]);
}

#[test]
fn endless_includes_end() {
    let mut number = 0;
    let (config, diagnostics) = load(Format::Classic, "m", "@INCLUDE x\n", &mut |_| {
        number += 1;
        Ok(vec![IncludedFile { name: format!("f{number}"), text: "@INCLUDE x\n".to_owned() }])
    });
    assert_eq!(config.trees.len(), MAX_INCLUDE_DEPTH + 1);
    assert!(diagnostics[0].message.contains("deep"), "{diagnostics:?}");

    let many = "@INCLUDE x\n".repeat(MAX_FILES * 3);
    let mut asked = 0;
    let (config, diagnostics) = load(Format::Classic, "m", &many, &mut |_| {
        asked += 1;
        Ok(vec![IncludedFile { name: format!("f{asked}"), text: String::new() }])
    });
    assert!(config.trees.len() <= MAX_FILES && asked <= MAX_FILES, "{asked}");
    assert!(config.fault().is_some() && diagnostics.len() < 300);
}

#[test]
fn a_relative_yaml_glob_may_match_nothing() {
    let (config, diagnostics) = load(Format::Yaml, "/m", "includes: [x*]\n", &mut |_| Ok(Vec::new()));
    assert_eq!(config.fault(), None);
    assert_eq!(
        diagnostics[0].to_string(),
        "/m:1:12: warning: no file matches `x*` (correct the path or remove the include)"
    );
}

#[test]
fn a_glob_that_matches_nothing_is_an_error() {
    let (config, _) = load(Format::Classic, "m", "@INCLUDE x*\n", &mut |_| Ok(Vec::new()));
    assert_eq!(
        config.fault().map(|fault| fault.message.as_str()),
        Some("cannot include `x*`: no file matches")
    );
}

//! What the architecture says and no compiler checks: arrows between crates, bans, the length of files.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on may end

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which crate of ours may use which. `testkit` may use all.
const ARROWS: [(&str, &[&str]); 9] = [
    ("opamp", &[]),
    ("fluent", &[]),
    ("api", &[]),
    ("custom", &["opamp"]),
    ("fleet", &["opamp", "custom", "fluent"]),
    // The store writes the protocol's own bytes of the values that fleet holds.
    ("store", &["fleet", "opamp"]),
    ("server", &["opamp", "custom", "fluent", "fleet", "store", "api"]),
    ("supervisor", &["opamp", "custom", "fluent"]),
    ("cli", &["api", "fluent"]),
];

/// Crates of others that only one of ours may know, and which.
const KNOWN_ONLY_BY: [(&str, &[&str]); 8] = [
    ("tokio-rustls", &["server", "supervisor"]),
    ("rusqlite", &["store"]),
    ("axum", &["server"]),
    ("prometheus-client", &["server"]),
    ("reqwest", &["api"]),
    ("rmcp", &["server"]),
    ("comfy-table", &["cli"]),
    ("rustix", &["server", "supervisor"]),
];

/// Crates without IO and without a clock.
const PURE: [&str; 4] = ["opamp", "custom", "fluent", "fleet"];

/// What a pure crate may not use.
const IMPURE: [&str; 6] = ["tokio", "hyper", "rusqlite", "rustix", "getrandom", "tracing-subscriber"];

/// Never linked: licence, size or safety.
const BANNED: [&str; 5] = ["ring", "openssl", "openssl-sys", "native-tls", "boring"];

/// Crates that come in several versions, with the reason.
const DOUBLES: [(&str, &str); 4] = [
    ("syn", "derive macros move to version 3 one by one; none of it is linked"),
    ("itertools", "criterion, for benchmarks alone, holds to 0.13; prost-derive runs at build time"),
    ("thiserror", "tokio-socks derives its errors with version 1; a few trait impls"),
    ("thiserror-impl", "the macro of the same; it runs at build time"),
];

/// Files over [`MAX_LINES`], with the reason.
const LONG_FILES: [(&str, &str); 0] = [];

const MAX_LINES: usize = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--locked".into()])
        .exec()
        .unwrap()
}

fn short(package: &Package) -> &str {
    package.name.strip_prefix("tidegate-").unwrap()
}

fn uses(package: &Package) -> BTreeSet<&str> {
    let linked = |kind| matches!(kind, DependencyKind::Normal | DependencyKind::Build);
    package
        .dependencies
        .iter()
        .filter(|dependency| linked(dependency.kind))
        .map(|d| d.name.as_str())
        .collect()
}

#[test]
fn arrows_between_crates_run_one_way() {
    let metadata = metadata();
    let arrows: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let mut seen = 0;
    for package in metadata.workspace_packages() {
        let name = short(package);
        if name == "testkit" {
            continue;
        }
        seen += 1;
        let allowed = arrows.get(name).unwrap_or_else(|| panic!("{name} is a new crate: draw its arrows"));
        for used in uses(package).iter().filter_map(|used| used.strip_prefix("tidegate-")) {
            assert!(allowed.contains(&used), "{name} may not use {used}");
        }
    }
    assert_eq!(seen, ARROWS.len());
}

#[test]
fn each_engine_is_known_to_one_crate() {
    let metadata = metadata();
    for package in metadata.workspace_packages() {
        let (name, used) = (short(package), uses(package));
        if name == "testkit" {
            continue;
        }
        for (engine, owners) in KNOWN_ONLY_BY {
            assert!(!used.contains(engine) || owners.contains(&name), "{name} may not know {engine}");
        }
        for impure in IMPURE.iter().filter(|_| PURE.contains(&name)) {
            assert!(!used.contains(impure), "{name} does no IO and reads no clock, yet it uses {impure}");
        }
    }
}

#[test]
fn only_one_module_of_the_server_knows_the_sdk_of_mcp() {
    let (mut inside, mut outside) = (0, Vec::new());
    let source = root().join("crates/server/src");
    visit(&source, &mut |path, text| {
        if !text.contains("rmcp") {
            return;
        }
        if path.starts_with(source.join("mcp")) {
            inside += 1;
        } else {
            outside.push(path.display().to_string());
        }
    });
    assert!(inside > 0, "the module was not found");
    assert!(outside.is_empty(), "rmcp is known outside of server::mcp: {outside:?}");
}

#[test]
fn the_supervisor_stays_small() {
    let metadata = metadata();
    let linked = closure(&metadata, "tidegate-supervisor");
    for heavy in ["tidegate-fleet", "tidegate-store", "tidegate-api", "axum", "rusqlite", "reqwest"] {
        assert!(!linked.contains(heavy), "tidegate-supervisor links {heavy}");
    }
    assert!(linked.contains("tidegate-opamp"), "the walk over the graph is broken");
}

/// The names of everything that a package links.
fn closure(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let nodes = &metadata.resolve.as_ref().unwrap().nodes;
    let start = metadata.packages.iter().find(|package| package.name.as_str() == name).unwrap().id.clone();
    let (mut waiting, mut seen) = (vec![start], BTreeSet::new());
    while let Some(id) = waiting.pop() {
        if !seen.insert(id.clone()) {
            continue;
        }
        let node = nodes.iter().find(|node| node.id == id).unwrap();
        let linked = |dependency: &&cargo_metadata::NodeDep| {
            dependency.dep_kinds.iter().any(|kind| kind.kind != DependencyKind::Development)
        };
        waiting.extend(node.deps.iter().filter(linked).map(|dependency| dependency.pkg.clone()));
    }
    metadata.packages.iter().filter(|p| seen.contains(&p.id)).map(|p| p.name.to_string()).collect()
}

/// Every crate that is built on any platform with any feature of ours, by name, with its versions. The lock file and
/// the metadata also name crates that a weak feature of another mentions and nothing turns on (rustls-webpki and ring).
fn built() -> BTreeMap<String, BTreeSet<String>> {
    let tree = "tree --workspace --all-features --target all --edges normal,build,dev --prefix none --format {p} --locked";
    let output = Command::new(env!("CARGO")).args(tree.split(' ')).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let mut words = line.split(' ');
        if let (Some(name), Some(version)) = (words.next(), words.next()) {
            versions.entry(name.to_owned()).or_default().insert(version.to_owned());
        }
    }
    assert!(versions.contains_key("rustls"), "the tree was not read");
    versions
}

#[test]
fn nothing_banned_is_built() {
    let built = built();
    for banned in BANNED {
        assert!(!built.contains_key(banned), "{banned} is banned");
    }
}

#[test]
fn crates_come_in_one_version_or_with_a_reason() {
    let mut versions = built();
    versions.retain(|_, versions| versions.len() > 1);
    for (name, versions) in &versions {
        let excused = DOUBLES.iter().any(|(double, reason)| double == name && !reason.is_empty());
        assert!(excused, "{name} comes in {versions:?}: use one, or write the reason down");
    }
    for (double, _) in DOUBLES {
        assert!(versions.contains_key(double), "{double} comes in one version by now: take it off the list");
    }
}

#[test]
fn every_crate_holds_the_house_rules() {
    for package in metadata().workspace_packages() {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} leaves the lints out", package.name);
        assert_eq!(package.license.as_deref(), Some("Apache-2.0"), "{}", package.name);
        assert_eq!(package.publish.as_deref(), Some(&[][..]), "{}", package.name);
        assert_eq!(package.edition.as_str(), "2024", "{}", package.name);
    }
}

#[test]
fn every_row_of_the_checklist_has_a_test_or_says_why_not() {
    use tidegate_testkit::conformance::{Checklist, complaints, tests_under};
    let (checklist, tests) = (Checklist::read(&root()).unwrap(), tests_under(&root()).unwrap());
    assert!(checklist.entries.len() == 205 + 193 && tests.len() > 150, "rows or tests were not found");
    let complaints = complaints(&checklist, &tests);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

#[test]
fn files_are_short_or_say_why() {
    let mut long = BTreeMap::new();
    let mut count = 0;
    visit(&root().join("crates"), &mut |path, text| {
        count += 1;
        let lines = text.lines().count();
        if lines > MAX_LINES {
            long.insert(path.strip_prefix(root()).unwrap().display().to_string(), lines);
        }
    });
    assert!(count > 100, "only {count} files were found");
    for (path, lines) in &long {
        let excused = LONG_FILES.iter().any(|(file, reason)| file == path && !reason.is_empty());
        assert!(excused, "{path} has {lines} lines: split it by meaning, or write the reason down");
    }
    for (file, _) in LONG_FILES {
        assert!(long.contains_key(file), "{file} is short by now: take it off the list");
    }
}

fn visit(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            look(&path, &std::fs::read_to_string(&path).unwrap());
        }
    }
}

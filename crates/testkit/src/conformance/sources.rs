//! Tests as they stand in the sources, with the rows that each says it holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::{Row, read};

/// The test binaries whose tests work with programs of others, and pass without doing anything where those are not
/// installed: OpAMP clients, and a real Fluent Bit.
const OUTSIDE: [&str; 2] = ["interop", "process"];

/// A test that names rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// The binary that it is in: `planes`, `tidegate_fleet`.
    pub target: String,
    /// Its name as `cargo test` prints it: `sequence::given_…`.
    pub path: String,
    /// Its file, from the workspace's root, with `/`.
    pub file: String,
    /// The rows that its documentation and its body name.
    pub rows: BTreeSet<Row>,
}

impl Test {
    /// True when the test may have passed without doing anything.
    #[must_use]
    pub fn is_outside(&self) -> bool {
        OUTSIDE.contains(&self.target.as_str())
    }
}

/// All tests of the workspace that name rows, in the order of their files. This crate's own library is left out: it is
/// no part of the product.
///
/// # Errors
/// A file that cannot be read.
pub fn tests_under(root: &Path) -> Result<Vec<Test>, String> {
    let mut files = Vec::new();
    collect(&root.join("crates"), &mut files)?;
    let mut tests = Vec::new();
    for file in files {
        let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().replace('\\', "/");
        if !name.starts_with("crates/testkit/src/") {
            tests.extend(tests_of(&name, &read(&file)?));
        }
    }
    Ok(tests)
}

fn collect(folder: &Path, files: &mut Vec<std::path::PathBuf>) -> Result<(), String> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths: Vec<_> = fs::read_dir(folder)
        .map_err(wrong)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()
        .map_err(wrong)?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

/// The tests of one file that name rows. The file is formatted: what begins at some depth ends with a brace at that
/// depth.
#[must_use]
pub fn tests_of(file: &str, text: &str) -> Vec<Test> {
    let Some((target, place)) = home(file) else { return Vec::new() };
    let mut found = Vec::new();
    let mut modules: Vec<(String, String)> = Vec::new();
    let (mut docs, mut is_test, mut in_attribute) = (String::new(), false, false);
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let word = line.trim_start();
        let indent = &line[..line.len() - word.len()];
        let end = format!("{indent}}}");
        if let Some(doc) = word.strip_prefix("///") {
            docs.push_str(doc);
            docs.push('\n');
        } else if in_attribute || word.starts_with("#[") {
            is_test |= word.starts_with("#[test]") || word.starts_with("#[tokio::test");
            in_attribute = !word.ends_with(']');
        } else if let Some(name) = item(word, "fn ").filter(|_| is_test) {
            let body = if line.ends_with('}') { Vec::new() } else { until(&mut lines, &end) };
            let rows = Row::named_in(&(docs.clone() + line + "\n" + &body.join("\n")));
            if !rows.is_empty() {
                let inner = modules.iter().map(|(_, name)| name.as_str());
                let path: Vec<_> = place.iter().copied().chain(inner).chain([name]).collect();
                let (target, file) = (target.clone(), file.to_owned());
                found.push(Test { target, path: path.join("::"), file, rows });
            }
            (docs, is_test) = (String::new(), false);
        } else {
            (docs, is_test) = (String::new(), false);
            if let Some(name) = item(word, "mod ").filter(|_| line.ends_with('{')) {
                modules.push((end, name.to_owned()));
            } else if modules.last().is_some_and(|(end, _)| end == line) {
                modules.pop();
            }
        }
    }
    found
}

/// The lines up to one.
fn until<'a>(lines: &mut std::str::Lines<'a>, end: &str) -> Vec<&'a str> {
    lines.take_while(|line| *line != end).collect()
}

/// The name of an item that a line begins.
fn item<'a>(word: &'a str, keyword: &str) -> Option<&'a str> {
    let (before, behind) = word.split_once(keyword)?;
    let plain = before.split_whitespace().all(|word| word == "async" || word.starts_with("pub"));
    let end = behind.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'))?;
    (plain && end > 0).then(|| &behind[..end])
}

/// The test binary of a file and the modules that lead to it.
fn home(file: &str) -> Option<(String, Vec<&str>)> {
    let parts: Vec<_> = file.strip_suffix(".rs")?.split('/').collect();
    let ["crates", name, kind, rest @ ..] = &parts[..] else { return None };
    let mut rest = rest.to_vec();
    let target = match (*kind, &rest[..]) {
        ("tests", [first, ..]) => (*first).to_owned(),
        ("src", ["bin", first, ..]) => first.replace('-', "_"),
        ("src", _) => format!("tidegate_{name}"),
        _ => return None,
    };
    match (*kind, rest.first().copied()) {
        ("tests", _) => drop(rest.remove(0)),
        (_, Some("bin")) => drop(rest.drain(..2)),
        (_, Some("lib" | "main")) if rest.len() == 1 => rest.clear(),
        _ => {}
    }
    if rest.last() == Some(&"mod") {
        rest.pop();
    }
    Some((target, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"//! S001: a module names no row.

/// S002: a helper holds nothing.
fn helper() {}

/// S003, S005–S006: two lines
/// of documentation, S008.
#[tokio::test(flavor = "multi_thread")]
async fn first() {
    let cases = [("S010: a case", 1), ("none", 2)];
    if cases.is_empty() {
        // S011 as well.
    }
}

#[test]
fn names_nothing() {
    helper();
}

fn between() -> &'static str {
    "S012"
}

mod inner {
    mod deeper {
        #[test]
        #[ignore = "slow"]
        fn second() {
            assert!(true, "S020");
        }
    }

    /// S021: one line.
    #[test]
    fn third() {}
}

/// S022: behind the module again.
#[test]
fn fourth() {
    helper();
}
"#;

    fn found(file: &str) -> Vec<(String, String, String)> {
        let rows = |test: &Test| test.rows.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let tests = tests_of(file, TEXT);
        tests.iter().map(|test| (test.target.clone(), test.path.clone(), rows(test))).collect()
    }

    #[test]
    fn given_a_source_when_read_then_tests_alone_hold_the_rows_of_their_docs_and_cases() {
        let expected = [
            ("first", "S003 S005 S006 S008 S010 S011"),
            ("inner::deeper::second", "S020"),
            ("inner::third", "S021"),
            ("fourth", "S022"),
        ];
        let found = found("crates/server/tests/planes.rs");
        let found: Vec<_> = found.iter().map(|(_, path, rows)| (path.as_str(), rows.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn given_places_of_files_when_read_then_targets_and_paths_are_those_that_cargo_prints() {
        let cases = [
            ("crates/server/tests/planes/sequence.rs", "planes", "sequence::first"),
            ("crates/testkit/tests/system/kills/load.rs", "system", "kills::load::first"),
            ("crates/opamp/tests/it.rs", "it", "first"),
            ("crates/fleet/src/lib.rs", "tidegate_fleet", "first"),
            ("crates/server/src/main.rs", "tidegate_server", "first"),
            ("crates/fleet/src/settings/mod.rs", "tidegate_fleet", "settings::first"),
            ("crates/fleet/src/settings/tests.rs", "tidegate_fleet", "settings::tests::first"),
            ("crates/server/src/bin/some-tool.rs", "some_tool", "first"),
        ];
        for (file, target, path) in cases {
            let found = found(file);
            assert_eq!((found[0].0.as_str(), found[0].1.as_str()), (target, path), "{file}");
        }
    }
}

//! Whether docs/hard-cases.md is true: the tests that it names exist, and it says on what they run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// All tests of the workspace by name, each with whether it runs on a real Fluent Bit as well.
fn tests(folder: &Path, found: &mut BTreeMap<String, bool>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests(&path, found);
            continue;
        }
        if path.extension().is_none_or(|ending| ending != "rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let on_real = path.to_string_lossy().contains("supervisor/tests/process");
        for (name, rest) in text.split("fn given_").skip(1).filter_map(|rest| rest.split_once('(')) {
            let body = rest.split("fn given_").next().unwrap_or_default();
            found.insert(format!("given_{name}"), on_real || body.contains("on_each("));
        }
    }
}

#[test]
fn given_the_list_of_hard_cases_then_each_has_tests_that_exist_and_run_where_it_says() {
    let root = tidegate_testkit::conformance::root();
    let mut known = BTreeMap::new();
    tests(&root.join("crates"), &mut known);
    let text = fs::read_to_string(root.join("docs/hard-cases.md")).unwrap();
    let mut cases = BTreeSet::new();
    for section in text.split("\n### ").skip(1) {
        let title = section.lines().next().unwrap_or_default();
        let names: Vec<_> =
            section.split('`').filter(|word| word.starts_with("given_")).map(str::to_owned).collect();
        assert!(!names.is_empty(), "{title}: no test is named");
        for name in &names {
            assert!(known.contains_key(name), "{title}: there is no test {name}");
        }
        let on_real = names.iter().any(|name| known[name]);
        let said = section.contains("On the real binary as well.");
        assert_eq!(on_real, said, "{title}: whether its tests run on a real Fluent Bit");
        if let Some(number) = title.split('.').next().and_then(|number| number.parse::<u32>().ok()) {
            cases.insert(number);
        }
    }
    assert_eq!(cases.into_iter().collect::<Vec<_>>(), (1..=25).collect::<Vec<_>>());
}

/// Hard case 17: whatever waits, waits on a clock that only rises; the wall clock names and dates.
#[test]
fn given_the_supervisors_sources_then_the_wall_clock_is_read_only_to_name_and_to_date() {
    let folder = tidegate_testkit::conformance::root().join("crates/supervisor/src");
    let mut read = BTreeSet::new();
    let mut waiting = vec![folder.clone()];
    while let Some(place) = waiting.pop() {
        for entry in fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else if fs::read_to_string(&path).unwrap().contains("SystemTime::now()") {
                read.insert(path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned());
            }
        }
    }
    // Times of reports, the time in a new uid, and dates in a server's answer that say when to come back.
    let expected = ["client/handshake.rs", "client/post.rs", "identity.rs", "machine/mod.rs"];
    assert_eq!(
        read,
        BTreeSet::from(expected.map(str::to_owned)),
        "a wait must not hang on the wall clock, which jumps"
    );
}

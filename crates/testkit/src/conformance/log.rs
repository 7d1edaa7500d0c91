//! What `cargo test` printed of each test.

use std::collections::BTreeMap;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// It was left out.
    Ignored,
    /// It failed.
    Failed,
}

/// How each test ended, by its binary and its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcomes(BTreeMap<(String, String), Outcome>);

impl Outcomes {
    /// Reads the output of one `cargo test`, or of several one after the other. A test that stands there twice, be it that
    /// two crates have a binary of that name, counts as the worse.
    #[must_use]
    pub fn parse(log: &str) -> Self {
        let mut outcomes = BTreeMap::new();
        let mut target = None;
        for line in log.lines() {
            let line = uncoloured(line);
            let word = line.trim();
            if word.starts_with("Doc-tests ") {
                target = None;
            } else if let Some(running) = word.strip_prefix("Running ") {
                target = binary(running).or(target);
            } else if let (Some(target), Some((path, outcome))) = (&target, ended(word)) {
                let known = outcomes.entry((target.clone(), path.to_owned())).or_insert(outcome);
                *known = outcome.max(*known);
            }
        }
        Self(outcomes)
    }

    /// True when nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How a test ended, if it was run. A file of tests may stand in further modules than its place tells.
    #[must_use]
    pub fn of(&self, target: &str, path: &str) -> Option<Outcome> {
        let behind = format!("::{path}");
        let is_it = |name: &str| name == path || name.ends_with(&behind);
        let found = self.0.iter().filter(|((binary, name), _)| binary == target && is_it(name));
        found.map(|(_, outcome)| *outcome).max()
    }
}

/// A line without the colours that cargo gives it where it is told to.
fn uncoloured(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once('m').map_or(part, |(_, text)| text));
    std::iter::once(first).chain(rest).collect()
}

/// The name of the binary in `tests/planes.rs (target/debug/deps/planes-0123456789abcdef)`.
fn binary(running: &str) -> Option<String> {
    let (_, file) = running.strip_suffix(')')?.rsplit_once('(')?;
    let file = file.rsplit(['/', '\\']).next()?;
    let (name, hash) = file.strip_suffix(".exe").unwrap_or(file).rsplit_once('-')?;
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| name.to_owned())
}

/// The path and the end in `test sequence::given_… ... ok`.
fn ended(line: &str) -> Option<(&str, Outcome)> {
    let (path, end) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let outcome = match end {
        "ok" => Outcome::Passed,
        "FAILED" => Outcome::Failed,
        _ if end.starts_with("ignored") => Outcome::Ignored,
        _ => return None,
    };
    Some((path.strip_suffix(" - should panic").unwrap_or(path), outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_log_when_read_then_each_test_has_the_outcome_that_was_printed_for_its_binary() {
        let log = "   Compiling x v0.1.0\n     Running unittests src/lib.rs (target/debug/deps/tidegate_fleet-0123456789abcdef)\n\n\
                   running 2 tests\ntest a::one ... ok\ntest a::two - should panic ... FAILED\n\
                   test result: FAILED. 1 passed; 1 failed\n\
                   \x1b[1m\x1b[32m     Running\x1b[0m tests/it.rs (/a b/debug/deps/it-00ff00ff00ff00ff)\ntest one ... ignored, slow\ntest b ... ok\n\
                   test c has been running for over 60 seconds\n\
                   \x20    Running tests/it.rs (target\\debug\\deps\\it-11ff00ff00ff00ff.exe)\ntest b ... FAILED\ntest d ... ok\n\
                   \x20  Doc-tests tidegate_api\ntest crates/api/src/lib.rs - X (line 3) ... ok\n";
        let outcomes = Outcomes::parse(log);
        let cases = [
            ("tidegate_fleet", "a::one", Some(Outcome::Passed)),
            ("tidegate_fleet", "a::two", Some(Outcome::Failed)),
            ("it", "one", Some(Outcome::Ignored)),
            ("it", "b", Some(Outcome::Failed)),
            ("it", "c", None),
            ("it", "d", Some(Outcome::Passed)),
            ("it", "a::one", None),
            ("tidegate_fleet", "one", Some(Outcome::Passed)),
            ("tidegate_fleet", "ne", None),
        ];
        for (target, path, expected) in cases {
            assert_eq!(outcomes.of(target, path), expected, "{target} {path}");
        }
        assert_eq!(outcomes.0.len(), 5);
        assert!(Outcomes::parse("error: could not compile\n").is_empty());
    }
}

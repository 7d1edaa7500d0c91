//! How the files that an agent runs differ from those that it should run, line by line, for a person to read.

use similar::{Algorithm, ChangeTag, TextDiff};
use tidegate_fluent::redact::{Key, redact_rest};
use tidegate_opamp::{AgentConfigMap, AgentConfigObject};

use crate::Config;
use crate::agent::axes::RENDERED_FILE;

/// Lines around a change that are shown with it.
const CONTEXT: usize = 3;

/// Longest file that is compared line by line; longer ones only differ or do not.
const MAX_COMPARED_BYTES: usize = 1024 * 1024;

/// How one file differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It does not.
    Same,
    /// It should be there and is not.
    Missing,
    /// It is there and should not be.
    Foreign,
    /// Its lines differ; none where it is no text, or too long to be compared.
    Lines(Vec<Line>),
}

/// A line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Whether it stands in what should run, in what runs, or in both.
    pub side: Side,
    /// Its number there, from 1: in what runs, unless it stands only in what should run.
    pub number: usize,
    /// Its text, without secrets; text of the agent where [`Side`] says so.
    pub text: String,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In both.
    Both,
    /// Only in what should run.
    Desired,
    /// Only in what runs.
    Effective,
}

impl Side {
    /// The sign before such a line.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Both => ' ',
            Self::Desired => '-',
            Self::Effective => '+',
        }
    }
}

/// How each file of what an agent runs differs from what it should run, by name. Secrets are marks on both sides; line
/// ends and spaces before them do not count, nor does what the supervisor rendered ([`RENDERED_FILE`]).
#[must_use]
pub fn difference(desired: &Config, effective: &AgentConfigMap) -> Vec<(String, Change)> {
    let key = desired.key();
    let wanted = &desired.redacted().config_map;
    let running = &effective.config_map;
    let mut names: Vec<_> =
        wanted.keys().chain(running.keys()).filter(|name| *name != RENDERED_FILE).collect();
    names.sort_unstable();
    names.dedup();
    let change = |name: &String| match (wanted.get(name), running.get(name)) {
        (Some(wanted), Some(running)) => changed(wanted, running, &key),
        (Some(_), None) => Change::Missing,
        (None, _) => Change::Foreign,
    };
    names.into_iter().map(|name| (name.clone(), change(name))).collect()
}

fn changed(wanted: &AgentConfigObject, running: &AgentConfigObject, key: &Key) -> Change {
    if wanted.body == running.body {
        return Change::Same;
    }
    let texts = (std::str::from_utf8(&wanted.body), std::str::from_utf8(&running.body));
    let (Ok(wanted), Ok(running)) = texts else { return Change::Lines(Vec::new()) };
    if wanted.len().max(running.len()) > MAX_COMPARED_BYTES {
        return Change::Lines(Vec::new());
    }
    let (wanted, running) = (normal(wanted), normal(&redact_rest(running, key)));
    if wanted == running {
        return Change::Same;
    }
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(&wanted, &running);
    let mut lines = Vec::new();
    for group in diff.grouped_ops(CONTEXT) {
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (side, index) = match change.tag() {
                ChangeTag::Equal => (Side::Both, change.new_index()),
                ChangeTag::Delete => (Side::Desired, change.old_index()),
                ChangeTag::Insert => (Side::Effective, change.new_index()),
            };
            let text = change.value().trim_end_matches('\n').to_owned();
            lines.push(Line { side, number: index.map_or(0, |index| index + 1), text });
        }
    }
    Change::Lines(lines)
}

/// The text with plain line ends and nothing before them.
fn normal(text: &str) -> String {
    text.lines().flat_map(|line| [line.trim_end(), "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::Timestamp;

    fn files(files: &[(&str, &str)]) -> AgentConfigMap {
        let object = |body: &str| AgentConfigObject {
            body: body.to_owned().into_bytes().into(),
            ..AgentConfigObject::default()
        };
        let config_map: BTreeMap<_, _> =
            files.iter().map(|(name, body)| ((*name).to_owned(), object(body))).collect();
        AgentConfigMap { config_map, ..AgentConfigMap::default() }
    }

    fn between(desired: &[(&str, &str)], effective: &[(&str, &str)]) -> Vec<(String, Change)> {
        difference(&Config::new(files(desired), Timestamp(0)), &files(effective))
    }

    #[test]
    fn given_files_when_compared_then_changed_missing_and_foreign_ones_are_told_and_the_rendered_one_is_not()
    {
        let found = between(
            &[("a", "x\ny\n"), ("b", "same\r\n"), ("c", "gone")],
            &[("a", "x\nz\n"), ("b", "same  \n"), ("d", "new"), (RENDERED_FILE, "rendered")],
        );
        let line = |side, number, text: &str| Line { side, number, text: text.into() };
        let changed =
            vec![line(Side::Both, 1, "x"), line(Side::Desired, 2, "y"), line(Side::Effective, 2, "z")];
        assert_eq!(
            found,
            [
                ("a".into(), Change::Lines(changed)),
                ("b".into(), Change::Same),
                ("c".into(), Change::Missing),
                ("d".into(), Change::Foreign),
            ]
        );
    }

    #[test]
    fn given_secrets_when_compared_then_none_is_shown_whether_the_agent_marked_its_own_or_not() {
        let desired = "[OUTPUT]\n    Name http\n    http_passwd hunter2\n";
        let config = Config::new(files(&[("a.conf", desired)]), Timestamp(0));
        let marked = config.redacted().clone();
        assert_eq!(difference(&config, &marked), [("a.conf".to_owned(), Change::Same)]);
        let plain = files(&[("a.conf", &desired.replace("http\n", "https\n"))]);
        let told = format!("{:?}", difference(&config, &plain));
        assert!(told.contains("https") && !told.contains("hunter2"), "{told}");
    }
}

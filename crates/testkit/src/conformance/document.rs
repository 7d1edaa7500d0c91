//! The document that people read.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Checklist, Entry, Kind, Outcome, Outcomes, Side, Test};

/// What the tests and the reasons say of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Pass,
    Part,
    Left,
    Inapplicable,
    Due,
    NotRun,
    Fail,
}

impl Verdict {
    const ALL: [Self; 7] =
        [Self::Pass, Self::Part, Self::Left, Self::Inapplicable, Self::Due, Self::NotRun, Self::Fail];

    fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Part => "pass in part",
            Self::Left => "left out",
            Self::Inapplicable => "not applicable",
            Self::Due => "due",
            Self::NotRun => "not run",
            Self::Fail => "fail",
        }
    }
}

const INTRODUCTION: &str = "\
# OpAMP conformance

<!-- Written by scripts/conformance.sh from the tests and from what a run of them printed. Do not edit. -->

Each row is one thing that a server or a client of OpAMP v0.20 has to do, or has to bear: MUST, SHOULD and MAY are words of
the specification, IMPL follows from how the protocol works, ROBUST from how real peers were seen to behave. `A3` and the
like are rulings: what the specification leaves open, and what Tidegate does about it. The client is the supervisor; where a
row speaks of a Collector, it is read as of Fluent Bit.

A row passes when every test of ours that names it has passed in the run that this page was written from; `scripts/test.sh`
fails when its own run shows anything else. Tests of `interop` speak to clients of others ([interop.md](interop.md)), those
of `process` start a real Fluent Bit; they are listed, and a failure of theirs is a failure of the row, but as they pass
without doing anything where those programs are not installed, none of them holds a row alone. A row without a test says
why: `due` will be held, `left out` is optional, `not applicable` speaks of what is not there. Which tests belong to which
row is in the tests themselves; rows and reasons are in `crates/testkit/conformance/`.
";

/// The document as a checklist, its tests and a run of them make it.
#[must_use]
pub fn render(checklist: &Checklist, tests: &[Test], outcomes: &Outcomes) -> String {
    let mut text = INTRODUCTION.to_owned();
    let mut counts: BTreeMap<Side, Counts<'_>> = BTreeMap::new();
    let mut tables = String::new();
    let mut group = "";
    for entry in &checklist.entries {
        if entry.group != group {
            group = &entry.group;
            let _ = writeln!(tables, "\n## {group}\n\n| row | level | held by | verdict | remark |");
            tables.push_str("|---|---|---|---|---|\n");
        }
        let verdict = verdict(checklist, entry, tests, outcomes);
        let side = counts.entry(entry.row.side).or_default();
        *side.entry(&entry.level).or_default().entry(verdict).or_default() += 1;
        let held_by: Vec<_> = tests.iter().filter(|test| test.rows.contains(&entry.row)).map(link).collect();
        let remarks: Vec<_> = checklist.reasons_of(entry.row).map(|reason| reason.text.as_str()).collect();
        let _ = write!(tables, "| {} |", entry.row);
        for cell in [entry.level.as_str(), &held_by.join("<br>"), verdict.name(), &remarks.join("; ")] {
            let _ = write!(tables, " {cell}{}|", if cell.is_empty() { "" } else { " " });
        }
        tables.push('\n');
    }
    for (side, counts) in &counts {
        let _ = writeln!(text, "\nThe {}'s side:", side.word());
        text.push_str(&summary(counts));
    }
    text + &tables
}

fn link(test: &Test) -> String {
    format!("[{}::{}](../{})", test.target, test.path, test.file)
}

fn verdict(checklist: &Checklist, entry: &Entry, tests: &[Test], outcomes: &Outcomes) -> Verdict {
    let held_by: Vec<_> = tests.iter().filter(|test| test.rows.contains(&entry.row)).collect();
    let outcome = |test: &Test| outcomes.of(&test.target, &test.path);
    let own: Vec<_> = held_by.iter().filter(|test| !test.is_outside()).map(|test| outcome(test)).collect();
    let has = |kind| checklist.reasons_of(entry.row).any(|reason| reason.kind == kind);
    if held_by.iter().any(|test| outcome(test) == Some(Outcome::Failed)) {
        return Verdict::Fail;
    }
    match own[..] {
        [] if has(Kind::Due) => Verdict::Due,
        [] if has(Kind::Left) => Verdict::Left,
        [] if has(Kind::Inapplicable) => Verdict::Inapplicable,
        [] => Verdict::NotRun,
        // A test that is left out shows nothing, and takes nothing from the others; one that is missing from the log does.
        _ if own.contains(&None) || !own.contains(&Some(Outcome::Passed)) => Verdict::NotRun,
        _ if has(Kind::Part) => Verdict::Part,
        _ => Verdict::Pass,
    }
}

/// How many rows of each level have which verdict.
type Counts<'a> = BTreeMap<&'a str, BTreeMap<Verdict, usize>>;

/// A table of counts; columns without any are left out.
fn summary(counts: &Counts<'_>) -> String {
    let of = |counts: &BTreeMap<Verdict, usize>, verdict| counts.get(&verdict).copied().unwrap_or(0);
    let shown: Vec<_> = Verdict::ALL
        .into_iter()
        .filter(|verdict| counts.values().any(|counts| counts.contains_key(verdict)))
        .collect();
    let mut text = "\n| level | rows |".to_owned();
    for verdict in &shown {
        let _ = write!(text, " {} |", verdict.name());
    }
    let _ = writeln!(text, "\n|---|---|{}", "---|".repeat(shown.len()));
    let mut total: BTreeMap<Verdict, usize> = BTreeMap::new();
    let mut line = |level: &str, counts: &BTreeMap<Verdict, usize>| {
        let _ = write!(text, "| {level} | {} |", counts.values().sum::<usize>());
        for verdict in &shown {
            let _ = write!(text, " {} |", of(counts, *verdict));
        }
        text.push('\n');
    };
    for (level, counts) in counts {
        line(level, counts);
        counts.iter().for_each(|(verdict, count)| *total.entry(*verdict).or_default() += count);
    }
    line("all", &total);
    text
}

#[cfg(test)]
mod tests {
    use super::super::tests_of;
    use super::*;

    const ROWS: &str = "id\tside\tlevel\tgroup\nS001\tserver\tMUST\tS.A One\nS002\tserver\tMUST\tS.A One\n\
                        C001\tclient\tMUST\tC.A One\nS003\tserver\tMAY\tS.B Two\n";

    fn rendered(reasons: &str, docs: &str, log: &str) -> String {
        let checklist = Checklist::parse(ROWS, reasons).unwrap();
        let mut tests =
            tests_of("crates/server/tests/planes.rs", &format!("/// {docs}\n#[test]\nfn a() {{}}\n"));
        tests.extend(tests_of("crates/testkit/tests/interop.rs", "/// S001: b\n#[test]\nfn b() {}\n"));
        let log = format!(
            "Running x (d/planes-00)\ntest a ... {log}\nRunning x (d/interop-00)\ntest b ... {}\n",
            if log == "b FAILED" { "FAILED" } else { "ok" }
        );
        render(&checklist, &tests, &Outcomes::parse(&log))
    }

    #[test]
    fn given_outcomes_when_rendered_then_each_row_has_the_verdict_of_its_worst_test() {
        let reasons = "S002-S003\tdue\tlater";
        let cases = [
            (
                reasons,
                "S001: x",
                "ok",
                "| S001 | MUST | [planes::a](../crates/server/tests/planes.rs)<br>[interop::b](../crates/testkit/tests/interop.rs) | pass | |",
            ),
            (reasons, "S001: x", "ok", "| S002 | MUST | | due | later |"),
            (reasons, "S001: x", "FAILED", " | fail | |"),
            (reasons, "S001: x", "b FAILED", " | fail | |"),
            (reasons, "S001: x", "ignored", " | not run | |"),
            (reasons, "S001: x", "", " | not run | |"),
            (reasons, "nothing", "ok", "interop.rs) | not run | |"),
            ("S001\tpart\tsome\nS001\tremark\tA1", "S001: x", "ok", " | pass in part | some; A1 |"),
            (
                reasons,
                "S001: x",
                "ok",
                "The server's side:\n\n| level | rows | pass | due |\n|---|---|---|---|\n| MAY | 1 | 0 | 1 |\n| MUST | 2 | 1 | 1 |\n| all | 3 | 1 | 2 |\n",
            ),
            (
                "C001\tinapplicable\tnot ours",
                "S001: x",
                "ok",
                "The client's side:\n\n| level | rows | not applicable |\n|---|---|---|\n| MUST | 1 | 1 |\n| all | 1 | 1 |\n",
            ),
            (
                "C001\tinapplicable\tnot ours",
                "S001: x",
                "ok",
                "\n\n## C.A One\n\n| row | level | held by | verdict | remark |\n|---|---|---|---|---|\n| C001 | MUST | | not applicable | not ours |\n",
            ),
            (reasons, "S001: x", "ok", "\n## S.B Two\n"),
        ];
        for (reasons, docs, log, expected) in cases {
            let text = rendered(reasons, docs, log);
            assert!(text.contains(expected), "{log}: {expected}\n{text}");
        }
    }
}

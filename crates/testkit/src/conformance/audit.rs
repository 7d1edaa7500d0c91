//! Whether every row has a test or a reason.

use std::collections::BTreeSet;

use super::{Checklist, Kind, Row, Test};

/// What is wrong with the tests and reasons of a checklist, a line each. A test against a program of others holds no row
/// by itself, for it passes where that program is not installed.
#[must_use]
pub fn complaints(checklist: &Checklist, tests: &[Test]) -> Vec<String> {
    let known: BTreeSet<_> = checklist.entries.iter().map(|entry| entry.row).collect();
    let held: BTreeSet<_> =
        tests.iter().filter(|test| !test.is_outside()).flat_map(|test| &test.rows).copied().collect();
    let mut wrong = Vec::new();
    for test in tests {
        for row in test.rows.difference(&known) {
            wrong.push(format!("{}: {} names {row}, which is no row", test.file, test.path));
        }
    }
    for reason in &checklist.reasons {
        let strangers: Vec<Row> = reason.rows.difference(&known).copied().collect();
        wrong.extend(strangers.iter().map(|row| format!("a reason is written for {row}, which is no row")));
    }
    for row in known {
        let kinds: Vec<_> = checklist.reasons_of(row).map(|reason| reason.kind).collect();
        let is_excused = kinds.iter().any(|kind| kind.excuses());
        if !held.contains(&row) && !is_excused {
            wrong.push(format!("{row} has neither a test of our own nor a reason why it has none"));
        }
        if !held.contains(&row) && kinds.contains(&Kind::Part) {
            wrong.push(format!("{row} is held in part, yet it has no test"));
        }
        if held.contains(&row) && is_excused {
            wrong.push(format!("{row} has a test, yet a reason why it has none: make it `part` or `remark`"));
        }
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::super::tests_of;
    use super::*;

    #[test]
    fn given_rows_tests_and_reasons_when_they_do_not_fit_then_each_misfit_is_named() {
        let rows = "id\tside\tlevel\tgroup\nS001\tserver\tMUST\tG\nS002\tserver\tMUST\tG\nS003\tserver\tMUST\tG\n\
                    S004\tserver\tMUST\tG\nC001\tclient\tMUST\tG\nC002\tclient\tMUST\tG\n";
        let checklist = |reasons: &str| Checklist::parse(rows, reasons).unwrap();
        let test = |file: &str, docs: &str| tests_of(file, &format!("/// {docs}\n#[test]\nfn a() {{}}\n"));
        let own = "crates/server/tests/planes.rs";
        let client = "C001\tinapplicable\tnot ours\nC002\tleft\tno\n";
        let good =
            format!("# a comment\n\nS002–S003\tdue\tlater\nS001\tremark\tso\nS004\tpart\tsome\n{client}");
        assert_eq!(complaints(&checklist(&good), &test(own, "S001, S004")), [""; 0]);
        let cases = [
            ("S002-S004\tdue\tlater", own, "nothing", "S001 has neither"),
            ("S002-S004\tdue\tlater", "crates/testkit/tests/interop.rs", "S001", "S001 has neither"),
            ("S002-S004\tdue\tlater", own, "S001, S002", "S002 has a test, yet"),
            ("S002-S004\tdue\tlater\nS004\tpart\tsome", own, "S001", "S004 is held in part, yet"),
            ("S002-S004\tdue\tlater", own, "S001, S009", "names S009, which is no row"),
            ("S002-S005\tdue\tlater", own, "S001", "written for S005, which is no row"),
            ("S002-S004\tdue\tlater", own, "S001, C001", "C001 has a test, yet"),
            ("S002-S004\tdue\tlater", "crates/supervisor/tests/process.rs", "S001", "S001 has neither"),
        ];
        for (reasons, file, docs, expected) in cases {
            let found = complaints(&checklist(&format!("{reasons}\n{client}")), &test(file, docs));
            assert!(found.len() == 1 && found[0].contains(expected), "{expected}: {found:?}");
        }
        for wrong in ["S001\tlater\tx", "S001\tdue", "S001\tdue\t", "X001\tdue\tx"] {
            assert!(Checklist::parse(rows, wrong).unwrap_err().contains("reasons.tsv:1"), "{wrong}");
        }
    }
}

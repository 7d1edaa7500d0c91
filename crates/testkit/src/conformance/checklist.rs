//! The rows, and what is written about some of them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Row, read};

const ROWS: &str = "crates/testkit/conformance/checklist.tsv";
const REASONS: &str = "crates/testkit/conformance/reasons.tsv";

/// One row of the server's side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub row: Row,
    /// MUST, SHOULD, MAY and so on; IMPL follows from how the protocol works, ROBUST from how real peers behave.
    pub level: String,
    /// The part of the protocol that it belongs to.
    pub group: String,
}

/// What a written reason means for the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The row has no test, for this reason.
    Due,
    /// The row is optional and left out, for this reason.
    Left,
    /// The row's tests show part of it; the rest is due, for this reason.
    Part,
    /// The row is held; this is how it is read.
    Remark,
}

/// What is written about some rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub rows: BTreeSet<Row>,
    /// What it means for them.
    pub kind: Kind,
    /// The reason.
    pub text: String,
}

/// All rows of the server's side in the checklist's order of groups, and all reasons.
#[derive(Clone, Debug, Default)]
pub struct Checklist {
    /// The rows.
    pub entries: Vec<Entry>,
    /// The reasons.
    pub reasons: Vec<Reason>,
    /// How many rows the client's side has.
    pub clients: usize,
}

impl Checklist {
    /// Reads both files below the workspace's root.
    ///
    /// # Errors
    /// A file that cannot be read, or a line that has no meaning, with its place.
    pub fn read(root: &Path) -> Result<Self, String> {
        Self::parse(&read(&root.join(ROWS))?, &read(&root.join(REASONS))?)
    }

    /// Reads rows (`id, side, level, group` with a line of titles) and reasons (`rows, kind, text`; `#` begins a remark).
    ///
    /// # Errors
    /// A line that has no meaning, with its place.
    pub fn parse(rows: &str, reasons: &str) -> Result<Self, String> {
        let mut checklist = Self::default();
        for (number, line) in (1..).zip(rows.lines()).skip(1) {
            let wrong = || format!("{ROWS}:{number}: not a row of four columns: {line}");
            let [id, side, level, group] = columns(line).ok_or_else(wrong)?;
            if side == "client" {
                checklist.clients += 1;
                continue;
            }
            let row = Row::parse(id).ok_or_else(wrong)?;
            checklist.entries.push(Entry { row, level: level.to_owned(), group: group.to_owned() });
        }
        checklist.entries.sort_by(|one, other| (&one.group, one.row).cmp(&(&other.group, other.row)));
        for (number, line) in (1..).zip(reasons.lines()) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what: &str| format!("{REASONS}:{number}: {what}: {line}");
            let [rows, kind, text] = columns(line).ok_or_else(|| wrong("not three columns"))?;
            let rows = Row::named_in(rows);
            let kind = match kind {
                "due" => Kind::Due,
                "left" => Kind::Left,
                "part" => Kind::Part,
                "remark" => Kind::Remark,
                _ => return Err(wrong("none of due, left, part and remark")),
            };
            if rows.is_empty() || text.is_empty() {
                return Err(wrong("no rows or no reason"));
            }
            checklist.reasons.push(Reason { rows, kind, text: text.to_owned() });
        }
        Ok(checklist)
    }

    /// What is written about a row.
    pub fn reasons_of(&self, row: Row) -> impl Iterator<Item = &Reason> {
        self.reasons.iter().filter(move |reason| reason.rows.contains(&row))
    }
}

fn columns<const N: usize>(line: &str) -> Option<[&str; N]> {
    line.split('\t').map(str::trim).collect::<Vec<_>>().try_into().ok()
}

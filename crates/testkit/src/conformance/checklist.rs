//! The rows, and what is written about some of them.

use std::collections::BTreeSet;
use std::path::Path;

use super::{Row, read};

const ROWS: &str = "crates/testkit/conformance/checklist.tsv";
const REASONS: &str = "crates/testkit/conformance/reasons.tsv";

/// One row.
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
    /// The row speaks of what this product does not have, for this reason.
    Inapplicable,
    /// The row's tests show part of it; the rest is due, for this reason.
    Part,
    /// The row is held; this is how it is read.
    Remark,
}

impl Kind {
    /// Whether the reason stands instead of a test.
    #[must_use]
    pub const fn excuses(self) -> bool {
        matches!(self, Self::Due | Self::Left | Self::Inapplicable)
    }
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

/// All rows, the server's first, each side in the order of its groups; and all reasons.
#[derive(Clone, Debug, Default)]
pub struct Checklist {
    /// The rows.
    pub entries: Vec<Entry>,
    /// The reasons.
    pub reasons: Vec<Reason>,
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
            let row = Row::parse(id).filter(|row| side == row.side.word()).ok_or_else(wrong)?;
            checklist.entries.push(Entry { row, level: level.to_owned(), group: group.to_owned() });
        }
        let place = |entry: &Entry| (entry.row.side, entry.group.clone(), entry.row);
        checklist.entries.sort_by_key(place);
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
                "inapplicable" => Kind::Inapplicable,
                "part" => Kind::Part,
                "remark" => Kind::Remark,
                _ => return Err(wrong("none of due, left, inapplicable, part and remark")),
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

//! Names of rows, and how texts name several at once.

use std::collections::BTreeSet;
use std::fmt;

/// Which end of a connection a row speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The OpAMP server.
    Server,
    /// The client: the supervisor.
    Client,
}

impl Side {
    /// The letter that its rows begin with.
    const fn letter(self) -> char {
        match self {
            Self::Server => 'S',
            Self::Client => 'C',
        }
    }

    /// The word for it in the checklist.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// A row: `S070` of the server's side, `C070` of the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// Whose it is.
    pub side: Side,
    number: u16,
}

impl Row {
    /// The row of a name, if it is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let of = |side: Side| Some((side, name.strip_prefix(side.letter())?));
        let (side, digits) = [Side::Server, Side::Client].into_iter().find_map(of)?;
        let fits = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse().ok()).flatten().map(|number| Self { side, number })
    }

    /// All rows that a text names: `S070`, and `S072–S076` or `S072-S076` for those between as well, which are of one
    /// side.
    #[must_use]
    pub fn named_in(text: &str) -> BTreeSet<Self> {
        let mut found = BTreeSet::new();
        let mut rest = text;
        let mut before = ' ';
        while let Some(first) = rest.chars().next() {
            match Self::at_start(rest).filter(|_| !is_word(before)) {
                None => {
                    before = first;
                    rest = &rest[first.len_utf8()..];
                }
                Some((row, behind)) => {
                    let last = ['–', '-'].iter().find_map(|dash| Self::at_start(behind.strip_prefix(*dash)?));
                    let last = last.filter(|(last, _)| last.side == row.side);
                    let (last, behind) = last.unwrap_or((row, behind));
                    found.extend((row.number..=last.number).map(|number| Self { number, ..row }));
                    (before, rest) = ('0', behind);
                }
            }
        }
        found
    }

    /// The row that a text begins with, and what follows.
    fn at_start(text: &str) -> Option<(Self, &str)> {
        let (name, behind) = text.split_at_checked(4)?;
        let row = Self::parse(name)?;
        (!behind.starts_with(is_word)).then_some((row, behind))
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:03}", self.side.letter(), self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_texts_when_rows_are_looked_for_then_names_and_ranges_are_found_and_lookalikes_are_not() {
        let cases = [
            ("S070", "S070"),
            ("S001, S013 and S014: both", "S001 S013 S014"),
            ("S072–S076: a range", "S072 S073 S074 S075 S076"),
            ("S072-S074, S080", "S072 S073 S074 S080"),
            ("S070–S070", "S070"),
            ("S001 - S003 stand apart", "S001 S003"),
            ("(S005)", "S005"),
            ("C009–C011, S008: of both sides", "S008 C009 C010 C011"),
            ("S010–C012: no range", "S010 C012"),
            ("XS070 S07 S0701 S07a S.A s070 _S070 S070x XC070 c070 C.A C07 C0701", ""),
            ("ruling A16, 2^64", ""),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = Row::named_in(text).iter().map(ToString::to_string).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
    }
}

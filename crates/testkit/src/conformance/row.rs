//! Names of rows, and how texts name several at once.

use std::collections::BTreeSet;
use std::fmt;

/// A row of the server's side: `S070`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(u16);

impl Row {
    /// The row of a name, if it is one of the server's.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let digits = name.strip_prefix('S')?;
        let fits = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
        fits.then(|| digits.parse().ok()).flatten().map(Self)
    }

    /// All rows that a text names: `S070`, and `S072–S076` or `S072-S076` for those between as well.
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
                    let (last, behind) = last.unwrap_or((row, behind));
                    found.extend((row.0..=last.0).map(Self));
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
        write!(f, "S{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_texts_when_rows_are_looked_for_then_names_and_ranges_are_found_and_lookalikes_are_not() {
        let cases: [(&str, &[u16]); 9] = [
            ("S070", &[70]),
            ("S001, S013 and S014: both", &[1, 13, 14]),
            ("S072–S076: a range", &[72, 73, 74, 75, 76]),
            ("S072-S074, S080", &[72, 73, 74, 80]),
            ("S070–S070", &[70]),
            ("S001 - S003 stand apart", &[1, 3]),
            ("(S005)", &[5]),
            ("XS070 S07 S0701 S07a S.A s070 _S070 S070x", &[]),
            ("ruling A16, 2^64", &[]),
        ];
        for (text, expected) in cases {
            let found: Vec<_> = Row::named_in(text).into_iter().map(|row| row.0).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}

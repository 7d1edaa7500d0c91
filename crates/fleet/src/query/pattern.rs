//! Texts with `*` for any run of characters, compared without regard to case.

use super::lex::{Mark, Placed};

/// A pattern. It is folded to lower case when it is read; comparing allocates nothing for ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What stands between the stars; there is always one.
    pieces: Vec<Box<str>>,
    /// A part of the text is enough.
    part: bool,
}

impl Pattern {
    /// A pattern for the whole text.
    pub(super) fn whole(marks: &[Placed]) -> Self {
        Self { pieces: pieces(marks), part: false }
    }

    /// A pattern for a part of the text.
    pub(super) fn part(marks: &[Placed]) -> Self {
        let mut pieces = pieces(marks);
        // A star at either end says what is said already.
        pieces.retain(|piece| !piece.is_empty());
        if pieces.is_empty() {
            pieces.push(Box::default());
        }
        Self { pieces, part: true }
    }

    /// True when every text matches, an empty one too.
    #[must_use]
    pub fn is_any(&self) -> bool {
        let empty = self.pieces.iter().all(|piece| piece.is_empty());
        empty && (self.part || self.pieces.len() > 1)
    }

    /// The text that it stands for, where it has no star and asks for the whole.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [one] if !self.part => Some(one),
            _ => None,
        }
    }

    /// What stands between the stars, in lower case, and whether a part of the text is enough.
    pub(crate) fn pieces(&self) -> (&[Box<str>], bool) {
        (&self.pieces, self.part)
    }

    /// Compares, in time that is at worst the product of the two lengths.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        if text.is_ascii() { self.bytes(text.as_bytes()) } else { self.bytes(fold(text.chars()).as_bytes()) }
    }

    /// Compares bytes of UTF-8, folding those of ASCII.
    fn bytes(&self, text: &[u8]) -> bool {
        let mut pieces = self.pieces.iter().map(|piece| piece.as_bytes());
        let Some(first) = pieces.next() else { return true };
        let mut rest = if self.part {
            match after(text, first) {
                Some(rest) => rest,
                None => return false,
            }
        } else {
            match text.split_at_checked(first.len()) {
                Some((start, rest)) if start.eq_ignore_ascii_case(first) => rest,
                _ => return false,
            }
        };
        if self.part {
            return pieces.all(|piece| after(rest, piece).map(|left| rest = left).is_some());
        }
        let Some(last) = pieces.next_back() else { return rest.is_empty() };
        for piece in pieces {
            match after(rest, piece) {
                Some(left) => rest = left,
                None => return false,
            }
        }
        rest.len() >= last.len() && rest[rest.len() - last.len()..].eq_ignore_ascii_case(last)
    }

    /// Writes it as the language has it.
    pub(super) fn write(&self, to: &mut impl std::fmt::Write) -> std::fmt::Result {
        let pieces: Vec<_> = self.pieces.iter().map(|piece| super::quote::escaped(piece)).collect();
        super::quote::quoted(&pieces.join("*"), to)
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.pieces.join("*"))
    }
}

/// What follows the first occurrence of `piece`, which is in lower case.
fn after<'a>(text: &'a [u8], piece: &[u8]) -> Option<&'a [u8]> {
    let Some(first) = piece.first() else { return Some(text) };
    // A letter differs from its capital by this bit.
    let case = if first.is_ascii_alphabetic() { 0x20 } else { 0 };
    let mut rest = text;
    loop {
        let last = rest.len().checked_sub(piece.len())?;
        let at = rest[..=last].iter().position(|byte| byte | case == *first)?;
        let (found, left) = rest[at..].split_at(piece.len());
        if found.eq_ignore_ascii_case(piece) {
            return Some(left);
        }
        rest = &rest[at + 1..];
    }
}

fn pieces(marks: &[Placed]) -> Vec<Box<str>> {
    let is_star = |(_, mark): &Placed| matches!(mark, Mark::Plain('*') | Mark::Quoted('*'));
    let mut pieces: Vec<Box<str>> = marks.split(is_star).map(folded).collect();
    // Stars beside each other are one.
    let count = pieces.len();
    let mut index = 0;
    pieces.retain(|piece| {
        let inner = index > 0 && index + 1 < count;
        index += 1;
        !(inner && piece.is_empty())
    });
    pieces
}

fn folded(marks: &[Placed]) -> Box<str> {
    fold(marks.iter().filter_map(|(_, mark)| match mark {
        Mark::Plain(character) | Mark::Quoted(character) | Mark::Escaped(character) => Some(*character),
        Mark::Quote => None,
    }))
    .into()
}

/// Lower case, character by character, so that a piece folds as it does within a longer text.
fn fold(characters: impl Iterator<Item = char>) -> String {
    characters.flat_map(char::to_lowercase).collect()
}

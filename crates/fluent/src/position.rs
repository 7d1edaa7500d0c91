//! Lines and columns, and how byte offsets become such.

/// A place in a file. Lines end at a line feed; a column counts characters, a tab being one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
}

/// Bytes between two remembered character counts.
const STEP: usize = 256;

/// Turns byte offsets of one text into positions, each in a time that no text can make long.
pub(crate) struct LineIndex<'a> {
    text: &'a [u8],
    /// The offsets at which lines start.
    starts: Vec<usize>,
    /// The number of characters before each multiple of [`STEP`].
    counts: Vec<usize>,
}

impl<'a> LineIndex<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let text = text.as_bytes();
        let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        let mut total = 0;
        let mut counts = vec![0];
        for chunk in text.chunks(STEP) {
            total += characters(chunk);
            counts.push(total);
        }
        Self { text, starts, counts }
    }

    /// The position of the byte offset, which is cut to the text's length.
    pub(crate) fn position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts.get(line).copied().unwrap_or(0);
        let column = self.before(offset).saturating_sub(self.before(start)) + 1;
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { line: short(line + 1), column: short(column) }
    }

    fn before(&self, offset: usize) -> usize {
        let step = offset / STEP;
        let counted = self.counts.get(step).copied().unwrap_or(0);
        counted + self.text.get(step * STEP..offset).map_or(0, characters)
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xC0) != 0x80).count()
}

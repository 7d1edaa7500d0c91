//! Tables: columns in line, nothing drawn around them.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table as Grid};

use crate::sanitise;

/// Longest content of a cell, in characters; a hostile name must not push the other columns away.
const MAX_CELL: usize = 64;

/// How a row stands out where there is colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Not at all.
    #[default]
    Plain,
    /// It is old news.
    Faint,
    /// Someone should keep an eye on it.
    Watch,
    /// Someone should act.
    Act,
}

impl Tone {
    const fn code(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Faint => Some("\x1b[2m"),
            Self::Watch => Some("\x1b[33m"),
            Self::Act => Some("\x1b[31m"),
        }
    }
}

/// How tables are drawn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Rows have the colours of their tones.
    pub(crate) colour: bool,
    /// The header is left out.
    pub(crate) no_headers: bool,
}

/// A table; its cells are made safe as they are added.
#[derive(Debug)]
pub(crate) struct Table {
    grid: Grid,
    tones: Vec<Tone>,
    headers: bool,
}

impl Table {
    /// A table with these headers.
    pub(crate) fn new(headers: &[&str], look: Look) -> Self {
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        if !look.no_headers {
            grid.set_header(headers.iter().copied());
        }
        Self { grid, tones: Vec::new(), headers: !look.no_headers }
    }

    /// Adds a row of untrusted texts; the last cell may be long.
    pub(crate) fn row(&mut self, cells: &[String], tone: Tone) {
        let last = cells.len().saturating_sub(1);
        let limit = |index| if index == last { MAX_CELL * 8 } else { MAX_CELL };
        self.grid.add_row(cells.iter().enumerate().map(|(index, text)| sanitise::cell(text, limit(index))));
        self.tones.push(tone);
    }

    /// The table's text, a line each row, without spaces at the ends of lines.
    pub(crate) fn finish(mut self, look: Look) -> String {
        for column in self.grid.column_iter_mut() {
            column.set_padding((0, 3));
        }
        let header = self.headers.then_some(Tone::Plain);
        let tones = header.into_iter().chain(self.tones.iter().copied());
        let mut text = String::new();
        if self.tones.is_empty() && !self.headers {
            return text;
        }
        for (line, tone) in self.grid.lines().zip(tones) {
            let line = line.trim_end();
            match tone.code().filter(|_| look.colour) {
                Some(code) => text.push_str(&format!("{code}{line}\x1b[0m\n")),
                None => text.push_str(&format!("{line}\n")),
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(look: Look) -> String {
        let mut table = Table::new(&["NAME", "STATE"], look);
        table.row(&["a".into(), "good".into()], Tone::Plain);
        table.row(&["evil\n\x1b[2Jname".into(), "bad".into()], Tone::Act);
        table.row(&["東京".into(), String::new()], Tone::Plain);
        table.finish(look)
    }

    #[test]
    fn given_rows_when_drawn_then_columns_align_and_nothing_steers_the_terminal() {
        let expected = "\
NAME                  STATE
a                     good
evil\\n\\u{1b}[2Jname   bad
東京
";
        assert_eq!(table(Look::default()), expected);
    }

    #[test]
    fn given_colour_when_drawn_then_a_whole_row_has_its_tone() {
        let drawn = table(Look { colour: true, no_headers: true });
        let lines: Vec<_> = drawn.lines().collect();
        assert_eq!(lines[0], "a                     good");
        assert_eq!(lines[1], "\x1b[31mevil\\n\\u{1b}[2Jname   bad\x1b[0m");
    }

    #[test]
    fn given_no_rows_when_drawn_without_headers_then_there_is_no_text() {
        let look = Look { no_headers: true, ..Look::default() };
        assert_eq!(Table::new(&["NAME"], look).finish(look), "");
        assert_eq!(Table::new(&["NAME"], Look::default()).finish(Look::default()), "NAME\n");
    }
}

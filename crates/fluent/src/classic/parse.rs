//! Reads classic files line by line, with the rules of Fluent Bit 5.1.1's own reader.

use std::ops::Range;

use crate::diagnostic::Report;
use crate::limits::MAX_NODES;
use crate::position::{LineIndex, Position};
use crate::section::{Entry, Include, Item, Section, SectionKind, Variable};
use crate::value::{Value, trim};

/// What an appended section must agree with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The file's indentation, fixed by its first indented line.
    pub(crate) indent: Option<String>,
}

const INDENT: &str = "indent every entry by the same blanks, four spaces for example";

/// Reads the text; what Fluent Bit would refuse is reported and skipped.
pub(crate) fn parse(text: &str, report: &mut Report) -> (Vec<Item>, Layout) {
    let mut parser = Parser {
        index: LineIndex::new(text),
        report,
        items: Vec::new(),
        indent: None,
        section: None,
        group: false,
        keys: 0,
        entries: 0,
    };
    let mut offset = 0;
    for line in text.split_inclusive('\n') {
        // A carriage return belongs to the line's end only before a line feed.
        let body = line.strip_suffix('\n').map_or(line, |body| body.strip_suffix('\r').unwrap_or(body));
        parser.line(offset, body);
        if parser.entries > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} entries");
            parser.report.error(None, message, Some("split it into several files"));
            break;
        }
        offset += line.len();
    }
    let layout = Layout { indent: parser.indent };
    (parser.items, layout)
}

struct Parser<'a, 'r> {
    index: LineIndex<'a>,
    report: &'r mut Report,
    items: Vec<Item>,
    indent: Option<String>,
    /// The index of the open section's item.
    section: Option<usize>,
    /// Whether the open section's last entry is an open group.
    group: bool,
    /// Entries since the last header, for Fluent Bit's "did not have keys".
    keys: usize,
    /// Headers and entries so far.
    entries: usize,
}

fn is_blank(c: char) -> bool {
    c == ' ' || c == '\t'
}

impl Parser<'_, '_> {
    fn at(&self, offset: usize) -> Position {
        self.index.position(offset)
    }

    fn error(&mut self, offset: usize, message: impl Into<String>, fix: &str) {
        let at = self.at(offset);
        self.report.error(Some(at), message, Some(fix));
    }

    fn line(&mut self, start: usize, line: &str) {
        if let Some(nul) = line.find('\0') {
            self.error(
                start + nul,
                "the line holds a NUL byte, at which Fluent Bit stops reading it",
                "remove it",
            );
        } else if line.is_empty() || line.starts_with('#') {
            // Blank lines and comments carry nothing.
        } else if line.starts_with('@') && line.len() > 3 {
            self.command(start, line);
        } else if line.starts_with('[') {
            self.header(start, line);
        } else {
            self.entry(start, line);
        }
    }

    fn command(&mut self, start: usize, line: &str) {
        const WORD: &str = "@INCLUDE ";
        if line.len() > WORD.len()
            && line.get(..WORD.len()).is_some_and(|head| head.eq_ignore_ascii_case(WORD))
            && let Some(argument) = line.get(WORD.len()..)
        {
            let span = start + WORD.len()..start + line.len();
            self.include(argument, span);
            return;
        }
        let Some((command, rest)) = line.split_once(' ') else {
            let fix = "write `@INCLUDE path` or `@SET name=value`, with one space after the word";
            self.error(start, format!("`{line}` has no value"), fix);
            return;
        };
        let at = Some(self.at(start));
        if !command.eq_ignore_ascii_case("@set") {
            self.report.warning(at, format!("Fluent Bit ignores the command `{command}`"), None);
        } else if let Some((name, value)) = trim(rest).split_once('=') {
            let variable =
                Variable { name: name.to_owned(), value: value.to_owned(), position: self.at(start) };
            self.items.push(Item::Variable(variable));
        } else {
            self.report.warning(at, "Fluent Bit ignores @SET without `=`", Some("write `@SET name=value`"));
        }
    }

    fn include(&mut self, argument: &str, span: Range<usize>) {
        let position = self.at(span.start);
        if trim(argument) != argument {
            self.report.warning(
                Some(position),
                "blanks around the path count as part of it",
                Some("write one space after @INCLUDE and none after the path"),
            );
        }
        self.entries += 1;
        self.items.push(Item::Include(Include { argument: argument.to_owned(), position, span }));
    }

    fn header(&mut self, start: usize, line: &str) {
        let Some(end) = line.find(']') else {
            self.error(start, "the section header is not closed", "write `]` after the section's name");
            return;
        };
        let at = self.at(start);
        if self.section.is_some() && self.keys == 0 {
            self.report.warning(Some(at), "the section before this one has no entries", None);
        }
        let name = line.get(1..end).unwrap_or_default();
        let section = Section {
            kind: SectionKind::of_name(name),
            name: name.to_owned(),
            entries: Vec::new(),
            position: at,
        };
        self.entries += 1;
        self.section = Some(self.items.len());
        self.items.push(Item::Section(section));
        self.group = false;
        self.keys = 0;
    }

    /// Checks the line's indentation against the file's. Gives its length and whether it is a group's.
    fn indentation(&mut self, start: usize, line: &str) -> Option<(usize, bool)> {
        let own = line.len() - line.trim_start_matches(is_blank).len();
        if own == 0 {
            let fix =
                if line.starts_with('\u{feff}') { "save the file without a byte-order mark" } else { INDENT };
            self.error(start, "an entry must be indented", fix);
            return None;
        }
        let blanks = line.get(..own).unwrap_or_default();
        let indent = self.indent.get_or_insert_with(|| blanks.to_owned()).clone();
        let Some(more) = blanks.strip_prefix(indent.as_str()) else {
            let message = if indent.starts_with(blanks) {
                "the line is indented less than the first indented line of the file"
            } else {
                "the line mixes tabs and spaces: its indentation is not that of the file's first indented line"
            };
            let fix = if own == line.len() { "remove the blanks from this empty line" } else { INDENT };
            self.error(start, message, fix);
            return None;
        };
        if !more.is_empty() && more.len() != indent.len() {
            let fix = if own == line.len() { "remove the blanks from this empty line" } else { INDENT };
            self.error(start, "the line is indented more than the first indented line of the file", fix);
            return None;
        }
        Some((own, !more.is_empty()))
    }

    fn entry(&mut self, start: usize, line: &str) {
        let Some((indent, deep)) = self.indentation(start, line) else { return };
        self.group &= deep;
        let start = start + indent;
        let line = line.get(indent..).unwrap_or_default();
        if line.is_empty() || line.starts_with('#') {
            return;
        }
        if line.starts_with('[') {
            self.group_header(start, line);
            return;
        }
        let Some((key, rest)) = line.split_once(' ') else {
            let fix = if line.contains('\t') {
                "separate key and value by a space"
            } else {
                "write a value after the key"
            };
            self.error(start, format!("the key `{line}` has no value"), fix);
            return;
        };
        if trim(key).contains('\t') {
            let (at, fix) = (self.at(start), "separate key and value by a space");
            self.report.warning(Some(at), "a tab stands in the key, for only a space ends it", Some(fix));
        }
        let value = trim(rest);
        if value.is_empty() {
            self.error(start, format!("the key `{key}` has no value"), "write a value after the key");
            return;
        }
        let before = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\x0b', '\x0c']).len();
        let value_start = start + key.len() + 1 + before;
        let entry = Entry {
            key: trim(key).to_ascii_lowercase(),
            value: Value::Text(value.to_owned()),
            position: self.at(start),
            key_span: start..start + key.len(),
            value_span: value_start..value_start + value.len(),
        };
        self.add(start, entry);
    }

    fn add(&mut self, start: usize, entry: Entry) {
        self.keys += 1;
        self.entries += 1;
        let group = self.group;
        let Some(section) = self.open_section() else {
            self.error(start, "the entry stands in no section", "write a `[SECTION]` header above it");
            return;
        };
        match section.entries.last_mut() {
            Some(Entry { value: Value::Map(pairs), value_span, .. }) if group => {
                value_span.end = entry.value_span.end;
                pairs.push((entry.key, entry.value));
            }
            _ => section.entries.push(entry),
        }
    }

    fn open_section(&mut self) -> Option<&mut Section> {
        match self.section.and_then(|index| self.items.get_mut(index)) {
            Some(Item::Section(section)) => Some(section),
            _ => None,
        }
    }

    fn group_header(&mut self, start: usize, line: &str) {
        let Some(end) = line.find(']') else {
            self.error(start, "the group header is not closed", "write `]` after the group's name");
            return;
        };
        if !line.contains(' ') {
            // Fluent Bit looks for the space between key and value before it looks for a group.
            self.error(
                start,
                "Fluent Bit reads a group header only with a space in its line",
                "add a space after `]`",
            );
        }
        if self.group && self.keys == 0 {
            self.error(start, "the group before this one has no entries", "remove it");
        }
        let position = self.at(start);
        let name = line.get(1..end).unwrap_or_default();
        let entry = Entry {
            key: name.to_ascii_lowercase(),
            value: Value::Map(Vec::new()),
            position,
            key_span: start + 1..start + end,
            value_span: start + end + 1..start + end + 1,
        };
        let Some(section) = self.open_section() else {
            self.error(start, "the group stands in no section", "write a `[SECTION]` header above it");
            return;
        };
        section.entries.push(entry);
        self.group = true;
        self.keys = 0;
    }
}

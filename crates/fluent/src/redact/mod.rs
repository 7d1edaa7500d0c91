//! Secrets in configs: found by the names before them, and replaced by marks that tell one from another (OpAMP C085).
//!
//! Line by line, and not by the parsed tree: what is broken, commented out or of another kind (parsers, scripts, lists of
//! variables) holds secrets too. What is no secret stays as it is, byte for byte. References such as `${TOKEN}` are names
//! and stay.

mod line;
mod mark;
mod name;
mod restore;

use std::ops::Range;

use crate::splice::{Splice, apply};

pub use mark::Key;
pub use restore::Restorer;

/// Most secrets that are taken out of a text one by one; of one with more all behind them is.
const MOST: usize = 10_000;

/// The text with each secret replaced by its mark.
#[must_use]
pub fn redact(text: &str, key: &Key) -> String {
    let spans = spans(text);
    let splices: Vec<_> = spans
        .into_iter()
        .map(|span| Splice { text: key.mark(text.get(span.clone()).unwrap_or_default()), span })
        .collect();
    apply(text, &splices)
}

/// The text with each secret replaced by its mark; what is a mark already stays.
#[must_use]
pub fn redact_rest(text: &str, key: &Key) -> String {
    let is_open = |span: &Range<usize>| !text.get(span.clone()).is_some_and(mark::is_mark);
    let mark =
        |span: Range<usize>| Splice { text: key.mark(text.get(span.clone()).unwrap_or_default()), span };
    apply(text, &spans(text).into_iter().filter(is_open).map(mark).collect::<Vec<_>>())
}

/// The secrets in a text, in order.
pub fn secrets(text: &str) -> impl Iterator<Item = &str> {
    spans(text).into_iter().filter_map(|span| text.get(span))
}

/// Where the secrets stand, in order, none over another.
fn spans(text: &str) -> Vec<Range<usize>> {
    let mut spans: Vec<Range<usize>> = Vec::new();
    let mut lines = Lines { text, at: 0 };
    while let Some(line) = lines.next() {
        let found = line::look(&line, text);
        for span in found.spans {
            if spans.last().is_none_or(|last| last.end <= span.start) {
                spans.push(span);
            }
        }
        if let Some(nested) = found.nested {
            // What belongs to a secret's name and stands in the lines below it.
            spans.extend(block(text, &mut lines, nested));
        }
        if spans.len() > MOST {
            spans.push(lines.at..text.len());
            break;
        }
    }
    spans.retain(|span| !span.is_empty());
    spans
}

/// The lines below a secret's name that belong to it, each as far as it says something.
fn block(text: &str, lines: &mut Lines<'_>, nested: line::Nested) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    loop {
        let before = lines.at;
        let Some(line) = lines.next() else { break };
        let said = text.get(line.clone()).unwrap_or_default();
        let content = said.trim();
        if content.is_empty() {
            continue;
        }
        let indent = said.len() - said.trim_start().len();
        let belongs = match nested {
            line::Nested::Deeper(than) => indent > than,
            line::Nested::DeeperOrList(than) => {
                indent > than || (indent == than && content.starts_with("- "))
            }
            line::Nested::Quote(quote) => {
                let end = line::closing(content, quote).unwrap_or(content.len());
                let start = line.start + indent;
                spans.push(start..start + end);
                if end < content.len() {
                    return spans;
                }
                continue;
            }
        };
        if !belongs {
            lines.at = before;
            break;
        }
        if !line::is_reference(content.trim_start_matches("- ")) {
            let start = line.start + indent;
            let dash = content.len() - content.trim_start_matches("- ").len();
            spans.push(start + dash..start + content.len());
        }
    }
    spans
}

/// The lines of a text as ranges, without their ends.
struct Lines<'a> {
    text: &'a str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let start = self.at;
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        self.at += end;
        let line = rest.get(..end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        Some(start..start + line.len())
    }
}

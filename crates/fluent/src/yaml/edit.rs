//! Replacing YAML values in place.

use std::ops::Range;

use crate::splice::Splice;
use crate::yaml::node::{Node, NodeKind};
use crate::yaml::scalar::written;

/// Replaces the value of an entry. A value that is not there gets its place after the colon.
pub(crate) fn set_value(text: &str, key: &Range<usize>, span: &Range<usize>, value: &str) -> Splice {
    let value = written(value);
    let colon = text.get(key.end..).and_then(|rest| rest.find(':')).map_or(span.end, |at| key.end + at + 1);
    if span.start < span.end {
        let start = block_header(text, colon, span.start).unwrap_or(span.start);
        // A block scalar's bytes end behind its last line feed, which must stay.
        let old = text.get(span.clone()).unwrap_or_default();
        let tail = old.len() - old.trim_end_matches(['\n', '\r', ' ']).len();
        return Splice { span: start..span.end - tail, text: value };
    }
    Splice { span: colon..colon, text: format!(" {value}") }
}

/// Where the `|` or `>` of a block scalar stands, whose text begins at `start`.
fn block_header(text: &str, colon: usize, start: usize) -> Option<usize> {
    let (line, _) = text.get(colon..start)?.split_once('\n')?;
    let line = line.split(" #").next().unwrap_or(line);
    let indicator = line.rsplit(' ').find(|word| !word.trim().is_empty())?;
    let at = line.rfind(indicator)?;
    indicator.starts_with(['|', '>']).then_some(colon + at)
}

/// Replaces one item of a list below a section by several. `None` when it stands so that more cannot follow.
pub(crate) fn list_item(
    text: &str,
    documents: &[Node],
    span: &Range<usize>,
    values: &[String],
) -> Option<Splice> {
    let lists = documents.iter().filter_map(Node::pairs).flatten().map(|(_, list)| &list.kind);
    let flow = lists.into_iter().find_map(|list| match list {
        NodeKind::List { items, flow } if items.iter().any(|item| item.span == *span) => Some(*flow),
        _ => None,
    })?;
    let values: Vec<_> = values.iter().map(|value| written(value)).collect();
    let separator = if flow || values.len() == 1 { ", ".to_owned() } else { next_line(text, span.start)? };
    Some(Splice { span: span.clone(), text: values.join(&separator) })
}

/// What begins a line for a further item of the block list whose item stands at `start`.
fn next_line(text: &str, start: usize) -> Option<String> {
    let line = text.get(..start)?.rsplit('\n').next()?;
    let blanks = line.len() - line.trim_start_matches(' ').len();
    let (indent, rest) = line.split_at_checked(blanks)?;
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    rest.strip_prefix('-')?.trim().is_empty().then(|| format!("{newline}{indent}- "))
}

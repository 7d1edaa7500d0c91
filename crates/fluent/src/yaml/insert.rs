//! Where new service keys can stand. Each candidate is tried until one reads back right, because YAML
//! has corners (block scalars at the end, document ends, comments) in which a place is wrong.

use crate::splice::Splice;
use crate::yaml::node::{Node, NodeKind};
use crate::yaml::scalar::written;

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}

/// The byte after the line feed of the line that holds `offset`, or the text's end.
fn after_line(text: &str, offset: usize) -> usize {
    text.get(offset..).and_then(|rest| rest.find('\n')).map_or(text.len(), |at| offset + at + 1)
}

fn line_start(text: &str, offset: usize) -> usize {
    text.get(..offset).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1)
}

/// The blanks that begin the line of a block map's first key. A `?`, an anchor or a tag may follow them.
fn indent_of<'a>(text: &'a str, first: &Node) -> &'a str {
    let line = text.get(line_start(text, first.span.start)..first.span.start).unwrap_or_default();
    let line = line.strip_prefix('\u{feff}').unwrap_or(line);
    line.get(..line.len() - line.trim_start_matches(' ').len()).unwrap_or_default()
}

fn lines(indent: &str, newline: &str, keys: &[(&str, &str)]) -> String {
    keys.iter().map(|(key, value)| format!("{indent}{key}: {}{newline}", written(value))).collect()
}

fn flow(keys: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = keys.iter().map(|(key, value)| format!("{key}: {}", written(value))).collect();
    pairs.join(", ")
}

/// A block of whole lines put at the start of a line or at the end of the text.
fn block_at(text: &str, offset: usize, block: String) -> Splice {
    let unfinished = offset == text.len() && !text.is_empty() && !text.ends_with('\n');
    let text = if unfinished {
        // The text goes on without a line feed at its end, as before.
        let newline = newline(text);
        format!("{newline}{}", block.strip_suffix(newline).unwrap_or(&block))
    } else {
        block
    };
    Splice { span: offset..offset, text }
}

fn after_brace(text: &str, map: &Node, empty: bool, inner: &str) -> Splice {
    let at = text
        .get(map.span.start..)
        .and_then(|rest| rest.find('{'))
        .map_or(map.span.start, |at| map.span.start + at + 1);
    let comma = if empty { "" } else { ", " };
    Splice { span: at..at, text: format!("{inner}{comma}") }
}

/// Ways to add keys to a service map that exists: behind its last entry, or before its first.
pub(crate) fn candidates(text: &str, map: &Node, keys: &[(&str, &str)]) -> Vec<Splice> {
    let NodeKind::Map { pairs, flow: is_flow } = &map.kind else { return Vec::new() };
    if *is_flow {
        return vec![after_brace(text, map, pairs.is_empty(), &flow(keys))];
    }
    let Some((first, _)) = pairs.first() else { return Vec::new() };
    let indent = indent_of(text, first);
    let block = lines(indent, newline(text), keys);
    let end = map.end();
    let ends_line = end > 0 && text.as_bytes().get(end - 1) == Some(&b'\n');
    let behind = if ends_line { end } else { after_line(text, end) };
    let before = line_start(text, first.span.start);
    vec![block_at(text, behind, block.clone()), block_at(text, before, block)]
}

/// Ways to add a service section to a file that has none: at its end, or before its first section.
pub(crate) fn service_candidates(text: &str, documents: &[Node], keys: &[(&str, &str)]) -> Vec<Splice> {
    let newline = newline(text);
    let Some(root) = documents.last() else {
        return vec![block_at(text, text.len(), format!("service:{newline}{}", lines("  ", newline, keys)))];
    };
    let NodeKind::Map { pairs, flow: is_flow } = &root.kind else { return Vec::new() };
    if *is_flow {
        return vec![after_brace(text, root, pairs.is_empty(), &format!("service: {{{}}}", flow(keys)))];
    }
    let Some((first, _)) = pairs.first() else { return Vec::new() };
    let indent = indent_of(text, first);
    let deeper = format!("{indent}  ");
    let block = format!("{indent}service:{newline}{}", lines(&deeper, newline, keys));
    let start = line_start(text, first.span.start);
    let start = if start == 0 && text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { start };
    let at_start = block_at(text, start, block.clone());
    // libyaml wants `---` after `...`, so nothing can be added behind a document's end.
    if text.lines().any(|line| line.trim_end() == "...") {
        return vec![at_start];
    }
    vec![block_at(text, text.len(), block), at_start]
}

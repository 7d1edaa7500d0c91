//! Text that stands for itself in a query.

use std::fmt::{Result, Write};

/// A text in which nothing has a meaning of its own any more, between quotes.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '"' | '*' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Writes an escaped text, between quotes where it would come apart without.
pub(super) fn quoted(text: &str, to: &mut impl Write) -> Result {
    let separates = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ':' | '=');
    let starts = text.starts_with(['-', '<', '>']);
    let keyword = matches!(text, "AND" | "OR" | "NOT" | "");
    if starts || keyword || text.contains(separates) { write!(to, "\"{text}\"") } else { to.write_str(text) }
}

//! Edits as replacements on the text.

use std::ops::Range;

/// A replacement of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Splice {
    pub(crate) span: Range<usize>,
    pub(crate) text: String,
}

/// Applies the replacements; of two that overlap the later one is dropped.
pub(crate) fn apply(text: &str, splices: &[Splice]) -> String {
    let mut sorted: Vec<&Splice> = splices.iter().collect();
    sorted.sort_by_key(|splice| splice.span.start);
    let mut out =
        String::with_capacity(text.len() + splices.iter().map(|splice| splice.text.len()).sum::<usize>());
    let mut done = 0;
    for splice in sorted {
        let Some(kept) = text.get(done..splice.span.start) else { continue };
        out.push_str(kept);
        out.push_str(&splice.text);
        done = splice.span.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

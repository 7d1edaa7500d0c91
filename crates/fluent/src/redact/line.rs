//! One line: a name, what parts it from its value, and the value.

use std::ops::Range;

use super::name::{is_secret, is_secret_header};

/// Properties whose value is itself a name and a value: a header's, a record's.
const PAIRS: [&str; 9] =
    ["header", "headers", "http_header", "success_header", "record", "add", "set", "append", "@set"];

/// What was found in a line.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Secrets, in order.
    pub(super) spans: Vec<Range<usize>>,
    /// A secret's name without its value, which stands in the lines below.
    pub(super) nested: Option<Nested>,
}

/// Which lines below belong to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Nested {
    /// Those with more indentation.
    Deeper(usize),
    /// And the items of a list with as much.
    DeeperOrList(usize),
    /// Those up to this quote.
    Quote(char),
}

/// Looks for secrets in a line of `text`.
pub(super) fn look(line: &Range<usize>, text: &str) -> Found {
    let said = text.get(line.clone()).unwrap_or_default();
    let mut found = Found::default();
    // A comment is read as what it would be without its marks.
    let head = said.len() - said.trim_start_matches([' ', '\t', '#', ';', '-', '{', '[']).len();
    let indent = said.len() - said.trim_start().len();
    let items = said.get(..head).unwrap_or_default().contains('-');
    let rest = said.get(head..).unwrap_or_default();
    if let Some((name, parted, value)) = entry(rest) {
        let start = line.start + head + value;
        let body = rest.get(value..).unwrap_or_default();
        if is_secret(name) {
            // In a list, the indentation of an entry is that of its name.
            let depth = if items { head } else { indent };
            take_value(body, start, parted, depth, &mut found);
        } else if PAIRS.contains(&name.to_ascii_lowercase().as_str()) {
            pair(body, start, &mut found);
        }
    }
    if items && found.spans.is_empty() && found.nested.is_none() {
        // An item of a list of headers.
        pair(rest, line.start + head, &mut found);
    }
    within(said, line.start, &mut found);
    if said.get(..head).unwrap_or_default().contains(['#', ';']) {
        // What stands below a comment is none of it.
        found.nested = None;
    }
    found.spans.sort_by_key(|span| span.start);
    found
}

/// What parts a name from its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parted {
    Colon,
    Space,
    Equals,
}

/// A name at the beginning, and where its value begins.
fn entry(rest: &str) -> Option<(&str, Parted, usize)> {
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    let (name, mut at) = match quote {
        Some(quote) => {
            let end = rest.get(1..)?.find(quote)? + 1;
            (rest.get(1..end)?, end + 1)
        }
        None => {
            let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
            let end = rest.find(|c| !fits(c)).unwrap_or(rest.len());
            (rest.get(..end)?, end)
        }
    };
    if name.is_empty() {
        return None;
    }
    let after = rest.get(at..)?;
    let blank = after.len() - after.trim_start_matches([' ', '\t']).len();
    let parted = match after.get(blank..)?.chars().next() {
        Some(':') => Parted::Colon,
        Some('=') => Parted::Equals,
        Some(_) if blank > 0 => Parted::Space,
        _ => return None,
    };
    at += blank + usize::from(parted != Parted::Space);
    let value = rest.get(at..)?;
    Some((name, parted, at + value.len() - value.trim_start_matches([' ', '\t']).len()))
}

/// The value behind a secret's name.
fn take_value(body: &str, start: usize, parted: Parted, indent: usize, found: &mut Found) {
    let value = body.trim_end();
    if parted == Parted::Colon {
        // Nothing, an anchor, a tag, a block: the value stands below.
        let head = value.split(" #").next().unwrap_or_default().trim_end();
        if head.is_empty() || head.starts_with(['|', '>']) {
            let block = head.is_empty();
            found.nested = Some(if block { Nested::DeeperOrList(indent) } else { Nested::Deeper(indent) });
            return;
        }
        if let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) {
            let inner = value.get(1..).unwrap_or_default();
            let end = closing(inner, quote);
            if end.is_none() {
                found.nested = Some(Nested::Quote(quote));
            }
            return push(inner.get(..end.unwrap_or(inner.len())).unwrap_or_default(), start + 1, found);
        }
        // Lines below with more indentation go on with it.
        found.nested = Some(Nested::Deeper(indent));
        let flow = value.find([',', '}', ']']).filter(|_| body.trim_end().ends_with(['}', ']']));
        let value = value.get(..flow.unwrap_or(value.len())).unwrap_or_default();
        let value = value.split(" #").next().unwrap_or_default().trim_end();
        return push(value, start, found);
    }
    push(unquoted(value), start + usize::from(unquoted(value).len() < value.len()), found);
}

/// A name and a value in one, such as `Authorization Bearer abc`.
fn pair(body: &str, start: usize, found: &mut Found) {
    let value = body.trim_end();
    let open = value.len() - value.trim_start_matches(['"', '\'', '[', ' ']).len();
    let inner = value.get(open..).unwrap_or_default();
    let end = inner.find([' ', '\t', '=', ':']).unwrap_or(inner.len());
    let (name, rest) = inner.split_at(end);
    let telling = is_secret(name)
        || (name.contains('-') || name.eq_ignore_ascii_case("cookie")) && is_secret_header(name);
    let lead = rest.len() - rest.trim_start_matches([' ', '\t', '=', ':']).len();
    let secret = rest.get(lead..).unwrap_or_default().trim_end_matches(['"', '\'', ']', ' ']);
    if telling && !secret.is_empty() {
        push(secret, start + open + end + lead, found);
    }
}

/// What tells of itself wherever it stands: a password in a URL, a parameter, an entry of a flow mapping, a header.
fn within(said: &str, start: usize, found: &mut Found) {
    let mut more = Found::default();
    for (at, _) in said.match_indices("://") {
        let host = said.get(at + 3..).unwrap_or_default();
        let end = host.find(['/', ' ', '\t', '"', '\'', '?', '#']).unwrap_or(host.len());
        let Some(user) = host.get(..end).and_then(|authority| authority.rfind('@')) else { continue };
        let info = host.get(..user).unwrap_or_default();
        // A token alone is a secret too.
        let from = info.find(':').map_or(0, |colon| colon + 1);
        push(info.get(from..).unwrap_or_default(), start + at + 3 + from, &mut more);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    for (at, sign) in said.match_indices(['=', ':']) {
        let before = said.get(..at).unwrap_or_default().trim_end_matches([' ', '"', '\'']);
        let from = before.rfind(|c| !fits(c)).map_or(0, |at| at + 1);
        let name = before.get(from..).unwrap_or_default();
        let follows = before.get(..from).unwrap_or_default().trim_end_matches(['"', '\'']).trim_end();
        // A colon parts entries only in a flow mapping; at the head of a line it was looked at already.
        let flows = sign == "=" || follows.ends_with([',', '{', '[']);
        if !flows || !(is_secret(name) || (sign == "=" && name.eq_ignore_ascii_case("sig"))) {
            continue;
        }
        let after = said.get(at + 1..).unwrap_or_default();
        let lead = after.len() - after.trim_start_matches([' ', '"', '\'']).len();
        let value = after.get(lead..).unwrap_or_default();
        let end = value.find(['&', ';', ',', '}', ' ', '"', '\'']).unwrap_or(value.len());
        push(value.get(..end).unwrap_or_default(), start + at + 1 + lead, &mut more);
    }
    for scheme in ["Bearer ", "bearer ", "Basic "] {
        for (at, _) in said.match_indices(scheme) {
            let value = said.get(at + scheme.len()..).unwrap_or_default();
            let end = value.find(['"', '\'', ',', ' ', '\t']).unwrap_or(value.len());
            let token = value.get(..end).unwrap_or_default();
            if token.len() >= 8 {
                push(token, start + at + scheme.len(), &mut more);
            }
        }
    }
    let apart = |span: &Range<usize>, known: &[Range<usize>]| {
        known.iter().all(|known| span.end <= known.start || known.end <= span.start)
    };
    for span in more.spans {
        if apart(&span, &found.spans) {
            found.spans.push(span);
        }
    }
}

fn push(value: &str, start: usize, found: &mut Found) {
    let switch = ["true", "false", "on", "off", "yes", "no", "null", "~"];
    if value.is_empty() || is_reference(value) || switch.contains(&value.to_ascii_lowercase().as_str()) {
        return;
    }
    found.spans.push(start..start + value.len());
}

/// Whether a value only names where it comes from: `${TOKEN}`, `Bearer ${TOKEN}`, `file:///run/secrets/token`.
pub(super) fn is_reference(value: &str) -> bool {
    let value = unquoted(value.trim());
    if value.starts_with("file:///") {
        return true;
    }
    value.contains("${")
        && value.split_whitespace().all(|word| {
            let names = word.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
            names.is_some_and(|name| !name.contains(['$', '}']))
                || matches!(word, "Bearer" | "Basic" | "Splunk")
        })
}

/// A value without the quotes around it.
fn unquoted(value: &str) -> &str {
    ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote)).unwrap_or(value)
}

/// Where the quote closes that was opened before `inner`.
pub(super) fn closing(inner: &str, quote: char) -> Option<usize> {
    let mut letters = inner.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if quote == '"' => drop(letters.next()),
            letter if letter == quote => {
                let doubled = quote == '\'' && letters.peek().is_some_and(|(_, next)| *next == quote);
                if !doubled {
                    return Some(at);
                }
                letters.next();
            }
            _ => {}
        }
    }
    None
}

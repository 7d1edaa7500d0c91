//! What is being written at one place of a query that is not finished yet.

use super::key::Key;
use super::quote::{escaped, quoted};
use super::{MAX_QUERY_BYTES, Query};

/// What is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A key, or a part of a name: what was written of it so far.
    Word(String),
    /// A value of a key.
    Value(Key, String),
    /// Nothing that can be completed: an unknown key, an age.
    Nothing,
}

/// A place in a query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// The first character of what is being written, from 0.
    pub from: usize,
    /// The first one behind it.
    pub to: usize,
    /// What it is.
    pub wanted: Wanted,
    /// The query without the term; everything where that cannot be read.
    pub rest: Query,
}

/// What is being written before the character `at` of a text, from 0.
#[must_use]
pub fn spot(text: &str, at: usize) -> Spot {
    let text = text.get(..text.floor_char_boundary(MAX_QUERY_BYTES)).unwrap_or_default();
    let characters: Vec<char> = text.chars().collect();
    let at = at.min(characters.len());
    let (start, end) = term(&characters, at);
    let slice = |from: usize, to: usize| characters.get(from..to).unwrap_or_default();
    let (before, behind): (String, String) =
        (slice(0, start).iter().collect(), slice(end, characters.len()).iter().collect());
    // A minus that stood before the term says nothing without it.
    let rest = Query::parse(&format!("{} {behind}", before.trim_end_matches('-'))).unwrap_or_default();
    let marks = marks(slice(start, end));
    let colon = marks.iter().find(|(_, mark)| matches!(mark, ':' | '=')).map(|(place, _)| start + place);
    let Some(colon) = colon.filter(|colon| *colon < at) else {
        let to = colon.map_or(end, |colon| colon + 1);
        return Spot { from: start, to, wanted: Wanted::Word(plain(slice(start, at))), rest };
    };
    let Ok(key) = Key::named(&plain(slice(start, colon))) else {
        return Spot { from: at, to: at, wanted: Wanted::Nothing, rest };
    };
    if key.is_time() {
        return Spot { from: at, to: at, wanted: Wanted::Nothing, rest };
    }
    let commas = marks.iter().filter(|(_, mark)| *mark == ',').map(|(place, _)| start + place);
    let (before, behind): (Vec<_>, Vec<_>) = commas.filter(|comma| *comma > colon).partition(|it| *it < at);
    let mut from = before.last().copied().unwrap_or(colon) + 1;
    while from < at && matches!(characters.get(from), Some('<' | '>' | '=')) {
        from += 1;
    }
    let to = behind.first().copied().unwrap_or(end);
    Spot { from, to, wanted: Wanted::Value(key, plain(slice(from, at))), rest }
}

/// A value as it is written in a query: between quotes where it needs them.
#[must_use]
pub fn written(value: &str) -> String {
    let mut text = String::new();
    // Writing into a text does not fail.
    let _ = quoted(&escaped(value), &mut text);
    text
}

/// Where the term begins and ends in which `at` lies.
fn term(characters: &[char], at: usize) -> (usize, usize) {
    let mut start = 0;
    for (place, mark) in marks(characters) {
        if !(mark.is_whitespace() || matches!(mark, '(' | ')' | '-')) {
            continue;
        }
        if place >= at {
            if mark == '-' {
                continue;
            }
            return (start, place);
        }
        // A minus stands before a term or within it.
        if mark != '-' || place == start {
            start = place + 1;
        }
    }
    (start, characters.len())
}

/// The characters that stand neither between quotes nor behind a backslash, with their places.
fn marks(characters: &[char]) -> Vec<(usize, char)> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let mut marks = Vec::new();
    for (place, character) in characters.iter().copied().enumerate() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match character {
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            plain => marks.push((place, plain)),
        }
    }
    marks
}

/// What characters say: without quotes, and without the backslashes that take a meaning away.
fn plain(characters: &[char]) -> String {
    let mut text = String::new();
    let mut characters = characters.iter().copied().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' => {}
            '\\' => text.push(characters.next_if(|next| matches!(next, '"' | '*' | '\\')).unwrap_or('\\')),
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A place is where the bar stands.
    fn at(text: &str) -> (usize, usize, String, String) {
        let before = text.chars().take_while(|character| *character != '|').count();
        let found = spot(&text.replacen('|', "", 1), before);
        let wanted = match found.wanted {
            Wanted::Word(word) => format!("word {word}"),
            Wanted::Value(key, prefix) => format!("{key} {prefix}"),
            Wanted::Nothing => "nothing".to_owned(),
        };
        (found.from, found.to, wanted, found.rest.to_string())
    }

    #[test]
    fn given_queries_when_a_place_is_asked_for_then_it_is_known_what_is_being_written_there() {
        for (text, from, to, wanted, rest) in [
            ("|", 0, 0, "word ", ""),
            ("he|", 0, 2, "word he", ""),
            ("he|alth:x", 0, 7, "word he", ""),
            ("os:linux hea|", 9, 12, "word hea", "os:linux"),
            ("os:linux -hea| web", 10, 13, "word hea", "os:linux web"),
            ("health:|", 7, 7, "health ", ""),
            ("health:un|healthy,degraded os:linux", 7, 16, "health un", "os:linux"),
            ("health:ok,de| os:linux", 10, 12, "health de", "os:linux"),
            ("(label.env:pr| OR web)", 11, 13, "label.env pr", ""),
            ("version:>=5.|", 10, 12, "version 5.", ""),
            ("label.a:\"x y|\" web", 8, 13, "label.a x y", "web"),
            ("last_seen:>1|", 12, 12, "nothing", ""),
            ("nonsense:x|", 10, 10, "nothing", ""),
            ("ü:x|", 3, 3, "nothing", ""),
            ("a-b|", 0, 3, "word a-b", ""),
        ] {
            assert_eq!(at(text), (from, to, wanted.into(), rest.into()), "{text}");
        }
        assert_eq!(spot("web", 99).wanted, Wanted::Word("web".into()));
        assert_eq!((written("a b"), written("5.1.1")), ("\"a b\"".into(), "5.1.1".into()));
    }
}

//! Makes text from elsewhere safe to print to a terminal.
//!
//! Agents run on machines that others own: a host name may hold escape sequences that rewrite the screen, line
//! breaks that forge rows, or bidirectional controls that make a word read as another. Such characters are shown
//! as escapes (`\u{1b}`), not dropped, so that the attempt is seen.

use std::borrow::Cow;

pub(crate) use tidegate_api::text::is_hidden;

/// The text on one line, with each character that could steer a terminal or hide shown as an escape.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_hidden)
}

/// The text with its line breaks and tabs kept, and otherwise as [`line()`].
pub(crate) fn block(text: &str) -> Cow<'_, str> {
    escape(text, |character| is_hidden(character) && !matches!(character, '\n' | '\t'))
}

/// At most `max` characters of the text as [`line()`] shows it; `…` stands for what was cut.
pub(crate) fn cell(text: &str, max: usize) -> String {
    let mut short: String = text.chars().take(max).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    line(&short).into_owned()
}

fn escape(text: &str, unsafe_here: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if unsafe_here(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_hostile_text_when_made_safe_then_nothing_steers_the_terminal() {
        for (text, expected) in [
            ("web-1", "web-1"),
            ("Zürich 東京 👩\u{200d}💻", "Zürich 東京 👩\u{200d}💻"),
            ("\u{1b}[31mred\u{1b}[0m", "\\u{1b}[31mred\\u{1b}[0m"),
            ("\u{1b}]0;title\u{7}", "\\u{1b}]0;title\\u{7}"),
            (
                "\u{1b}]8;;http://evil\u{1b}\\click\u{1b}]8;;\u{1b}\\",
                "\\u{1b}]8;;http://evil\\u{1b}\\click\\u{1b}]8;;\\u{1b}\\",
            ),
            ("\u{9b}2J\u{9d}0;t\u{9c}", "\\u{9b}2J\\u{9d}0;t\\u{9c}"),
            ("a\nforged   row\r\n", "a\\nforged   row\\r\\n"),
            ("tab\there\u{8}\u{7f}\0", "tab\\there\\u{8}\\u{7f}\\u{0}"),
            ("\u{202e}txt.exe\u{202c}", "\\u{202e}txt.exe\\u{202c}"),
            ("\u{2066}a\u{2069}\u{200f}\u{61c}", "\\u{2066}a\\u{2069}\\u{200f}\\u{61c}"),
            ("a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d"),
            (
                "in\u{200b}vis\u{feff}ible\u{e0041}\u{e0100}",
                "in\\u{200b}vis\\u{feff}ible\\u{e0041}\\u{e0100}",
            ),
        ] {
            assert_eq!(line(text), expected, "{text:?}");
            assert!(!line(text).contains(is_hidden), "{text:?}");
        }
    }

    #[test]
    fn given_several_lines_when_shown_as_a_block_then_only_line_breaks_and_tabs_stay() {
        assert_eq!(block("a\n\tb\r\u{1b}[2J\n"), "a\n\tb\\r\\u{1b}[2J\n");
    }

    #[test]
    fn given_a_long_text_when_put_in_a_cell_then_it_is_cut_at_characters() {
        assert_eq!(cell("äöü", 3), "äöü");
        assert_eq!(cell("äöüß", 3), "äö…");
        assert_eq!(cell("\u{1b}[2J", 2), "\\u{1b}…");
    }
}

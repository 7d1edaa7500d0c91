//! Text of agents, before anybody reads it.

/// Whether a character of a text could steer what shows it, or would not be seen: control characters of C0 and C1, line
/// and paragraph separators, bidirectional controls, fillers, tags and other marks without a shape. Joiners stay: scripts
/// and emoji need them. Line breaks and tabs are among the hidden ones; who shows several lines lets them through.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180e}'
            | '\u{200b}'
            | '\u{200e}'
            | '\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_characters_then_those_that_steer_or_are_not_seen_are_hidden_and_others_are_not() {
        for range in [
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{202a}'..='\u{202e}',
            '\u{2066}'..='\u{2069}',
            '\u{e0000}'..='\u{e007f}',
            '\u{e0100}'..='\u{e01ef}',
        ] {
            assert!(range.clone().all(is_hidden), "{range:?}");
        }
        let unseen = "\u{ad}\u{61c}\u{115f}\u{17b4}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{2060}";
        assert!(unseen.chars().all(is_hidden), "{unseen:?}");
        for text in [
            "Zürich 東京 नमस्ते",
            "👩\u{200d}💻\u{fe0f}",
            "a\u{a0}b\u{3000}c",
            "م\u{200c}ی",
            "\u{10ffff}\u{e1000}",
        ] {
            assert!(!text.chars().any(is_hidden), "{text:?}");
        }
    }
}

//! Small helpers for text of bounded length.

/// The first `limit` bytes of a text, cut between characters.
#[must_use]
pub fn head(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// The last `limit` bytes of a text, cut between characters.
#[must_use]
pub fn tail(text: &str, limit: usize) -> &str {
    text.get(text.ceil_char_boundary(text.len().saturating_sub(limit))..).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_text_when_cut_then_no_character_is_split() {
        for (text, limit, first, last) in [
            ("abc", 2, "ab", "bc"),
            ("aé", 2, "a", "é"),
            ("éa", 1, "", "a"),
            ("abc", 9, "abc", "abc"),
            ("", 3, "", ""),
        ] {
            assert_eq!((head(text, limit), tail(text, limit)), (first, last), "{text} {limit}");
        }
    }
}

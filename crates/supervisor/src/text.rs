//! Small helpers for text of bounded length.

use std::borrow::Cow;

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

/// Shortest secret that is taken out: shorter ones stand in too much that is none.
const SECRET_BYTES: usize = 4;

/// A text with `mark` in the place of each secret that stands in it.
#[must_use]
pub fn without<'a, 's>(
    text: &'a str,
    secrets: impl IntoIterator<Item = &'s String>,
    mark: &str,
) -> Cow<'a, str> {
    let mut found: Vec<_> = secrets.into_iter().filter(|secret| text.contains(secret.as_str())).collect();
    // One may be a part of another.
    found.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let replace = |text: Cow<'a, str>, secret: &String| Cow::Owned(text.replace(secret.as_str(), mark));
    found.into_iter().fold(Cow::Borrowed(text), replace)
}

/// Takes secrets out of every text in a value, the keys of objects aside.
pub fn scrub(value: &mut serde_json::Value, secrets: &[String]) {
    use serde_json::Value;
    match value {
        Value::String(text) => {
            let long = secrets.iter().filter(|secret| secret.len() >= SECRET_BYTES);
            if let Cow::Owned(cleaned) = without(text, long, "(hidden)") {
                *text = cleaned;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| scrub(value, secrets)),
        Value::Object(map) => map.values_mut().for_each(|value| scrub(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_secrets_anywhere_in_a_value_when_scrubbed_then_no_text_has_them() {
        let mut value = serde_json::json!({"a": ["token hunter22!", 7, null], "hunter22": "on"});
        scrub(&mut value, &["hunter2".to_owned(), "hunter22".to_owned(), "on".to_owned()]);
        assert_eq!(value, serde_json::json!({"a": ["token (hidden)!", 7, null], "hunter22": "on"}));
    }

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

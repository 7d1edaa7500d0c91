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

/// Shortest secret that is taken out: shorter ones stand in too much that is none.
const SECRET_BYTES: usize = 4;

/// Takes secrets out of every text in a value, the keys of objects aside.
pub fn scrub(value: &mut serde_json::Value, secrets: &[String]) {
    use serde_json::Value;
    match value {
        Value::String(text) => {
            let stands = |secret: &&String| secret.len() >= SECRET_BYTES && text.contains(secret.as_str());
            let mut found: Vec<_> = secrets.iter().filter(stands).collect();
            // One may be a part of another.
            found.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
            for secret in found {
                *text = text.replace(secret.as_str(), "(hidden)");
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

//! JSON and YAML: the API's keys, and text escaped as the format does it.

use serde::Serialize;

use crate::failure::Failure;
use crate::sanitise;

/// JSON over several lines.
///
/// # Errors
/// [`Failure::Encode`].
pub(crate) fn json<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::Encode(error.to_string()))?;
    Ok(format!("{}\n", escaped(&text)))
}

/// JSON on one line.
///
/// # Errors
/// [`Failure::Encode`].
pub(crate) fn json_line<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_json::to_string(value).map_err(|error| Failure::Encode(error.to_string()))?;
    Ok(format!("{}\n", escaped(&text)))
}

/// YAML. What its writer would leave in the clear and a terminal must not see makes the document JSON, which is
/// YAML too.
///
/// # Errors
/// [`Failure::Encode`].
pub(crate) fn yaml<T: Serialize>(value: &T) -> Result<String, Failure> {
    let text = serde_saphyr::to_string(value).map_err(|error| Failure::Encode(error.to_string()))?;
    if text.chars().any(|character| sanitise::is_hidden(character) && character != '\n') {
        json(value)
    } else {
        Ok(text)
    }
}

/// JSON may hold DEL, C1 and bidirectional controls as they are, but only inside strings: there they are escaped.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if sanitise::is_hidden(character) && character != '\n' {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                text.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            text.push(character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    const HOSTILE: [&str; 9] = [
        "plain",
        "\x1b[31mred\x1b[0m",
        "a\nb\r\n",
        "\u{9b}2J\u{7f}",
        "\u{202e}txt",
        "tag\u{e0041}",
        "- no: list",
        "null",
        "two\nlines with \x1b[2J",
    ];

    #[test]
    fn given_hostile_text_when_encoded_then_it_is_safe_and_reads_back_the_same() {
        for text in HOSTILE {
            let value =
                BTreeMap::from([("k".to_owned(), text.to_owned()), (text.to_owned(), "v".to_owned())]);
            for encoded in [json(&value).unwrap(), json_line(&value).unwrap(), yaml(&value).unwrap()] {
                let steers = |character| sanitise::is_hidden(character) && character != '\n';
                assert!(!encoded.contains(steers), "{encoded:?}");
            }
            let back: BTreeMap<String, String> = serde_json::from_str(&json(&value).unwrap()).unwrap();
            assert_eq!(back, value);
            let back: BTreeMap<String, String> = serde_saphyr::from_str(&yaml(&value).unwrap()).unwrap();
            assert_eq!(back, value);
            assert_eq!(json_line(&value).unwrap().lines().count(), 1);
        }
    }

    #[test]
    fn given_a_plain_value_when_encoded_as_yaml_then_it_is_block_style() {
        let value = serde_json::json!({"items": [{"name": "web-1", "healthy": true}]});
        assert_eq!(yaml(&value).unwrap(), "items:\n- healthy: true\n  name: web-1\n");
    }
}

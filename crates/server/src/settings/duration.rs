//! Durations as people write them: `500ms`, `30s`, `5m`, `2h`.

use std::time::Duration;

use serde::Serializer;

use super::file::WrongField;

/// Reads the duration of a field, `default` where none is given; both bounds are allowed.
pub(super) fn between(
    field: &'static str,
    text: Option<&str>,
    default: Duration,
    (least, most): (Duration, Duration),
) -> Result<Duration, WrongField> {
    let Some(text) = text else { return Ok(default) };
    let duration = parse(text).map_err(|message| WrongField::new(field, message))?;
    if duration < least || duration > most {
        return Err(WrongField::new(
            field,
            format!("it must lie between {} and {}", show(least), show(most)),
        ));
    }
    Ok(duration)
}

/// Reads a duration; a bare number is in seconds.
pub(crate) fn parse(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let wrong = || format!("{text:?} is no duration; write it as 500ms, 30s, 5m or 2h");
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(wrong()),
    };
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(wrong)
}

/// Writes a duration so that it is read as the same.
pub(super) fn write<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&show(*duration))
}

fn show(duration: Duration) -> String {
    match duration.as_millis() {
        whole if whole % 3_600_000 == 0 && whole > 0 => format!("{}h", whole / 3_600_000),
        whole if whole % 1_000 == 0 => format!("{}s", whole / 1_000),
        part => format!("{part}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_texts_when_read_then_only_durations_pass() {
        let cases =
            [("500ms", 500), ("30s", 30_000), ("30", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("0s", 0)];
        for (text, milliseconds) in cases {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
        for text in ["", "s", "-1s", "1.5s", "5 m", "1d", "99999999999999999999h"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}

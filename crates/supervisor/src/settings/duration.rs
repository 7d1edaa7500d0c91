//! Durations as people write them.

use std::time::Duration;

/// Reads `30s`, `500ms`, `1m30s`, `2h`, or a plain number of seconds.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<u32>() {
        return Some(Duration::from_secs(u64::from(seconds)));
    }
    let mut rest = text;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let number: u32 = number.parse().ok()?;
        total = total.checked_add(Duration::from_millis(millis * u64::from(number)))?;
        rest = after;
    }
    (!text.is_empty()).then_some(total)
}

/// Writes a duration so that [`parse`] reads it back.
pub(super) fn write(duration: Duration) -> String {
    if duration.subsec_millis() == 0 {
        format!("{}s", duration.as_secs())
    } else {
        format!("{}ms", duration.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_durations_when_parsed_then_only_those_with_known_units_pass() {
        let good = [
            ("30s", 30_000),
            ("500ms", 500),
            ("1m30s", 90_000),
            ("2h", 7_200_000),
            ("15", 15_000),
            ("0", 0),
            (" 1s ", 1000),
        ];
        for (text, millis) in good {
            let duration = parse(text);
            assert_eq!(duration, Some(Duration::from_millis(millis)), "{text}");
            assert_eq!(parse(&write(duration.unwrap())), duration);
        }
        for text in ["", "s", "1x", "-1s", "1.5s", "1s5", "99999999999h", "ünf"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

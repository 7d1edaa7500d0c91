//! Ages in a word.

use tidegate_api::Timestamp;

/// The age in its largest whole unit, such as `14m`; `0s` for what lies ahead, since clocks differ.
pub(crate) fn short(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m", seconds / 60),
        3600..86_400 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// The age as `14m ago`.
pub(crate) fn ago(now: Timestamp, then: Timestamp) -> String {
    format!("{} ago", short(now, then))
}

/// A point in time to the second, in UTC.
pub(crate) fn utc(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_two_times_then_the_age_has_its_largest_unit() {
        let now = Timestamp::from_second(1_000_000).unwrap();
        for (seconds, expected) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h"),
            (86_399, "23h"),
            (86_400, "1d"),
            (900_000, "10d"),
        ] {
            let then = Timestamp::from_second(1_000_000 - seconds).unwrap();
            assert_eq!(short(now, then), expected, "{seconds}");
        }
    }

    #[test]
    fn given_a_time_when_written_then_it_ends_at_the_second() {
        let at: Timestamp = "2026-03-04T05:06:07.891Z".parse().unwrap();
        assert_eq!(utc(at), "2026-03-04T05:06:07Z");
    }
}

//! What an agent's components count.

use tidegate_api::{AgentMetrics, ComponentMetrics, MetricsHistory, Timestamp};

use super::age;
use super::table::{Look, Table, Tone};
use crate::sanitise;

/// Rates and counts of now, or the past where it was asked for.
pub(crate) fn page(told: &AgentMetrics, now: Timestamp, look: Look) -> String {
    let mut text = match &told.history {
        Some(history) => past(history, look),
        None => present(told, now, look),
    };
    if told.left_out > 0 {
        text.push_str(&format!("{} more components are left out.\n", told.left_out));
    }
    if !told.reason.is_empty() {
        text.push_str(&format!("{}\n", sanitise::cell(&told.reason, 512)));
    }
    text
}

fn present(told: &AgentMetrics, now: Timestamp, look: Look) -> String {
    let Some(at) = told.observed_at else { return String::new() };
    let over = told.seconds.map_or_else(String::new, |seconds| format!(", rates over {seconds} s"));
    let mut text = format!(
        "As of {}{over}; errors, retries and dropped since the config was loaded.\n",
        age::ago(now, at)
    );
    let headers = ["COMPONENT", "RECORDS/S", "BYTES/S", "ERRORS", "RETRIES", "DROPPED", "BACKLOG"];
    let mut table = Table::new(&headers, look);
    for (name, component) in &told.components {
        let rate = |number: Option<f64>| number.map_or_else(|| "-".to_owned(), short);
        let (rates, total) = (component.per_second.as_ref(), &component.total);
        let cells = [
            name.clone(),
            rate(rates.map(|rates| rates.records)),
            rate(rates.map(|rates| rates.bytes)),
            total.errors.to_string(),
            total.retries.to_string(),
            total.dropped.to_string(),
            component.backlog.to_string(),
        ];
        table.row(&cells, tone(name, component));
    }
    text.push_str(&table.finish(look));
    text
}

/// An output that loses records now, or puts them off, stands out; what a filter drops, it drops on purpose.
fn tone(name: &str, component: &ComponentMetrics) -> Tone {
    match &component.per_second {
        Some(rates) if name.starts_with("output:") && (rates.errors > 0.0 || rates.dropped > 0.0) => {
            Tone::Act
        }
        Some(rates) if rates.retries > 0.0 => Tone::Watch,
        _ => Tone::Plain,
    }
}

fn past(history: &MetricsHistory, look: Look) -> String {
    let mut text = String::new();
    for (name, series) in &history.components {
        text.push_str(&format!("{}\n", sanitise::cell(name, 128)));
        let headers = ["FROM", "RECORDS/S", "BYTES/S", "ERRORS/S", "RETRIES/S", "DROPPED/S", "BACKLOG"];
        let mut table = Table::new(&headers, look);
        for step in 0..series.records.len() {
            let begins = i64::try_from(step as u64 * history.step_seconds).unwrap_or(i64::MAX);
            let at = history.from.as_second().saturating_add(begins);
            let at = Timestamp::from_second(at).map_or_else(|_| String::new(), |at| at.to_string());
            let rate = |numbers: &[Option<f64>]| {
                numbers.get(step).copied().flatten().map_or_else(|| "-".to_owned(), short)
            };
            let backlog = series.backlog.get(step).copied().flatten();
            let cells = [
                at,
                rate(&series.records),
                rate(&series.bytes),
                rate(&series.errors),
                rate(&series.retries),
                rate(&series.dropped),
                backlog.map_or_else(|| "-".to_owned(), |backlog| backlog.to_string()),
            ];
            table.row(&cells, if cells[1] == "-" { Tone::Faint } else { Tone::Plain });
        }
        text.push_str(&table.finish(look));
        text.push('\n');
    }
    text
}

/// A rate with three digits that count: `0.25`, `12.5`, `1.2k`, `34M`.
fn short(rate: f64) -> String {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut number = rate;
    let mut unit = UNITS[0];
    for next in &UNITS[1..] {
        if number < 999.5 {
            break;
        }
        number /= 1000.0;
        unit = next;
    }
    let text = match number {
        0.0 => return "0".to_owned(),
        n if n < 9.995 => format!("{n:.2}"),
        n if n < 99.95 => format!("{n:.1}"),
        n => return format!("{n:.0}{unit}"),
    };
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(history: bool) -> AgentMetrics {
        let mut value = json!({
            "agent": "u", "observed_at": "2026-03-04T05:06:07Z", "reason": "", "seconds": 60, "left_out": 2,
            "components": {
                "input:app\u{1b}": {
                    "total": {"records": 1, "bytes": 2, "errors": 0, "retries": 0, "dropped": 0}, "backlog": 4,
                    "per_second": {"records": 1234.0, "bytes": 98_765_432.0, "errors": 0.0, "retries": 0.0, "dropped": 0.0},
                },
                "output:sink": {
                    "total": {"records": 1, "bytes": 2, "errors": 3, "retries": 5, "dropped": 7}, "backlog": 0,
                },
            },
        });
        if history {
            value["history"] = json!({
                "from": "2026-03-04T05:00:00Z", "step_seconds": 300, "steps": 2, "components": {"output:sink": {
                    "records": [0.25, null], "bytes": [0.0, null], "errors": [0.0, null], "retries": [0.0, null],
                    "dropped": [0.0, null], "backlog": [3, null],
                }},
            });
        }
        serde_json::from_value(value).unwrap()
    }

    fn now() -> Timestamp {
        "2026-03-04T05:06:37Z".parse().unwrap()
    }

    #[test]
    fn given_rates_when_shown_then_each_component_has_a_line_and_nothing_steers_the_terminal() {
        let text = page(&told(false), now(), Look::default());
        let expected = "\
As of 30s ago, rates over 60 s; errors, retries and dropped since the config was loaded.
COMPONENT         RECORDS/S   BYTES/S   ERRORS   RETRIES   DROPPED   BACKLOG
input:app\\u{1b}   1.23k       98.8M     0        0         0         4
output:sink       -           -         3        5         7         0
2 more components are left out.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn given_the_past_when_shown_then_each_step_has_a_line_and_a_gap_is_one() {
        let text = page(&told(true), now(), Look::default());
        let expected = "\
output:sink
FROM                   RECORDS/S   BYTES/S   ERRORS/S   RETRIES/S   DROPPED/S   BACKLOG
2026-03-04T05:00:00Z   0.25        0         0          0           0           3
2026-03-04T05:05:00Z   -           -         -          -           -           -

2 more components are left out.
";
        assert_eq!(text, expected);
    }

    #[test]
    fn given_rates_when_shortened_then_three_digits_are_left() {
        for (rate, expected) in [
            (0.0, "0"),
            (0.004, "0"),
            (0.25, "0.25"),
            (9.999, "10"),
            (12.34, "12.3"),
            (999.4, "999"),
            (999.6, "1k"),
            (1234.0, "1.23k"),
            (5.0e6, "5M"),
            (7.7e17, "770000T"),
        ] {
            assert_eq!(short(rate), expected, "{rate}");
        }
    }
}

//! The metric families, and their three texts: v1 Prometheus, v2 Prometheus, v2 text.

use std::fmt::Write;

use super::families::{Family, Value, families};
use crate::fake_fluent_bit::log::stamp_nanos;
use crate::fake_fluent_bit::snapshot::Snapshot;

/// Families that `/api/v1/metrics/prometheus` shows, in its order, with its words where they differ.
const V1: &[(&str, &str)] = &[
    ("fluentbit_filter_add_records_total", "Fluentbit metrics."),
    ("fluentbit_filter_bytes_total", "Fluentbit metrics."),
    ("fluentbit_filter_drop_bytes_total", "Fluentbit metrics."),
    ("fluentbit_filter_drop_records_total", "Fluentbit metrics."),
    ("fluentbit_filter_records_total", "Fluentbit metrics."),
    ("fluentbit_input_bytes_total", ""),
    ("fluentbit_input_records_total", ""),
    ("fluentbit_output_dropped_records_total", ""),
    ("fluentbit_output_errors_total", ""),
    ("fluentbit_output_proc_bytes_total", ""),
    ("fluentbit_output_proc_records_total", ""),
    ("fluentbit_output_retried_records_total", ""),
    ("fluentbit_output_retries_failed_total", ""),
    ("fluentbit_output_retries_total", ""),
];

/// `/api/v2/metrics/prometheus`.
pub(super) fn v2(state: &Snapshot) -> String {
    let mut text = String::new();
    for family in families(state).iter().filter(|family| !family.samples.is_empty()) {
        heading(&mut text, family, family.help);
        for (labels, value) in &family.samples {
            match value {
                Value::Number(number) => line(&mut text, family.name, labels, number),
                Value::Histogram(histogram) => {
                    for (bound, count) in &histogram.buckets {
                        let labels = format!("le=\"{bound}\",{labels}");
                        line(&mut text, &format!("{}_bucket", family.name), &labels, count);
                    }
                    line(&mut text, &format!("{}_sum", family.name), labels, &histogram.sum);
                    line(&mut text, &format!("{}_count", family.name), labels, &histogram.count);
                }
            }
        }
    }
    text
}

/// `/api/v2/metrics`.
pub(super) fn v2_text(state: &Snapshot) -> String {
    let stamp = stamp_nanos(state.now);
    let mut text = String::new();
    for family in families(state) {
        for (labels, value) in &family.samples {
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            let said = match value {
                Value::Number(number) => number.to_string(),
                Value::Histogram(histogram) => {
                    let buckets: Vec<String> = histogram
                        .buckets
                        .iter()
                        .map(|(bound, count)| format!("{}={count}", bound.trim_end_matches(".0")))
                        .collect();
                    let (sum, count) = (histogram.sum, histogram.count);
                    format!("{{ buckets = {{ {} }}, sum={sum}, count={count} }}", buckets.join(", "))
                }
            };
            push(&mut text, format_args!("{stamp} {}{labels} = {said}\n", family.name));
        }
    }
    text
}

/// `/api/v1/metrics/prometheus`: the plugins' counters by name, each with a time in milliseconds.
pub(super) fn v1(state: &Snapshot) -> String {
    let families = families(state);
    let millis = state.now.as_millis();
    let mut text = String::new();
    for (name, help) in V1 {
        let Some(family) = families.iter().find(|family| family.name == *name && !family.samples.is_empty())
        else {
            continue;
        };
        heading(&mut text, family, if help.is_empty() { family.help } else { help });
        let mut samples: Vec<&(String, Value)> = family.samples.iter().collect();
        samples.sort_by(|a, b| a.0.cmp(&b.0));
        for (labels, value) in samples {
            if let Value::Number(number) = value {
                push(&mut text, format_args!("{name}{{{labels}}} {number} {millis}\n"));
            }
        }
    }
    push(
        &mut text,
        format_args!(
            "# HELP fluentbit_uptime Number of seconds that Fluent Bit has been running.\n\
             # TYPE fluentbit_uptime counter\nfluentbit_uptime {}\n\
             # HELP process_start_time_seconds Start time of the process since unix epoch in seconds.\n\
             # TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {}\n\
             # HELP fluentbit_build_info Build version information.\n\
             # TYPE fluentbit_build_info gauge\nfluentbit_build_info{{version=\"{}\",edition=\"Community\"}} 1\n",
            state.uptime_sec, state.start_sec, state.version
        ),
    );
    text
}

fn heading(text: &mut String, family: &Family, help: &str) {
    push(text, format_args!("# HELP {} {help}\n# TYPE {} {}\n", family.name, family.name, family.kind));
}

fn line(text: &mut String, name: &str, labels: &str, value: &dyn std::fmt::Display) {
    if labels.is_empty() {
        push(text, format_args!("{name} {value}\n"));
    } else {
        push(text, format_args!("{name}{{{labels}}} {value}\n"));
    }
}

/// Writing to a string cannot fail.
fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let _ = text.write_fmt(arguments);
}

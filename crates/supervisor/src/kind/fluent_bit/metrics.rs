//! Reading Fluent Bit's metrics: the JSON of `/api/v1/metrics` and the Prometheus text of `/api/v2/metrics/prometheus`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::kind::{Metrics, Observation};

/// Most components that are read (hard-cases.md, 24).
const COMPONENTS_LIMIT: usize = 20_000;

/// The shape of `/api/v1/metrics`.
#[derive(Deserialize)]
struct Instances {
    #[serde(default)]
    input: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(default)]
    filter: BTreeMap<String, serde::de::IgnoredAny>,
    #[serde(default)]
    output: BTreeMap<String, serde::de::IgnoredAny>,
}

/// Adds the instances that `/api/v1/metrics` names to the observation. Says so when it is no such answer.
pub(super) fn read_instances(body: &[u8], into: &mut Observation) -> Result<(), serde_json::Error> {
    // For up to a second after a start or reload the answer is empty: nothing is known yet.
    if body.is_empty() {
        return Ok(());
    }
    let Instances { input, filter, output } = serde_json::from_slice(body)?;
    for (kind, names) in [("input", input), ("filter", filter), ("output", output)] {
        for name in names.into_keys() {
            if into.components.len() < COMPONENTS_LIMIT {
                into.components.entry(format!("{kind}:{name}")).or_default();
            }
        }
    }
    Ok(())
}

/// Adds the values that the supervisor judges by to the instances already known; lines that are not understood
/// are passed over, for newer versions add metrics.
pub(super) fn read_values(text: &str, into: &mut Observation) {
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let Some((series, value)) = line.rsplit_once(' ') else { continue };
        let Ok(value) = value.parse::<f64>() else { continue };
        let (metric, labels) = series.split_once('{').unwrap_or((series, ""));
        let Some(metric) = metric.strip_prefix("fluentbit_") else { continue };
        if let Some((kind, key)) = COMPONENT_METRICS.iter().find(|(_, key)| *key == metric) {
            add(into, kind, label(labels, "name"), key, value);
        } else if metric == "routing_logs_records_total" {
            add(into, "output", label(labels, "output"), ROUTED, value);
        } else if metric == "logger_logs_total" {
            if label(labels, "message_type").as_deref() == Some("error") {
                into.process.insert(LOGGED_ERRORS, value);
            }
        } else if metric == "build_info" {
            into.version = label(labels, "version");
        } else if let Some(key) = PROCESS_METRICS.iter().find(|key| **key == metric) {
            into.process.insert(key, value);
        }
    }
}

fn add(into: &mut Observation, kind: &str, name: Option<String>, key: &'static str, value: f64) {
    let Some(name) = name else { return };
    if let Some(metrics) = into.components.get_mut(&format!("{kind}:{name}")) {
        *metrics.entry(key).or_default() += value;
    }
}

/// A label's value with its escapes undone.
fn label(labels: &str, wanted: &str) -> Option<String> {
    let mut rest = labels;
    loop {
        let (name, after) = rest.split_once("=\"")?;
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next()? {
                (at, '"') => break at + 1,
                (_, '\\') => match letters.next()?.1 {
                    'n' => value.push('\n'),
                    other => value.push(other),
                },
                (_, letter) => value.push(letter),
            }
        };
        if name.trim_start_matches(',') == wanted {
            return Some(value);
        }
        rest = after.get(end..)?;
    }
}

/// Records routed to an output, over all inputs.
pub(super) const ROUTED: &str = "routing_logs_records_total";
/// Error lines that the process has logged.
pub(super) const LOGGED_ERRORS: &str = "logger_logs_total.error";

/// The values of components that health is judged by, or that digests hold, by kind.
const COMPONENT_METRICS: [(&str, &str); 14] = [
    ("input", "input_records_total"),
    ("input", "input_bytes_total"),
    ("input", "input_storage_chunks"),
    ("input", "input_ingestion_paused"),
    ("input", "input_storage_overlimit"),
    ("output", "output_proc_records_total"),
    ("output", "output_proc_bytes_total"),
    ("output", "output_errors_total"),
    ("output", "output_retries_total"),
    ("output", "output_retries_failed_total"),
    ("output", "output_dropped_records_total"),
    ("filter", "filter_records_total"),
    ("filter", "filter_bytes_total"),
    ("filter", "filter_drop_records_total"),
];

/// The values of the process that health is judged by.
const PROCESS_METRICS: [&str; 4] =
    ["uptime", "storage_chunks", "storage_mem_chunks", "storage_fs_chunks_down"];

/// One value of a component; 0 when it was not reported.
pub(super) fn value(metrics: &Metrics, key: &str) -> f64 {
    metrics.get(key).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(capture: &str) -> &str {
        capture
            .replace("\r\n", "\n")
            .find("\n\n")
            .map_or("", |_| capture.split_once("\r\n\r\n").or_else(|| capture.split_once("\n\n")).unwrap().1)
    }

    #[test]
    fn given_captured_answers_when_read_then_components_and_values_are_there() {
        let mut seen = Observation::default();
        read_instances(
            body(include_str!("../../../tests/data/fluent-bit/v1_metrics.txt")).as_bytes(),
            &mut seen,
        )
        .unwrap();
        assert_eq!(
            seen.components.keys().collect::<Vec<_>>(),
            [
                "filter:keep_info",
                "input:cpu.1",
                "input:gen",
                "input:storage_backlog.2",
                "output:deadhttp",
                "output:sink"
            ]
        );
        read_values(
            body(include_str!("../../../tests/data/fluent-bit/v2_metrics_prometheus.txt")),
            &mut seen,
        );
        assert_eq!(seen.version.as_deref(), Some("5.1.1"));
        for (component, key, expect) in [
            ("input:gen", "input_records_total", 50.0),
            ("output:deadhttp", "output_retries_total", 8.0),
            ("output:sink", "output_proc_records_total", 45.0),
            ("output:sink", ROUTED, 45.0),
            ("output:deadhttp", ROUTED, 0.0),
        ] {
            assert_eq!(value(&seen.components[component], key), expect, "{component} {key}");
        }
        assert_eq!(value(&seen.process, LOGGED_ERRORS), 10.0);
        assert_eq!(value(&seen.process, "uptime"), 10.0);
    }

    #[test]
    fn given_noise_when_read_then_nothing_is_taken_and_nothing_breaks() {
        let mut seen = Observation::default();
        for text in [
            "",
            "\n\n",
            "fluentbit_uptime",
            "fluentbit_uptime x",
            "fluentbit_input_records_total{name=\"a 3",
            "fluentbit_input_records_total{name=\"never named\"} 3",
            "fluentbit_input_records_total{} 1",
            "{} 1",
            "fluentbit_build_info{version=\"\\",
            "é{=\"=\"} 1",
        ] {
            read_values(text, &mut seen);
        }
        assert_eq!(seen, Observation::default());
        assert!(read_instances(b"[]x", &mut seen).is_err());
        assert!(read_instances(b"", &mut seen).is_ok());
    }

    #[test]
    fn given_labels_when_read_then_escapes_are_undone() {
        for (labels, wanted, expect) in [
            ("name=\"a\"}", "name", Some("a")),
            ("input=\"a,b=\\\"c\",output=\"d\\\\e\"}", "output", Some("d\\e")),
            ("input=\"a\"}", "output", None),
        ] {
            assert_eq!(label(labels, wanted).as_deref(), expect, "{labels}");
        }
    }
}

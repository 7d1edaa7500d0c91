//! What Fluent Bit's components count, for digests of metrics.

use tidegate_custom::metrics::Counters;

use super::metrics::value;
use crate::kind::{Metrics, Observation};

/// The counters of each component; none where the agent told no values at all: before 2.0.9 it has none, and right
/// after a start it does not know its components yet.
pub(super) fn counters(observation: &Observation) -> Vec<(String, Counters)> {
    if observation.components.values().all(Metrics::is_empty) {
        return Vec::new();
    }
    let component = |(name, metrics): (&String, &Metrics)| (name.clone(), of(name, metrics));
    observation.components.iter().map(component).collect()
}

fn of(name: &str, metrics: &Metrics) -> Counters {
    let count = |key| whole(value(metrics, key));
    match name.split_once(':').map(|(kind, _)| kind) {
        Some("input") => Counters {
            records: count("input_records_total"),
            bytes: count("input_bytes_total"),
            backlog: count("input_storage_chunks"),
            ..Counters::default()
        },
        Some("output") => Counters {
            records: count("output_proc_records_total"),
            bytes: count("output_proc_bytes_total"),
            errors: count("output_errors_total").saturating_add(count("output_retries_failed_total")),
            retries: count("output_retries_total"),
            dropped: count("output_dropped_records_total"),
            backlog: 0,
        },
        _ => Counters {
            records: count("filter_records_total"),
            bytes: count("filter_bytes_total"),
            dropped: count("filter_drop_records_total"),
            ..Counters::default()
        },
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is no count is 0 or the largest"
)]
fn whole(value: f64) -> u64 {
    value as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::fluent_bit::metrics::{read_instances, read_values};

    fn body(capture: &'static str) -> &'static str {
        capture.split_once("\r\n\r\n").or_else(|| capture.split_once("\n\n")).unwrap().1
    }

    #[test]
    fn given_captured_answers_when_counted_then_each_component_has_its_numbers() {
        let mut seen = Observation::default();
        let instances = body(include_str!("../../../tests/data/fluent-bit/v1_metrics.txt"));
        read_instances(instances.as_bytes(), &mut seen).unwrap();
        assert_eq!(counters(&seen), [], "no value is known yet");
        read_values(
            body(include_str!("../../../tests/data/fluent-bit/v2_metrics_prometheus.txt")),
            &mut seen,
        );
        let found: Vec<_> =
            counters(&seen).into_iter().map(|(name, counters)| (name, counters.numbers())).collect();
        let expected = [
            ("filter:keep_info", [50, 0, 0, 0, 0, 0]),
            ("input:cpu.1", [9, 1791, 0, 0, 0, 9]),
            ("input:gen", [50, 1650, 0, 0, 0, 1]),
            ("input:storage_backlog.2", [0; 6]),
            ("output:deadhttp", [0, 0, 0, 8, 0, 0]),
            ("output:sink", [45, 1485, 0, 0, 0, 0]),
        ];
        assert_eq!(found, expected.map(|(name, numbers)| (name.to_owned(), numbers)));
    }

    #[test]
    fn given_values_that_are_no_counts_when_read_then_they_are_bounded() {
        for (value, count) in
            [(-1.0, 0), (f64::NAN, 0), (f64::INFINITY, u64::MAX), (1e30, u64::MAX), (2.9, 2)]
        {
            let metrics = Metrics::from([("input_records_total", value)]);
            assert_eq!(of("input:a", &metrics).records, count, "{value}");
        }
    }
}

//! The JSON bodies.

use crate::fake_fluent_bit::snapshot::{Health, InputStat, Snapshot};

/// `/api/v1/uptime`.
pub(super) fn uptime(seconds: u64) -> String {
    let counted = |count: u64, unit: &str| format!("{count} {unit}{}", if count > 1 { "s" } else { "" });
    let said = format!(
        "{}, {}, {} and {}",
        counted(seconds / 86_400, "day"),
        counted(seconds / 3600 % 24, "hour"),
        counted(seconds / 60 % 60, "minute"),
        counted(seconds % 60, "second"),
    );
    format!("{{\"uptime_sec\":{seconds},\"uptime_hr\":\"Fluent Bit has been running:  {said}\"}}")
}

/// `/api/v1/metrics`. Instances of one name overwrite each other, as in the real maps.
pub(super) fn v1(state: &Snapshot) -> String {
    let inputs = state.inputs.iter().map(|input| {
        let body = format!("{{\"records\":{},\"bytes\":{}}}", input.records, input.bytes);
        (input.name.as_str(), body)
    });
    let filters = state.filters.iter().map(|filter| {
        let body = format!(
            "{{\"drop_records\":{},\"add_records\":0,\"records\":{},\"bytes\":0,\"drop_bytes\":{}}}",
            filter.drop_records, filter.records, filter.drop_bytes
        );
        (filter.name.as_str(), body)
    });
    let outputs = state.outputs.iter().map(|output| {
        let body = format!(
            "{{\"proc_records\":{},\"proc_bytes\":{},\"errors\":{},\"retries\":{},\"retries_failed\":{},\
             \"dropped_records\":{},\"retried_records\":{}}}",
            output.proc_records,
            output.proc_bytes,
            output.errors,
            output.retries,
            output.retries_failed,
            output.dropped_records,
            output.retried_records
        );
        (output.name.as_str(), body)
    });
    format!(
        "{{\"input\":{{{}}},\"filter\":{{{}}},\"output\":{{{}}}}}",
        members(inputs),
        members(filters),
        members(outputs)
    )
}

/// `/api/v1/storage`.
pub(super) fn storage(state: &Snapshot) -> String {
    let total: u64 = state.inputs.iter().map(|input| input.chunks).sum();
    let inputs = state.inputs.iter().map(|input| (input.name.as_str(), input_storage(input)));
    format!(
        "{{\"storage_layer\":{{\"chunks\":{{\"total_chunks\":{total},\"mem_chunks\":{total},\"fs_chunks\":0,\
         \"fs_chunks_up\":0,\"fs_chunks_down\":0}}}},\"input_chunks\":{{{}}}}}",
        members(inputs)
    )
}

fn input_storage(input: &InputStat) -> String {
    format!(
        "{{\"status\":{{\"overlimit\":false,\"mem_size\":\"{}\",\"mem_limit\":\"0b\"}},\"chunks\":{{\"total\":{},\
         \"up\":{},\"down\":0,\"busy\":{},\"busy_size\":\"{}\"}}}}",
        human(input.chunk_bytes),
        input.chunks,
        input.chunks,
        input.busy,
        human(input.busy_bytes)
    )
}

/// `/api/v2/health`.
pub(super) fn health(health: &Health) -> String {
    let status = if health.is_ok() { "ok" } else { "error" };
    format!(
        "{{\"status\":\"{status}\",\"errors\":{},\"retries_failed\":{},\"error_limit\":{},\
         \"retry_failure_limit\":{},\"period_limit\":{}}}",
        health.errors, health.retries_failed, health.error_limit, health.retry_limit, health.period
    )
}

/// `165b`, `1.7K`: the real one's sizes for people.
pub(super) fn human(bytes: u64) -> String {
    if bytes < 1024 {
        return format!("{bytes}b");
    }
    let units = ["K", "M", "G", "T"];
    let power = (bytes.ilog2() / 10).clamp(1, 4);
    let unit = units.get(power as usize - 1).copied().unwrap_or_default();
    // Sizes here are far below 2^52, where a double counts exactly.
    format!("{:.1}{unit}", bytes as f64 / 1024_f64.powi(power as i32))
}

fn members<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> String {
    let mut seen: Vec<(&str, String)> = Vec::new();
    for (name, body) in pairs {
        match seen.iter_mut().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = body,
            None => seen.push((name, body)),
        }
    }
    let texts: Vec<String> =
        seen.into_iter().map(|(name, body)| format!("{}:{body}", serde_json::Value::from(name))).collect();
    texts.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_uptimes_when_told_then_the_words_are_the_captured_ones() {
        let cases = [
            (1, "0 day, 0 hour, 0 minute and 1 second"),
            (10, "0 day, 0 hour, 0 minute and 10 seconds"),
            (0, "0 day, 0 hour, 0 minute and 0 second"),
        ];
        for (seconds, said) in cases {
            assert!(uptime(seconds).contains(said), "{}", uptime(seconds));
        }
    }

    #[test]
    fn given_sizes_when_told_then_they_are_the_captured_ones() {
        for (bytes, said) in [(0, "0b"), (165, "165b"), (1791, "1.7K"), (1592, "1.6K")] {
            assert_eq!(human(bytes), said);
        }
    }
}

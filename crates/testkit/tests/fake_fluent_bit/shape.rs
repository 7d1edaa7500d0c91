//! Comparing answers with captures by their shape: numbers differ, words do not.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// A captured file.
pub(crate) fn capture(name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/fluent-bit");
    std::fs::read_to_string(folder.join(name)).unwrap_or_default().replace("\r\n", "\n")
}

/// Head and body of a captured answer.
pub(crate) fn parts(capture: &str) -> (String, String) {
    let (head, body) = capture.split_once("\n\n").unwrap_or((capture, ""));
    (head.trim_end().to_owned(), body.to_owned())
}

/// A head without the length's number.
pub(crate) fn head(text: &str) -> Vec<String> {
    let line = |line: &str| {
        let line = line.trim_end();
        if line.starts_with("content-length") { "content-length".to_owned() } else { line.to_owned() }
    };
    text.lines().map(line).collect()
}

/// A JSON text with every number and text replaced by its kind; keys in order.
pub(crate) fn skeleton(text: &str) -> String {
    fn of(value: &Value) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Number(_) => "number".to_owned(),
            Value::String(_) => "text".to_owned(),
            Value::Array(items) => format!("[{}]", items.first().map(of).unwrap_or_default()),
            Value::Object(map) => {
                let pairs: Vec<String> =
                    map.iter().map(|(key, value)| format!("{key}:{}", of(value))).collect();
                format!("{{{}}}", pairs.join(","))
            }
        }
    }
    serde_json::from_str(text).map_or_else(|_| format!("not JSON: {text}"), |value| of(&value))
}

/// The families and series of a metrics text, without values, times and the host's name.
pub(crate) fn series(text: &str) -> BTreeSet<String> {
    text.lines().map(one_series).filter(|line| !is_passing(line)).collect()
}

fn one_series(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    // The v2 text begins with a time.
    let line = line.split_once("Z fluentbit").map_or(line.to_owned(), |(_, rest)| format!("fluentbit{rest}"));
    let end = line.rfind('}').filter(|_| !line.contains(" = {")).map(|end| end + 1);
    let end = end.or_else(|| line.find(' ')).unwrap_or(line.len());
    let name = line.get(..end).unwrap_or(&line);
    let host =
        name.split_once("hostname=\"").and_then(|(_, rest)| rest.split_once('"')).map(|(host, _)| host);
    host.map_or(name.to_owned(), |host| name.replace(host, "HOST"))
}

/// Series that come and go with deliveries (the fake has no back-pressure family).
fn is_passing(line: &str) -> bool {
    ["fluentbit_routing_", "_latency_seconds", "_backpressure_wait_seconds"]
        .iter()
        .any(|part| line.contains(part))
}

/// Log lines without times, numbers of processes and the tails that differ by build.
pub(crate) fn log_lines(text: &str) -> Vec<String> {
    let line = |line: &str| -> Option<String> {
        let (_, rest) = line.strip_prefix('[')?.split_once("] ")?;
        let rest = rest.split(" pid=").next()?.split(", commit=").next()?;
        let rest = if rest.contains("[simd") { "[ info] [simd" } else { rest };
        // Where the listener's address stands, the port differs.
        Some(rest.split("tcp_port=").next()?.trim_end().to_owned())
    };
    text.lines().filter_map(line).collect()
}

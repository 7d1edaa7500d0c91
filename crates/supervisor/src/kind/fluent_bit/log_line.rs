//! What the lines of Fluent Bit's log mean (fluent-bit.md, "Validation" and "Hot reload").

use crate::kind::LineVerdict;

/// Judges one line.
pub(super) fn judge(line: &str) -> LineVerdict {
    if line.starts_with("reloading is aborted") {
        return LineVerdict::ReloadAborted;
    }
    // A complaint of the file layer has neither time nor level.
    if line.starts_with('[') && line.contains(" errno=28] ") {
        return LineVerdict::StorageFault;
    }
    if message(line).ends_with("[reload] stop everything of the old context") {
        return LineVerdict::ReloadPastReturn;
    }
    let Some(said) = error_text(line) else { return LineVerdict::Quiet };
    if said.starts_with("reloading in progress") {
        // The answer to a signal that came while a reload runs.
        LineVerdict::Quiet
    } else if said.contains("Reloading is halted") {
        LineVerdict::ReloadHalted
    } else if said.contains("Reloading is aborted") {
        LineVerdict::ReloadAborted
    } else if STORAGE_FAULTS.iter().any(|fault| said.contains(fault)) {
        LineVerdict::StorageFault
    } else if said.starts_with("[config]")
        || said.starts_with("[reload]")
        || said.ends_with(", aborting.")
        || CONFIG_ERRORS.iter().any(|fault| said.contains(fault))
    {
        LineVerdict::ConfigError
    } else {
        LineVerdict::Error
    }
}

/// A line without its time, for a report.
pub(super) fn message(line: &str) -> &str {
    let rest = line.split_once("] ").filter(|(time, _)| is_time(time)).map_or(line, |(_, rest)| rest);
    rest.trim()
}

/// What follows `[error] ` in a line of that level.
fn error_text(line: &str) -> Option<&str> {
    let rest = message(line);
    let (level, said) = rest.strip_prefix('[')?.split_once(']')?;
    (level.trim() == "error").then(|| said.trim_start())
}

fn is_time(text: &str) -> bool {
    // "[2026/11/22 09:57:36.467"; out_stdout's records begin with "[0" and must not pass for log lines.
    text.len() >= 20 && text.starts_with('[') && text.get(5..6) == Some("/")
}

const STORAGE_FAULTS: [&str; 4] = [
    "no available chunk",
    "could not create chunk file",
    "cannot adjust chunk size",
    "No space left on device",
];

/// Said by the engine and by plugins that cannot start with what the config says.
const CONFIG_ERRORS: [&str; 7] = [
    "initialization failed",
    "ailed initialize",
    "could not start HTTP server",
    "could not bind address",
    "configuration file contains errors",
    "yaml error",
    "is not registered",
];

#[cfg(test)]
mod tests {
    use super::*;
    use LineVerdict::{
        ConfigError, Error, Quiet, ReloadAborted, ReloadHalted, ReloadPastReturn, StorageFault,
    };

    #[test]
    fn given_lines_when_judged_then_each_gets_its_meaning() {
        for (line, expect) in [
            ("[2026/11/22 09:57:36] [engine] caught signal (SIGHUP)", Quiet),
            ("[2026/11/22 09:57:36.467] [ info] reloading instance pid=902 tid=0x7f479feeaa40", Quiet),
            ("[2026/11/22 10:00:48.188] [ warn] Cannot listen on 127.0.0.1 port 2999", Quiet),
            (
                "[2026/11/22 09:57:36.467] [error] [reload] reloaded config is invalid. Reloading is halted",
                ReloadHalted,
            ),
            (
                "[2026/11/22 09:56:59.058] [error] [config] invalid YAML in file c.yaml at line 15, column 6",
                ConfigError,
            ),
            (
                "[2026/11/22 09:58:10.186] [error] [reload] loaded configuration contains error(s). Reloading is aborted",
                ReloadAborted,
            ),
            ("reloading is aborted and exit", ReloadAborted),
            ("[2026/11/22 09:58:31.713] [error] invalid flush value, aborting.", ConfigError),
            ("[2026/11/22 15:42:35.388] [error] reloading in progress, aborting.", Quiet),
            (
                "[2026/11/22 10:00:47.545] [ info] [reload] stop everything of the old context",
                ReloadPastReturn,
            ),
            ("[2026/11/22 09:58:09.185] [error] Failed initialize filter grep.0", ConfigError),
            ("[2026/11/22 10:00:44.192] [error] failed initialize input forward.1", ConfigError),
            (
                "[2026/11/22 09:58:22.189] [error] [input:tail:tail.0] parser 'x' is not registered",
                ConfigError,
            ),
            (
                "[2026/11/22 10:01:35.186] [error] [output:http:http.0] no upstream connections available to 127.0.0.1:9",
                Error,
            ),
            ("[2026/11/22 10:06:54.746] [error] [input chunk] no available chunk", StorageFault),
            ("[/usr/src/fluent-bit:564 errno=28] No space left on device", StorageFault),
            ("{\"log\":\"[error] [config] this is a record that out_stdout printed\"}", Quiet),
            ("[0] dummy.0: [[1.0, {}], {\"m\"=>\"[error] x\"}]", Quiet),
            ("[0] [error] [config] a tag: [[1.0, {}], {\"m\"=>\"No space left on device\"}]", Quiet),
            ("[2026/11/22 10:06:54.746] [error] [x] write failed: No space left on device", StorageFault),
            ("", Quiet),
        ] {
            assert_eq!(judge(line), expect, "{line}");
        }
    }

    #[test]
    fn given_captured_logs_when_judged_then_the_fatal_lines_are_found() {
        let captures = [
            (include_str!("../../../tests/data/fluent-bit/logs/abort_http_port_reload.txt"), ReloadAborted),
            (include_str!("../../../tests/data/fluent-bit/logs/abort_input_port.txt"), ReloadAborted),
            (include_str!("../../../tests/data/fluent-bit/logs/fail_filter_bad_regex.txt"), ReloadAborted),
            (include_str!("../../../tests/data/fluent-bit/logs/fail_unknown_property.txt"), ReloadHalted),
            (include_str!("../../../tests/data/fluent-bit/logs/fail_yaml_syntax.txt"), ConfigError),
            (include_str!("../../../tests/data/fluent-bit/logs/fail_duplicate_service.txt"), ConfigError),
        ];
        for (log, expect) in captures {
            let (_, full) = log.split_once("--- full log ---").unwrap();
            assert!(full.lines().any(|line| judge(line) == expect), "{expect:?} in {full}");
        }
        let (_, good) = include_str!("../../../tests/data/fluent-bit/logs/health_on.txt")
            .split_once("--- full log ---")
            .unwrap();
        assert!(good.lines().all(|line| matches!(judge(line), Quiet | Error)), "{good}");
    }
}

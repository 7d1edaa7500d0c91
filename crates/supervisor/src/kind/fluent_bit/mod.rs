//! Fluent Bit. All facts are in fluent-bit.md, measured on 5.1.1.

mod counters;
mod health;
mod include;
mod inventory;
mod log_line;
mod metrics;
mod own;
mod probe;
mod reach;
mod render;

use std::{ffi::OsString, path::Path, time::Duration};

use rustix::process::Signal;
use tidegate_custom::metrics::Counters;

use super::{
    AgentKind, BoxFuture, Differences, HealthJudge, Inventory, LineVerdict, Observation, OwnTelemetry,
    PickPort, ProbeError, Pulse, RenderError, Rendered, Source, Touch,
};

use crate::child::{Exit, Finished};
pub(crate) use include::matches as glob;

/// The kind `fluent-bit`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FluentBit;

impl AgentKind for FluentBit {
    fn service_name(&self) -> &'static str {
        "fluent-bit"
    }

    fn version_args(&self) -> Vec<OsString> {
        vec!["-V".into()]
    }

    fn read_version(&self, output: &str) -> Option<String> {
        let rest = output.lines().find_map(|line| line.trim().strip_prefix("Fluent Bit v"))?;
        let version = rest.split_whitespace().next()?;
        version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
    }

    fn components_args(&self) -> Option<Vec<OsString>> {
        Some(vec!["-J".into()])
    }

    fn read_components(&self, output: &str) -> Result<Inventory, String> {
        inventory::read(output)
    }

    fn is_main_name(&self, name: &str) -> bool {
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        matches!(name, "fluent-bit.yaml" | "fluent-bit.yml" | "fluent-bit.conf") || stem == "main"
    }

    fn extension(&self, name: &str, content_type: &str, text: &str) -> &'static str {
        render::extension(name, content_type, text)
    }

    fn render(
        &self,
        source: &Source,
        includes: &Path,
        pick_port: &mut PickPort<'_>,
    ) -> Result<Rendered, RenderError> {
        render::render(source, includes, pick_port)
    }

    fn differences(&self, source: &Source, written: &Source) -> Differences {
        render::differences(source, written)
    }

    fn touches(&self, source: &Source) -> Vec<Touch> {
        reach::touches(source)
    }

    fn check_args(&self, config: &Path) -> Vec<OsString> {
        vec!["-q".into(), "--dry-run".into(), "-c".into(), config.into()]
    }

    fn judge_check(&self, finished: &Finished) -> Result<(), String> {
        if finished.exit == Exit::Code(0) {
            return Ok(());
        }
        let complaints: Vec<&str> = finished
            .output
            .lines()
            .filter(|line| log_line::judge(line) != LineVerdict::Quiet)
            .map(log_line::message)
            .collect();
        let said = if complaints.is_empty() { finished.output.trim() } else { &complaints.join("; ") };
        Err(format!("the check {}: {}", finished.exit, crate::text::head(said, 3000)))
    }

    fn start_args(&self, config: &Path, port: u16) -> Vec<OsString> {
        // The file's keys win over flags; the flags hold where an edit of the file by hand drops a key.
        ["-c".into(), config.into()]
            .into_iter()
            .chain(["-H", "-L", "127.0.0.1", "-P"].map(OsString::from))
            .chain([port.to_string().into(), "-Y".into()])
            .collect()
    }

    fn own_telemetry(&self) -> Option<&dyn OwnTelemetry> {
        Some(self)
    }

    fn reload_signal(&self) -> Signal {
        // Never the API: from 2.2.3 to 4.0.3 it answers "in progress" for ever after a broken reload.
        Signal::HUP
    }

    fn reloaded(&self, before: &Pulse, now: &Pulse) -> bool {
        match (before.generation, now.generation) {
            (Some(before), Some(now)) => now > before,
            // Before 2.1.10 there is no count, but the uptime starts anew.
            _ => matches!((before.uptime, now.uptime), (Some(before), Some(now)) if now < before),
        }
    }

    fn judge_line(&self, line: &str) -> LineVerdict {
        log_line::judge(line)
    }

    fn pulse(&self, port: u16, deadline: Duration) -> BoxFuture<'_, Result<Pulse, ProbeError>> {
        Box::pin(probe::pulse(port, deadline))
    }

    fn observe(&self, port: u16, deadline: Duration) -> BoxFuture<'_, Result<Observation, ProbeError>> {
        Box::pin(probe::observe(port, deadline))
    }

    fn counters(&self, observation: &Observation) -> Vec<(String, Counters)> {
        counters::counters(observation)
    }

    fn judge(&self) -> Box<dyn HealthJudge> {
        Box::new(health::Judge::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_a_binary_prints_when_read_then_only_fluent_bit_has_a_version() {
        let captured = include_str!("../../../tests/data/fluent-bit/version.txt");
        for (output, expect) in [
            (captured, Some("5.1.1")),
            ("Fluent Bit v2.1.10\nGit commit: abc", Some("2.1.10")),
            ("fluentd 1.18.0", None),
            ("Fluent Bit v", None),
            ("", None),
        ] {
            assert_eq!(FluentBit.read_version(output).as_deref(), expect, "{output}");
        }
    }

    #[test]
    fn given_a_check_that_fails_when_judged_then_the_agents_words_come_through() {
        let output = "[2026/11/22 09:57:35.229] [error] [config] dummy: unknown configuration property 'x'\n";
        let finished = Finished { exit: Exit::Code(1), output: output.into() };
        let said = FluentBit.judge_check(&finished).unwrap_err();
        assert_eq!(
            said,
            "the check exited with code 1: [error] [config] dummy: unknown configuration property 'x'"
        );
        let quiet = Finished { exit: Exit::Code(1), output: "parsers are not allowed here\n".into() };
        assert!(FluentBit.judge_check(&quiet).unwrap_err().ends_with("parsers are not allowed here"));
        let fine = Finished { exit: Exit::Code(0), output: "configuration test is successful\n".into() };
        assert_eq!(FluentBit.judge_check(&fine), Ok(()));
    }

    #[test]
    fn given_pulses_when_compared_then_count_decides_and_uptime_where_there_is_none() {
        let pulse = |generation, uptime| Pulse { generation, uptime };
        for (before, now, expect) in [
            (pulse(Some(0), Some(9)), pulse(Some(0), Some(1)), false),
            (pulse(Some(0), Some(9)), pulse(Some(1), Some(10)), true),
            (pulse(None, Some(9)), pulse(None, Some(1)), true),
            (pulse(None, Some(9)), pulse(None, Some(9)), false),
            (pulse(None, None), pulse(None, None), false),
        ] {
            assert_eq!(FluentBit.reloaded(&before, &now), expect, "{before:?} {now:?}");
        }
    }
}

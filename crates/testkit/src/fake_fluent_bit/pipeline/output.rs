//! Outputs: what they take, and what became of it.

use super::Sink;
use super::chunk::Task;
use crate::fake_fluent_bit::config::Instance;
use crate::fake_fluent_bit::glob::Pattern;
use crate::fake_fluent_bit::snapshot::OutputStat;

/// One running output.
#[derive(Debug)]
pub struct Output {
    pub(super) stat: OutputStat,
    /// The plugin's name.
    pub(super) plugin: String,
    pub(super) pattern: Pattern,
    pub(super) sink: Sink,
    /// How often a failed delivery is tried again; `None` is for ever.
    pub(super) retry_limit: Option<u64>,
    pub(super) tasks: Vec<Task>,
}

impl Output {
    pub(super) fn new(instance: &Instance) -> Self {
        let retry_limit = match instance.get("retry_limit").map(str::to_ascii_lowercase).as_deref() {
            Some("no_limits" | "false" | "off") => None,
            Some("no_retries") => Some(0),
            Some(text) => Some(text.parse().unwrap_or(1)),
            None => Some(1),
        };
        Self {
            stat: OutputStat { name: instance.name.clone(), ..OutputStat::default() },
            plugin: instance.plugin.clone(),
            pattern: Pattern::of(instance.get("match"), instance.get("match_regex")),
            sink: Sink::of(instance),
            retry_limit,
            tasks: Vec::new(),
        }
    }
}

//! Inputs: where records come from.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::Record;
use crate::fake_fluent_bit::config::Instance;
use crate::fake_fluent_bit::snapshot::InputStat;

/// The most records that one look at the clock may add, however late it comes.
const MAX_AT_ONCE: u64 = 10_000;

/// What an input does by itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// `dummy`: so many records a second.
    Dummy {
        /// The record's map.
        body: Value,
        /// Records per second.
        rate: f64,
        /// How many in all; `None` is without end.
        samples: Option<u64>,
        /// How many so far.
        made: u64,
    },
    /// Nothing, or what comes in through a listener.
    Quiet,
}

/// One running input.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) stat: InputStat,
    pub(super) tag: String,
    pub(super) source: Source,
    /// Records that wait for the flush, by tag.
    pub(super) waiting: BTreeMap<String, Vec<Record>>,
    /// Totals one second ago, for the rates.
    pub(super) second_ago: (u64, u64),
}

impl Input {
    pub(super) fn new(instance: &Instance) -> Self {
        let source = match instance.plugin.as_str() {
            "dummy" => dummy(instance),
            _ => Source::Quiet,
        };
        Self {
            stat: InputStat {
                name: instance.name.clone(),
                plugin: instance.plugin.clone(),
                records: 0,
                bytes: 0,
                rate_records: 0,
                rate_bytes: 0,
                paused: false,
                chunks: 0,
                chunk_bytes: 0,
                busy: 0,
                busy_bytes: 0,
            },
            // The default tag is the instance's number, whatever its alias.
            tag: instance.get("tag").unwrap_or(&instance.numbered).to_owned(),
            source,
            waiting: BTreeMap::new(),
            second_ago: (0, 0),
        }
    }

    /// What is due after this long.
    pub(super) fn make(&mut self, age: Duration) -> Vec<Record> {
        let Source::Dummy { body, rate, samples, made } = &mut self.source else {
            return Vec::new();
        };
        if self.stat.paused {
            return Vec::new();
        }
        // A float to integer cast saturates, and the count stays small in any test.
        let due = (age.as_secs_f64() * *rate) as u64;
        let due = samples.map_or(due, |samples| due.min(samples));
        let missing = due.saturating_sub(*made).min(MAX_AT_ONCE);
        *made += missing;
        (0..missing).map(|_| Record::now(body.clone())).collect()
    }
}

fn dummy(instance: &Instance) -> Source {
    let written = instance.get("dummy").and_then(|text| serde_json::from_str(text).ok());
    let number = |key: &str| instance.get(key).and_then(|text| text.trim().parse::<f64>().ok());
    let rate = number("rate").filter(|rate| *rate > 0.0).unwrap_or(1.0);
    let interval = number("interval_sec").filter(|seconds| *seconds > 0.0).unwrap_or(1.0);
    let copies = number("copies").filter(|copies| *copies >= 1.0).unwrap_or(1.0);
    Source::Dummy {
        body: written.unwrap_or_else(|| serde_json::json!({"message": "dummy"})),
        rate: rate * copies / interval,
        // A value that is not a number reads as 0, which is without end.
        samples: instance
            .get("samples")
            .and_then(|text| text.trim().parse().ok())
            .filter(|samples| *samples > 0),
        made: 0,
    }
}

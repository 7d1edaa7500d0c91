//! The pipeline's state. Deliveries happen outside of it, so that the API answers while one blocks.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::chunk::{Chunk, Task};
use super::filter::Filter;
use super::input::Input;
use super::{Output, Record};
use crate::fake_fluent_bit::config::{Instance, Loaded};
use crate::fake_fluent_bit::snapshot::{FilterStat, InputStat, OutputStat, RouteStat};

/// Everything that runs.
#[derive(Debug)]
pub struct Pipeline {
    pub(super) inputs: Vec<Input>,
    pub(super) filters: Vec<Filter>,
    pub(super) outputs: Vec<Output>,
    routes: Vec<RouteStat>,
    /// Totals of errors and abandoned retries, one a second.
    window: VecDeque<(u64, u64)>,
    period: usize,
}

/// The pipeline's counters.
#[derive(Debug, Clone, Default)]
pub struct Stats {
    /// By input.
    pub inputs: Vec<InputStat>,
    /// By filter.
    pub filters: Vec<FilterStat>,
    /// By output.
    pub outputs: Vec<OutputStat>,
    /// By input and output.
    pub routes: Vec<RouteStat>,
    /// Errors and abandoned retries within the health window.
    pub failures: (u64, u64),
}

/// A line for the engine's log: error or warning.
#[derive(Debug)]
pub(super) enum Said {
    Error(String),
    Warn(String),
}

impl Pipeline {
    /// Builds the pipeline; gives the instance and the pattern of a `grep` that does not compile.
    ///
    /// # Errors
    /// With that instance and pattern.
    pub fn new(loaded: &Loaded, period: u64) -> Result<Self, (Instance, String)> {
        let mut filters = Vec::new();
        for instance in &loaded.filters {
            filters.push(Filter::new(instance).map_err(|pattern| (instance.clone(), pattern))?);
        }
        Ok(Self {
            inputs: loaded.inputs.iter().map(Input::new).collect(),
            filters,
            outputs: loaded.outputs.iter().map(Output::new).collect(),
            routes: Vec::new(),
            window: VecDeque::new(),
            period: usize::try_from(period).unwrap_or(60).clamp(1, 86_400),
        })
    }

    /// Takes what came in: counts it, filters it, keeps it for the flush.
    pub fn ingest(&mut self, input: usize, tag: Option<&str>, records: Vec<Record>) {
        let Some(input) = self.inputs.get_mut(input) else { return };
        let tag = tag.unwrap_or(&input.tag).to_owned();
        for record in records {
            let bytes = record.bytes();
            input.stat.records += 1;
            input.stat.bytes += bytes;
            let mut filters = self.filters.iter_mut().filter(|filter| filter.pattern.takes(&tag));
            let kept = filters.all(|filter| {
                filter.stat.records += 1;
                let keeps = filter.rule.keeps(&record.body);
                if !keeps {
                    filter.stat.drop_records += 1;
                    filter.stat.drop_bytes += bytes;
                }
                keeps
            });
            if kept {
                input.waiting.entry(tag.clone()).or_default().push(record);
            }
        }
    }

    /// Lets the inputs make what is due.
    pub(super) fn make(&mut self, age: Duration) {
        for index in 0..self.inputs.len() {
            let made = self.inputs.get_mut(index).map(|input| input.make(age)).unwrap_or_default();
            self.ingest(index, None, made);
        }
    }

    /// Stops the inputs.
    pub fn pause(&mut self) {
        for input in &mut self.inputs {
            input.stat.paused = true;
        }
    }

    /// Turns waiting records into tasks of the outputs that match.
    pub(super) fn flush(&mut self, now: Instant) {
        for index in 0..self.inputs.len() {
            let waiting = self.inputs.get_mut(index).map(|input| std::mem::take(&mut input.waiting));
            for (tag, records) in waiting.unwrap_or_default() {
                let bytes = records.iter().map(Record::bytes).sum();
                let chunk = Arc::new(Chunk { name: chunk_name(), input: index, tag, records, bytes });
                let id = self.free_id();
                for output in self.outputs.iter_mut().filter(|output| output.pattern.takes(&chunk.tag)) {
                    output.tasks.push(Task { id, chunk: Arc::clone(&chunk), attempts: 0, due: now });
                }
            }
        }
    }

    fn free_id(&self) -> usize {
        let taken =
            |id: &usize| self.outputs.iter().flat_map(|output| &output.tasks).any(|task| task.id == *id);
        (0..).find(|id| !taken(id)).unwrap_or_default()
    }

    /// The tasks of one output that are due.
    pub(super) fn due(&self, output: usize, now: Instant) -> Vec<Task> {
        let tasks = self.outputs.get(output).map(|output| output.tasks.as_slice()).unwrap_or_default();
        tasks.iter().filter(|task| task.due <= now).cloned().collect()
    }

    /// Books a delivery.
    pub(super) fn delivered(&mut self, index: usize, done: &Task) {
        let chunk = &done.chunk;
        let Some(output) = self.outputs.get_mut(index) else { return };
        output.tasks.retain(|task| !Arc::ptr_eq(&task.chunk, chunk));
        output.stat.proc_records += chunk.count();
        output.stat.proc_bytes += chunk.bytes;
        let from = self.inputs.get(chunk.input).map(|input| input.stat.name.clone()).unwrap_or_default();
        let to = output.stat.name.clone();
        let known = self.routes.iter().position(|route| route.input == from && route.output == to);
        let place = known.unwrap_or_else(|| {
            self.routes.push(RouteStat { input: from, output: to, records: 0, bytes: 0, chunks: 0 });
            self.routes.len() - 1
        });
        if let Some(route) = self.routes.get_mut(place) {
            route.records += chunk.count();
            route.bytes += chunk.bytes;
            route.chunks += 1;
        }
    }

    /// Books a failed delivery, and says what the real one says about it.
    pub(super) fn failed(&mut self, index: usize, failed: &Task, now: Instant) -> Vec<Said> {
        let chunk = &failed.chunk;
        let from = self.inputs.get(chunk.input).map(|input| input.stat.name.clone()).unwrap_or_default();
        let Some(output) = self.outputs.get_mut(index) else { return Vec::new() };
        let (to, id, name) = (output.stat.name.clone(), failed.id, &chunk.name);
        let mut said = Vec::new();
        if let super::Sink::Peer { host, port } = &output.sink {
            let plugin = &output.plugin;
            said.push(Said::Error(format!(
                "[output:{plugin}:{to}] no upstream connections available to {host}:{port}"
            )));
        }
        let spent = output.retry_limit.is_some_and(|limit| failed.attempts >= limit);
        if spent {
            output.tasks.retain(|task| !Arc::ptr_eq(&task.chunk, chunk));
            output.stat.retries_failed += 1;
            output.stat.dropped_records += chunk.count();
            said.push(Said::Error(format!(
                "[engine] chunk '{name}' cannot be retried: task_id={id}, input={from} > output={to}"
            )));
            return said;
        }
        let wait = 1 + failed.attempts.min(1);
        for task in output.tasks.iter_mut().filter(|task| Arc::ptr_eq(&task.chunk, chunk)) {
            task.attempts += 1;
            task.due = now + Duration::from_secs(wait);
        }
        output.stat.retries += 1;
        output.stat.retried_records += chunk.count();
        said.push(Said::Warn(format!(
            "[engine] failed to flush chunk '{name}', retry in {wait} seconds: task_id={id}, input={from} > output={to} \
             (out_id={index})"
        )));
        said
    }

    /// How many chunks wait for a delivery, or for the flush.
    #[must_use]
    pub fn undelivered(&self) -> usize {
        let tasks: usize = self.outputs.iter().map(|output| output.tasks.len()).sum();
        tasks + self.inputs.iter().map(|input| input.waiting.len()).sum::<usize>()
    }

    /// Once a second: rates and the health window.
    pub(super) fn second(&mut self) {
        for input in &mut self.inputs {
            let (records, bytes) = input.second_ago;
            input.stat.rate_records = input.stat.records.saturating_sub(records);
            input.stat.rate_bytes = input.stat.bytes.saturating_sub(bytes);
            input.second_ago = (input.stat.records, input.stat.bytes);
        }
        if self.window.len() >= self.period {
            self.window.pop_front();
        }
        self.window.push_back(self.totals());
    }

    fn totals(&self) -> (u64, u64) {
        let errors = self.outputs.iter().map(|output| output.stat.errors).sum();
        let failed = self.outputs.iter().map(|output| output.stat.retries_failed).sum();
        (errors, failed)
    }

    /// The counters of this moment.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let oldest = self.window.front().copied().unwrap_or_default();
        let newest = self.window.back().copied().unwrap_or_default();
        Stats {
            inputs: (0..self.inputs.len()).filter_map(|index| self.input_stat(index)).collect(),
            filters: self.filters.iter().map(|filter| filter.stat.clone()).collect(),
            outputs: self.outputs.iter().map(|output| output.stat.clone()).collect(),
            routes: self.routes.clone(),
            failures: (newest.0.saturating_sub(oldest.0), newest.1.saturating_sub(oldest.1)),
        }
    }

    fn input_stat(&self, index: usize) -> Option<InputStat> {
        let input = self.inputs.get(index)?;
        let mut stat = input.stat.clone();
        stat.chunks = input.waiting.len() as u64;
        stat.chunk_bytes = input.waiting.values().flatten().map(Record::bytes).sum();
        let mut ids = Vec::new();
        for task in self.outputs.iter().flat_map(|output| &output.tasks) {
            if task.chunk.input == index && !ids.contains(&task.id) {
                ids.push(task.id);
                stat.busy += 1;
                stat.busy_bytes += task.chunk.bytes;
            }
        }
        stat.chunks += stat.busy;
        stat.chunk_bytes += stat.busy_bytes;
        Some(stat)
    }
}

fn chunk_name() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{}-{}.{:09}.flb", std::process::id(), now.as_secs(), now.subsec_nanos())
}

//! Chunks: records of one input and tag on their way to outputs.

use std::sync::Arc;
use std::time::Instant;

use super::Record;

/// Records that are flushed together.
#[derive(Debug)]
pub(super) struct Chunk {
    /// `PID-SECONDS.NANOS.flb`
    pub(super) name: String,
    /// The index of its input.
    pub(super) input: usize,
    pub(super) tag: String,
    pub(super) records: Vec<Record>,
    pub(super) bytes: u64,
}

impl Chunk {
    pub(super) fn count(&self) -> u64 {
        self.records.len() as u64
    }
}

/// One chunk for one output.
#[derive(Debug, Clone)]
pub(super) struct Task {
    /// The smallest number that was free.
    pub(super) id: usize,
    pub(super) chunk: Arc<Chunk>,
    /// Failed deliveries so far.
    pub(super) attempts: u64,
    /// When to try (again).
    pub(super) due: Instant,
}

//! The past of agents' metrics: apart from the truth, bounded, and no loss when it is lost (decision D12).

use std::time::Duration;

use tidegate_fleet::Timestamp;
use tidegate_fleet::metrics::Block;
use tidegate_opamp::InstanceUid;

use crate::StoreError;

/// How much of the past is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryBounds {
    /// Most bytes of its file; the oldest goes first.
    pub bytes: u64,
    /// How far it reaches back.
    pub retention: Duration,
}

/// What a flush did, and how the history stands after it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flushed {
    /// Blocks that were written.
    pub written: usize,
    /// Blocks that were removed, for their age or for want of room.
    pub removed: usize,
    /// Blocks that were dropped since the last flush, for too many waited.
    pub dropped: usize,
    /// Bytes in use.
    pub bytes: u64,
}

/// Where the past lies. Blocks are put in at once and written in groups; what cannot be written is dropped.
pub trait History: Send + Sync + 'static {
    /// Takes a block; it can be read from now on, and is written with the next flush. Beyond a bound it is dropped.
    fn put(&self, block: Block);

    /// Writes what waits in one transaction, then removes what is too old or too much, a bounded number of blocks at a
    /// time. Blocks the thread.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be written; what waited is lost then.
    fn flush(&self, now: Timestamp) -> Result<Flushed, StoreError>;

    /// The blocks of an agent that reach into a span, oldest first. Blocks the thread.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be read.
    fn read(&self, agent: &InstanceUid, from: Timestamp, to: Timestamp) -> Result<Vec<Block>, StoreError>;
}

//! How a store fares.

use std::time::{Duration, Instant};

/// How a store fares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Bytes of what is stored, free pages among them; a log that is not folded in yet is not counted.
    pub bytes: u64,
    /// Transactions that were stored since it was opened.
    pub transactions: u64,
    /// The last commit to disk.
    pub last_commit: Option<LastCommit>,
}

/// A commit: one or several transactions that share a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastCommit {
    /// When it was on disk.
    pub ended: Instant,
    /// How long it took.
    pub took: Duration,
    /// How many transactions were in it.
    pub transactions: usize,
}

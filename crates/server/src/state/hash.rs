//! The hash of the maps on the hot path: keyed, so that nobody can aim at one bucket, and fast.

/// A keyed hasher, seeded once a process.
pub(crate) type FastHash = foldhash::quality::RandomState;

//! Counters of agents' components over time: what a digest adds to the ones before, and what rates that makes.
//!
//! ```text
//! digest → Samples (the last two, and the points since) ─┬→ rates now
//!                                                        └→ Block (names and a few points) → history → series
//! ```
//!
//! Counters begin anew with another process, with a reload, and where one falls: what they show then came since.

mod code;
mod point;
mod samples;
mod series;

pub use point::{Block, Point};
pub use samples::{Latest, Samples, TooSoon};
pub use series::{Series, Span, Step, series};

use tidegate_custom::metrics::Counters;

/// What a component counted from one sample to the next; the backlog is the later one's. Of another life all of it
/// came since, and so did all of a counter that fell.
#[must_use]
pub fn increase(now: &Counters, before: &Counters, same_life: bool) -> Counters {
    let rise = |now: u64, before: u64| if same_life && now >= before { now - before } else { now };
    Counters {
        records: rise(now.records, before.records),
        bytes: rise(now.bytes, before.bytes),
        errors: rise(now.errors, before.errors),
        retries: rise(now.retries, before.retries),
        dropped: rise(now.dropped, before.dropped),
        backlog: now.backlog,
    }
}

/// Counts of two spans that follow each other, as one.
#[must_use]
fn sum(earlier: &Counters, later: &Counters) -> Counters {
    Counters {
        records: earlier.records.saturating_add(later.records),
        bytes: earlier.bytes.saturating_add(later.bytes),
        errors: earlier.errors.saturating_add(later.errors),
        retries: earlier.retries.saturating_add(later.retries),
        dropped: earlier.dropped.saturating_add(later.dropped),
        backlog: later.backlog,
    }
}

/// The seconds over which what a sample counted came, when the one before it is `passed` seconds old; `None` when that
/// cannot be told: one is missing, or its config has run for longer than we have known of it.
fn covered(passed: u64, every: u64, same_life: bool, uptime: u64) -> Option<u64> {
    /// Clocks and deliveries that are not exact.
    const SLACK: u64 = 5;
    /// Where a sender does not say how often it sends.
    const USUAL: u64 = 60;
    let every = if every == 0 { USUAL } else { every };
    let is_next = passed <= every.saturating_mul(5) / 2 + SLACK;
    (is_next && (same_life || uptime <= passed + SLACK)).then_some(passed.max(1))
}

#[cfg(test)]
mod tests;

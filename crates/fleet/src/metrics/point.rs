//! What is kept of the past: for spans of about a minute, what each component counted in it.

use std::sync::Arc;

use tidegate_custom::metrics::Counters;
use tidegate_opamp::InstanceUid;

use super::code;
use crate::Timestamp;

/// Points of one agent that follow each other, with the names of its components: the unit in which history is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Whose they are.
    pub agent: InstanceUid,
    /// When the first one begins, whole seconds; their ends are told from here.
    pub from: Timestamp,
    /// When the last one ends.
    pub to: Timestamp,
    /// The components' names, one a line.
    pub names: Arc<[u8]>,
    /// The points, encoded.
    pub points: Box<[u8]>,
}

/// What each component counted in a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    /// When the span ends.
    pub to: Timestamp,
    /// How long it is, in seconds; at least 1.
    pub seconds: u64,
    /// By component, in the order of the names.
    pub counters: Vec<Counters>,
}

impl Block {
    /// The components' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        code::names(&self.names)
    }

    /// The points, oldest first; what cannot be read ends them.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        let (mut rest, count, from) = (&*self.points, code::count(&self.names), self.from);
        std::iter::from_fn(move || take(&mut rest, from, count))
    }
}

/// Adds a point to encoded ones.
pub(super) fn put(out: &mut Vec<u8>, from: Timestamp, point: &Point) {
    code::put(out, point.to.0.saturating_sub(from.0) / 1000);
    code::put(out, point.seconds);
    code::put_row(out, &point.counters);
}

/// Takes the first of encoded points.
pub(super) fn take(bytes: &mut &[u8], from: Timestamp, count: usize) -> Option<Point> {
    if bytes.is_empty() {
        return None;
    }
    let to = Timestamp(from.0.saturating_add(code::take(bytes)?.saturating_mul(1000)));
    let seconds = code::take(bytes)?.max(1);
    Some(Point { to, seconds, counters: code::take_row(bytes, count)? })
}

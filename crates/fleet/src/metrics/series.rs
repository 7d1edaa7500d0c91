//! Points of the past in steps of equal length, with the gaps that there are.

use std::collections::BTreeMap;

use tidegate_custom::metrics::Counters;

use super::point::Block;
use super::sum;
use crate::Timestamp;

/// Which part of the past, and how finely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where the first step begins.
    pub from: Timestamp,
    /// How long a step is, in seconds; at least 1.
    pub step: u64,
    /// How many there are.
    pub steps: usize,
}

/// What a component counted in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// The seconds of it that are known of.
    pub seconds: f64,
    /// What was counted in them; the backlog is the last one.
    pub counted: Counters,
}

impl Step {
    /// A count as a rate, per second.
    #[must_use]
    pub fn rate(&self, count: u64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a rate is no count")]
        let count = count as f64;
        count / self.seconds
    }
}

/// The steps of each component; `None` where nothing is known.
pub type Series = BTreeMap<String, Vec<Option<Step>>>;

/// The series of the components that `wanted` names in blocks, which are given in order of time.
#[must_use]
pub fn series(blocks: &[Block], span: Span, wanted: impl Fn(&str) -> bool) -> Series {
    let mut series = Series::new();
    let begin = span.from.0;
    let step = span.step.max(1).saturating_mul(1000);
    for block in blocks {
        let names: Vec<&str> = block.names().collect();
        for point in block.points() {
            let start = point.to.0.saturating_sub(point.seconds.saturating_mul(1000));
            // A point belongs to the step in which its middle lies, whole: counts are not divided.
            let middle = start + (point.to.0 - start) / 2;
            let Some(place) = middle.checked_sub(begin).map(|past| past / step) else { continue };
            let Some(place) = usize::try_from(place).ok().filter(|place| *place < span.steps) else {
                continue;
            };
            #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
            let seconds = point.seconds as f64;
            for (name, counted) in names.iter().zip(&point.counters).filter(|(name, _)| wanted(name)) {
                let steps = series.entry((*name).to_owned()).or_insert_with(|| vec![None; span.steps]);
                if let Some(slot) = steps.get_mut(place) {
                    let known = slot.unwrap_or_default();
                    *slot = Some(Step {
                        seconds: known.seconds + seconds,
                        counted: sum(&known.counted, counted),
                    });
                }
            }
        }
    }
    series
}

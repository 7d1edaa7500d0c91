//! Whether memory and descriptors stay flat.

use super::Weight;

/// How much resident memory may grow over the steps that are compared, in KiB: what an allocator keeps varies.
const GROWTH: f64 = 1024.0;
/// How many descriptors may be more.
const DESCRIPTORS: u64 = 4;
/// Steps that are too few to say anything.
const FEW: usize = 20;

/// What a run of weights shows of growth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Flatness {
    /// How many weights of one process were compared.
    pub compared: usize,
    /// The first and the last.
    pub ends: (Weight, Weight),
    /// Growth of resident memory by the line that fits best, over all of them, in KiB.
    pub growth_kib: f64,
    /// Most and least descriptors.
    pub descriptors: (u64, u64),
}

impl Flatness {
    /// Looks at the second half of the weights of one process.
    #[must_use]
    pub fn of(weights: &[Weight]) -> Self {
        let half = weights.get(weights.len() / 2..).unwrap_or_default();
        let (Some(first), Some(last)) = (half.first(), half.last()) else { return Self::default() };
        let counts = half.iter().map(|weight| weight.descriptors);
        Self {
            compared: half.len(),
            ends: (*first, *last),
            growth_kib: growth(half),
            descriptors: (counts.clone().max().unwrap_or_default(), counts.min().unwrap_or_default()),
        }
    }

    /// What is wrong.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.compared >= FEW && self.growth_kib > GROWTH {
            faults.push(format!("the supervisor's memory grew by {:.0} KiB", self.growth_kib));
        }
        let (most, least) = self.descriptors;
        if most > least + DESCRIPTORS {
            faults.push(format!("the supervisor's descriptors went from {least} to {most}"));
        }
        faults
    }
}

/// The slope of the line that fits best, times its length.
#[expect(clippy::cast_precision_loss, reason = "counts and KiB are far below 2^52")]
fn growth(weights: &[Weight]) -> f64 {
    let count = weights.len() as f64;
    let middle = (count - 1.0) / 2.0;
    let mean = weights.iter().map(|weight| weight.resident_kib as f64).sum::<f64>() / count;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, weight) in weights.iter().enumerate() {
        let x = at as f64 - middle;
        above += x * (weight.resident_kib as f64 - mean);
        below += x * x;
    }
    if below == 0.0 { 0.0 } else { above / below * (count - 1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(kib: impl Iterator<Item = u64>) -> Vec<Weight> {
        kib.map(|resident_kib| Weight { resident_kib, descriptors: 10 }).collect()
    }

    #[test]
    fn given_weights_when_compared_then_growth_is_told_from_noise() {
        let noisy = Flatness::of(&weights((0..200).map(|at| 9000 + at * 37 % 400)));
        assert_eq!(noisy.faults(), Vec::<String>::new(), "{noisy:?}");
        let growing = Flatness::of(&weights((0..200).map(|at| 9000 + at * 20)));
        assert!((growing.growth_kib - 1980.0).abs() < 1.0, "{growing:?}");
        assert_eq!(growing.faults().len(), 1);
        let mut leaking = weights((0..100).map(|_| 9000));
        leaking[99].descriptors = 40;
        assert_eq!(Flatness::of(&leaking).faults().len(), 1);
    }
}

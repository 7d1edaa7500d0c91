//! Latencies in buckets that grow with them: a sixteenth of precision in a fixed, small place.

use serde::{Deserialize, Serialize};

/// Buckets of each power of two.
const PARTS: u64 = 16;

/// Counts of latencies in microseconds.
#[derive(Clone, Debug)]
pub struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    most: u64,
}

/// What a histogram says, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// How many were measured; the others mean nothing when it is 0.
    pub count: u64,
    /// Half were as fast as this.
    pub p50_ms: f64,
    /// 95 of 100 were.
    pub p95_ms: f64,
    /// 99 of 100 were.
    pub p99_ms: f64,
    /// The slowest.
    pub max_ms: f64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: vec![0; 64 * usize::try_from(PARTS).unwrap_or(16)], count: 0, most: 0 }
    }
}

impl Histogram {
    /// Counts one.
    pub fn note(&mut self, micros: u64) {
        if let Some(bucket) = self.buckets.get_mut(bucket_of(micros)) {
            *bucket += 1;
        }
        self.count += 1;
        self.most = self.most.max(micros);
    }

    /// The upper end of the bucket below which this share of the latencies lies, in microseconds.
    fn at(&self, share: f64) -> u64 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            clippy::cast_sign_loss,
            reason = "counts are far below 2^52 and shares lie between 0 and 1"
        )]
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted.max(1) {
                return upper_end(bucket).min(self.most);
            }
        }
        self.most
    }

    /// What it says.
    #[must_use]
    pub fn percentiles(&self) -> Percentiles {
        #[expect(clippy::cast_precision_loss, reason = "latencies are far below 2^52 µs")]
        let millis = |micros: u64| micros as f64 / 1_000.0;
        Percentiles {
            count: self.count,
            p50_ms: millis(self.at(0.5)),
            p95_ms: millis(self.at(0.95)),
            p99_ms: millis(self.at(0.99)),
            max_ms: millis(self.most),
        }
    }
}

fn bucket_of(micros: u64) -> usize {
    let bucket = if micros < PARTS {
        micros
    } else {
        // The highest bit names the power, the four below it the part.
        let power = u64::from(micros.ilog2());
        (power - 3) * PARTS + ((micros >> (power - 4)) & (PARTS - 1))
    };
    usize::try_from(bucket).unwrap_or(usize::MAX)
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < PARTS {
        return bucket;
    }
    let (power, part) = (bucket / PARTS + 3, bucket % PARTS);
    ((PARTS + part + 1) << (power - 4)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_latencies_when_bucketed_then_each_lies_below_its_bucket_s_end_and_near_it() {
        for micros in [0, 1, 15, 16, 17, 31, 32, 100, 999, 1_000, 65_535, 65_536, 10_000_000_000] {
            let end = upper_end(bucket_of(micros));
            assert!(end >= micros && end - micros <= micros / 16, "{micros} lies at {end}");
        }
    }

    #[test]
    fn given_a_hundred_latencies_when_asked_then_the_percentiles_are_theirs() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentiles(), Percentiles::default());
        (1..=100).for_each(|micros| histogram.note(micros * 1_000));
        let said = histogram.percentiles();
        assert!((49.9..54.0).contains(&said.p50_ms), "{said:?}");
        assert!((94.9..100.1).contains(&said.p95_ms), "{said:?}");
        assert_eq!((said.count, said.max_ms), (100, 100.0));
    }
}

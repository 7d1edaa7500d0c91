//! Randomness that a seed repeats, so that a run can be had again.

use std::time::Duration;

/// A generator of the splitmix64 kind.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// One for a seed and a stream of it: equal pairs give equal numbers.
    #[must_use]
    pub const fn new(seed: u64, stream: u64) -> Self {
        Self(seed ^ stream.wrapping_mul(0xD6E8_FEB8_6659_FD93))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        bits ^ (bits >> 31)
    }

    /// A number below `end`; 0 for an `end` of 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.bits().checked_rem(end).unwrap_or(0)
    }

    /// True with a probability from 0 to 1.
    pub fn chance(&mut self, share: f64) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "53 bits are all that a share can use")]
        let unit = (self.bits() >> 11) as f64 / (1u64 << 53) as f64;
        unit < share
    }

    /// A duration from `least` up to `most`.
    pub fn between(&mut self, least: Duration, most: Duration) -> Duration {
        let span = u64::try_from(most.saturating_sub(least).as_micros()).unwrap_or(u64::MAX);
        least + Duration::from_micros(self.below(span.saturating_add(1)))
    }

    /// A duration within a tenth of `middle`, so that what begins together does not stay together.
    pub fn jittered(&mut self, middle: Duration) -> Duration {
        self.between(middle.mul_f64(0.9), middle.mul_f64(1.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_share_when_many_are_drawn_then_about_as_many_hold() {
        let mut random = Random::new(1, 2);
        let held = (0..10_000).filter(|_| random.chance(0.3)).count();
        assert!((2_800..3_200).contains(&held), "{held}");
        assert!(!random.chance(0.0) && random.chance(1.0));
        let (least, most) = (Duration::from_millis(5), Duration::from_millis(9));
        assert!((0..1_000).all(|_| (least..=most).contains(&random.between(least, most))));
    }
}

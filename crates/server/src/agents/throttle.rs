//! Who polls too fast. A poll has no connection to remember it by, so the agents that are ahead are kept here, for as
//! long as they are.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use parking_lot::Mutex;
use tidegate_opamp::InstanceUid;

use crate::rate::{Allowance, Rate, TooFast};

/// So that no lock is shared by the whole fleet.
const SHARDS: usize = 16;

/// Agents of a shard that are kept before the first look at who has caught up.
const FIRST_SWEEP: usize = 64;

#[derive(Debug)]
struct Shard {
    ahead: HashMap<InstanceUid, Rate>,
    sweep_at: usize,
}

/// The agents that are ahead of what they may send for long.
#[derive(Debug)]
pub(crate) struct Throttle {
    allowance: Allowance,
    begun: Instant,
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

impl Throttle {
    pub(crate) fn new(allowance: Allowance) -> Self {
        let shard = |_| Mutex::new(Shard { ahead: HashMap::new(), sweep_at: FIRST_SWEEP });
        Self {
            allowance,
            begun: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(shard),
        }
    }

    /// Counts a message of an agent that is remembered by someone else.
    pub(crate) fn take(&self, rate: &mut Rate) -> Result<(), TooFast> {
        rate.take(self.now(), self.allowance)
    }

    /// Counts a message of an agent that is remembered by nobody.
    pub(crate) fn take_from(&self, uid: InstanceUid) -> Result<(), TooFast> {
        self.take_at(uid, self.now())
    }

    fn take_at(&self, uid: InstanceUid, now: u64) -> Result<(), TooFast> {
        let index = usize::try_from(self.hasher.hash_one(uid) % SHARDS as u64).unwrap_or(0);
        let mut shard = self.shards[index].lock();
        let taken = shard.ahead.entry(uid).or_default().take(now, self.allowance);
        if shard.ahead.len() >= shard.sweep_at {
            shard.ahead.retain(|_, rate| !rate.is_even(now));
            shard.sweep_at = FIRST_SWEEP.max(2 * shard.ahead.len());
        }
        taken
    }

    fn now(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_very_many_agents_when_each_polls_once_then_only_those_that_are_ahead_are_kept() {
        let throttle = Throttle::new(Allowance::new(1000, 10));
        let mut most = 0;
        for index in 0..100_000_u32 {
            let mut bytes = [1; 16];
            bytes[..4].copy_from_slice(&index.to_be_bytes());
            let uid = InstanceUid::from_bytes(&bytes).unwrap();
            assert_eq!(throttle.take_at(uid, u64::from(index) * 100), Ok(()));
            most = most.max(throttle.shards.iter().map(|shard| shard.lock().ahead.len()).sum());
        }
        assert!(most <= SHARDS * FIRST_SWEEP, "{most} are kept");
        let uid = InstanceUid::from_bytes(&[2; 16]).unwrap();
        let taken = (0..100).filter(|_| throttle.take_at(uid, 20_000_000).is_ok()).count();
        assert_eq!(taken, 10);
    }
}

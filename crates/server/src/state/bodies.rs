//! Bodies that many agents have in common, kept once (decision D5): a fleet runs tens of configs, not one per agent.

use std::collections::HashSet;
use std::hash::BuildHasher;
use std::sync::Arc;

use parking_lot::Mutex;

use super::hash::FastHash;

const SHARDS: usize = 16;

/// Below this many bytes a place in the table costs as much as it saves.
const SHARE_FROM: usize = 48;

/// The table of shared bodies. Holds a reference of its own to each; one that nobody else holds is dropped when its
/// last holder lets go of it, or by [`Bodies::sweep`].
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    hasher: FastHash,
    shards: [Mutex<HashSet<Arc<[u8]>, FastHash>>; SHARDS],
}

impl Bodies {
    fn shard(&self, body: &[u8]) -> &Mutex<HashSet<Arc<[u8]>, FastHash>> {
        // The modulus is the number of shards.
        &self.shards[usize::try_from(self.hasher.hash_one(body) >> 32).unwrap_or(0) % SHARDS]
    }

    /// The one copy of a body.
    pub(crate) fn share(&self, body: &Arc<[u8]>) -> Arc<[u8]> {
        if body.len() < SHARE_FROM {
            return Arc::clone(body);
        }
        let mut shard = self.shard(body).lock();
        match shard.get(body) {
            Some(known) => Arc::clone(known),
            None => {
                shard.insert(Arc::clone(body));
                Arc::clone(body)
            }
        }
    }

    /// Takes back a body that its holder has no more use for.
    pub(crate) fn release(&self, body: &Arc<[u8]>) {
        let mut shard = self.shard(body).lock();
        // One reference is the table's, one the caller's.
        if shard.get(body).is_some_and(|known| Arc::ptr_eq(known, body) && Arc::strong_count(known) <= 2) {
            shard.remove(body);
        }
    }

    /// Drops what nobody holds; returns how many went.
    pub(crate) fn sweep(&self) -> usize {
        let mut dropped = 0;
        for shard in &self.shards {
            let mut shard = shard.lock();
            let before = shard.len();
            shard.retain(|body| Arc::strong_count(body) > 1);
            dropped += before - shard.len();
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(bodies: &Bodies) -> usize {
        bodies.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn body(byte: u8) -> Arc<[u8]> {
        vec![byte; 100].into()
    }

    #[test]
    fn given_equal_bodies_when_shared_then_there_is_one_until_the_last_holder_lets_go() {
        let bodies = Bodies::default();
        let (first, second) = (bodies.share(&body(1)), bodies.share(&body(1)));
        assert!(Arc::ptr_eq(&first, &second));
        assert_eq!(count(&bodies), 1);
        bodies.release(&first);
        assert_eq!(count(&bodies), 1, "another holds it");
        drop(first);
        bodies.release(&second);
        assert_eq!(count(&bodies), 0);
    }

    #[test]
    fn given_bodies_that_nobody_holds_when_swept_then_they_go_and_small_ones_never_came() {
        let bodies = Bodies::default();
        let kept = bodies.share(&body(1));
        drop(bodies.share(&body(2)));
        drop(bodies.share(&Arc::from([1_u8; 8])));
        assert_eq!(count(&bodies), 2);
        assert_eq!(bodies.sweep(), 1);
        assert_eq!(count(&bodies), 1);
        drop(kept);
    }
}

//! Hashes of bodies that many agents share: a fleet runs few configs, and each is hashed once and not for every agent
//! that is written.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use sha2::{Digest, Sha256};

/// Bodies that are remembered; when there are more, all are forgotten.
const MOST: usize = 4096;

/// Hashes of bodies that are still held by someone, by where they lie.
#[derive(Debug, Default)]
pub(super) struct Hashes(HashMap<usize, (Weak<[u8]>, [u8; 32])>);

impl Hashes {
    /// The hash of a body.
    pub(super) fn of(&mut self, body: &Arc<[u8]>) -> [u8; 32] {
        let place = Arc::as_ptr(body).cast::<u8>() as usize;
        if let Some((known, hash)) = self.0.get(&place)
            // A place may be taken by another body once the first is gone.
            && known.upgrade().is_some_and(|known| Arc::ptr_eq(&known, body))
        {
            return *hash;
        }
        let hash = Sha256::digest(body).into();
        // One that a single agent has is not asked for again.
        if Arc::strong_count(body) > 2 {
            if self.0.len() >= MOST {
                self.0.clear();
            }
            self.0.insert(place, (Arc::downgrade(body), hash));
        }
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bodies_when_hashed_again_then_each_has_its_own_hash_wherever_it_lies() {
        let mut hashes = Hashes::default();
        for byte in 0..200_u8 {
            let body: Arc<[u8]> = vec![byte; 4096].into();
            let held = [Arc::clone(&body), Arc::clone(&body)];
            let expected: [u8; 32] = Sha256::digest(&body).into();
            assert_eq!(held.each_ref().map(|body| hashes.of(body)), [expected; 2], "{byte}");
        }
        assert!(!hashes.0.is_empty());
    }

    #[test]
    fn given_very_many_bodies_when_hashed_then_few_are_remembered() {
        let mut hashes = Hashes::default();
        let bodies: Vec<Arc<[u8]>> = (0..10_000_u32).map(|index| index.to_be_bytes()[..].into()).collect();
        for body in &bodies {
            let _more = [Arc::clone(body), Arc::clone(body)];
            hashes.of(body);
        }
        assert!((1..=MOST).contains(&hashes.0.len()));
        let mut alone = Hashes::default();
        alone.of(&bodies[0]);
        assert!(alone.0.is_empty(), "one of a single agent is not remembered");
    }
}

//! Hashes of bodies that many agents share: a fleet runs few configs, and of the agents that are written together each
//! body is hashed once.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Hashes by where a body lies. Bodies are borrowed for as long as they are remembered: no other can lie in the place of
/// one, and none is kept from being freed.
#[derive(Debug, Default)]
pub(super) struct Hashes<'a> {
    by_place: HashMap<*const u8, [u8; 32]>,
    bodies: PhantomData<&'a [u8]>,
}

impl<'a> Hashes<'a> {
    /// The hash of a body.
    pub(super) fn of(&mut self, body: &'a Arc<[u8]>) -> [u8; 32] {
        *self.by_place.entry(Arc::as_ptr(body).cast()).or_insert_with(|| Sha256::digest(body).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_bodies_when_hashed_again_then_each_has_its_own_hash_and_one_that_is_shared_is_hashed_once() {
        let bodies: Vec<Arc<[u8]>> = (0..200_u8).map(|byte| vec![byte; 64].into()).collect();
        let shared = bodies.clone();
        let mut hashes = Hashes::default();
        for body in bodies.iter().chain(&shared) {
            let expected: [u8; 32] = Sha256::digest(body).into();
            assert_eq!(hashes.of(body), expected);
        }
        assert_eq!(hashes.by_place.len(), bodies.len());
    }
}

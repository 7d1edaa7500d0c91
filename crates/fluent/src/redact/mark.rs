//! What stands in a secret's place.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// What marks begin with.
pub(super) const PREFIX: &str = "redacted-";

/// Bytes of a mark's hash: enough to tell secrets apart, and no more than that.
const HASH_BYTES: usize = 8;

/// True for what [`Key::mark`] can have made, with quotes around it or without.
pub(super) fn is_mark(text: &str) -> bool {
    let hash = bare(text).strip_prefix(PREFIX);
    hash.is_some_and(|hash| {
        hash.len() == 2 * HASH_BYTES
            && hash.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}

/// A mark without quotes around it.
pub(super) fn bare(text: &str) -> &str {
    text.trim_matches(['"', '\''])
}

/// A key of marks. Equal secrets have equal marks under one key, so that a change shows; without the key nobody can try
/// out which secret a mark stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Vec<u8>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// The key of these bytes. For the files of an offer those are its config hash, which both ends have: it commits to
    /// the files already, so that a mark tells no more than the hash does.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The mark of a secret: a word of small letters, digits and a dash, which is a plain value in every format.
    #[must_use]
    pub fn mark(&self, secret: &str) -> String {
        let mut text = PREFIX.to_owned();
        // HMAC takes keys of any length; one that it refused would leave a mark that tells nothing.
        if let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(&self.0) {
            hmac.update(secret.as_bytes());
            for byte in hmac.finalize().into_bytes().iter().take(HASH_BYTES) {
                text.push_str(&format!("{byte:02x}"));
            }
        }
        text
    }
}

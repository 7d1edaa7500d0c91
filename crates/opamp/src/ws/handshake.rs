//! The keys of the opening handshake.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// RFC 6455 1.3: what a server appends to the client's key.
const SUFFIX: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key`.
#[must_use]
pub fn accept_key(key: &str) -> String {
    let mut hasher = Sha1::new();
    hasher.update(key.trim().as_bytes());
    hasher.update(SUFFIX.as_bytes());
    STANDARD.encode(hasher.finalize())
}

/// The `Sec-WebSocket-Key` of a client, from random bytes.
#[must_use]
pub fn request_key(random: [u8; 16]) -> String {
    STANDARD.encode(random)
}

/// True for a `Sec-WebSocket-Key` as RFC 6455 4.2.1 wants it: 16 bytes in Base64. A server answers 400 to
/// others.
#[must_use]
pub fn is_valid_request_key(key: &str) -> bool {
    let key = key.trim();
    key.len() == 24 && STANDARD.decode(key).is_ok_and(|random| random.len() == 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_the_key_of_the_rfc_when_accepted_then_the_answer_is_the_rfcs() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(accept_key(" dGhlIHNhbXBsZSBub25jZQ== "), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn given_keys_when_checked_then_only_sixteen_bytes_pass() {
        assert!(is_valid_request_key(&request_key([7; 16])));
        for bad in
            ["", "abc", "dGhlIHNhbXBsZSBub25jZQ", "AAAA", "****************************", "éééééééééééé"]
        {
            assert!(!is_valid_request_key(bad), "{bad}");
        }
    }
}

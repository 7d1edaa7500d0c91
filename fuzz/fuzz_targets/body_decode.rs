//! No gzip body inflates beyond the limit. Input: the limit in two bytes, then the body.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_opamp::body::{Encoding, decode};

fuzz_target!(|data: &[u8]| {
    let [high, low, body @ ..] = data else { return };
    let limit = usize::from(u16::from_be_bytes([*high, *low]));
    if let Ok(inflated) = decode(Encoding::Gzip, body.to_vec().into(), limit) {
        assert!(inflated.len() <= limit);
    }
});

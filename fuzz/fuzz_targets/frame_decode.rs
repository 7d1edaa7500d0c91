//! What decodes as a report encodes to bytes that pass through unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_opamp::{AgentToServer, frame};

fuzz_target!(|data: &[u8]| {
    if let Ok(message) = frame::decode::<AgentToServer>(data) {
        let once = frame::encode(&message);
        let again = frame::decode::<AgentToServer>(&once).expect("what we encode decodes");
        assert_eq!(frame::encode(&again), once);
    }
});

//! A WebSocket stream says the same however it is split, and no message exceeds the limit.
//! Input: role, length of the pieces, then the stream.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tidegate_opamp::ws::{Event, Reader, Role, Violation};

const LIMIT: usize = 4096;

/// The events as text, up to a close or the end, and the violation if there was one.
fn hear(role: Role, stream: &[u8], piece: usize) -> (Vec<String>, Option<Violation>) {
    let mut reader = Reader::new(role, LIMIT);
    let mut events = Vec::new();
    let mut stream = stream.to_vec();
    for piece in stream.chunks_mut(piece) {
        let mut rest = piece;
        while !rest.is_empty() {
            let (used, event) = match reader.read(rest) {
                Ok(outcome) => outcome,
                Err(violation) => return (events, Some(violation)),
            };
            if let Some(event) = event {
                if let Event::Message { payload, .. } = &event {
                    assert!(payload.len() <= LIMIT);
                }
                let closed = matches!(event, Event::Close(_));
                events.push(format!("{event:?}"));
                if closed {
                    return (events, None);
                }
            }
            rest = &mut rest[used..];
        }
    }
    (events, None)
}

fuzz_target!(|data: &[u8]| {
    let [role, piece, stream @ ..] = data else { return };
    let role = if role % 2 == 0 { Role::Server } else { Role::Client };
    let whole = hear(role, stream, stream.len().max(1));
    let split = hear(role, stream, usize::from(*piece).max(1));
    assert_eq!(whole, split);
});

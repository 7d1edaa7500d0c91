//! Random WebSocket streams, and reading them in random pieces.

use std::borrow::Cow;

use tidegate_opamp::ws::{
    Close, Event, MessageKind, Reader, Role, Violation, write_close, write_message, write_ping, write_pong,
};

use super::rng::Rng;

/// Most bytes that the readers under test accept in a message.
pub(super) const LIMIT: usize = 600;

/// What a stream said: its events, up to a close, a violation or the end of the bytes.
#[derive(Debug, PartialEq)]
pub(super) struct Heard {
    pub(super) events: Vec<Event<'static>>,
    pub(super) violation: Option<Violation>,
    pub(super) idle: bool,
}

fn owned(event: Event<'_>) -> Event<'static> {
    let own = |payload: Cow<'_, [u8]>| Cow::Owned(payload.into_owned());
    match event {
        Event::Message { kind, payload } => Event::Message { kind, payload: own(payload) },
        Event::Ping(payload) => Event::Ping(own(payload)),
        Event::Pong(payload) => Event::Pong(own(payload)),
        Event::Close(close) => Event::Close(close),
    }
}

/// Reads a stream in pieces whose lengths `piece` gives.
pub(super) fn hear(role: Role, stream: &[u8], mut piece: impl FnMut() -> usize) -> Heard {
    let mut reader = Reader::new(role, LIMIT);
    let mut events = Vec::new();
    let mut stream = stream.to_vec();
    let mut rest = stream.as_mut_slice();
    while !rest.is_empty() {
        let length = piece().clamp(1, rest.len());
        let (mut now, later) = rest.split_at_mut(length);
        rest = later;
        while !now.is_empty() {
            let length = now.len();
            match reader.read(now) {
                Err(violation) => {
                    return Heard { events, violation: Some(violation), idle: reader.is_idle() };
                }
                Ok((used, event)) => {
                    assert!(
                        used <= length && (event.is_some() || used == length),
                        "bytes left without an event"
                    );
                    let closed = matches!(event, Some(Event::Close(_)));
                    events.extend(event.map(owned));
                    if closed {
                        return Heard { events, violation: None, idle: reader.is_idle() };
                    }
                    now = &mut now[used..];
                }
            }
        }
    }
    Heard { events, violation: None, idle: reader.is_idle() }
}

/// Appends something that a well-behaved peer of `role` might say, and returns the event it should give.
pub(super) fn say(rng: &mut Rng, role: Role, out: &mut Vec<u8>) -> Event<'static> {
    let mask = |rng: &mut Rng| (role == Role::Server).then(|| rng.mask());
    let lengths = [0, 1, 7, 125, 126, 127, 300, LIMIT];
    let length = lengths[rng.below(lengths.len())];
    let small = rng.bytes(length.min(125));
    match rng.below(12) {
        0 => {
            let key = mask(rng);
            write_ping(out, &small, key);
            Event::Ping(small.into())
        }
        1 => {
            let key = mask(rng);
            write_pong(out, &small, key);
            Event::Pong(small.into())
        }
        2 => {
            let close = (rng.below(2) == 0).then(|| Close::new(1000, "é".repeat(rng.below(61))));
            let key = mask(rng);
            write_close(out, close.as_ref(), key);
            Event::Close(close)
        }
        choice => {
            let (kind, payload) = if choice == 3 {
                (MessageKind::Text, "ü".repeat(length / 2).into_bytes())
            } else {
                (MessageKind::Binary, rng.bytes(length))
            };
            let limit = (rng.below(2) == 0).then(|| 15 + rng.below(200));
            write_message(out, kind, &payload, limit, || mask(rng));
            Event::Message { kind, payload: payload.into() }
        }
    }
}

//! Mutated and random bytes: nothing panics, no limit is exceeded, and how bytes are split does not matter.

use bytes::Bytes;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use tidegate_opamp::body::{self, BodyError, Encoding};
use tidegate_opamp::ws::{Event, Role};
use tidegate_opamp::{AgentToServer, Message, frame, wire};

use super::rng::Rng;
use super::strategies::agent_to_server;
use super::streams::{Heard, LIMIT, hear, say};

fn assert_within_limits(heard: &Heard) {
    for event in &heard.events {
        match event {
            Event::Message { payload, .. } => assert!(payload.len() <= LIMIT),
            Event::Ping(payload) | Event::Pong(payload) => assert!(payload.len() <= 125),
            Event::Close(close) => assert!(close.as_ref().is_none_or(|close| close.reason.len() <= 123)),
        }
    }
}

#[test]
fn given_mutated_or_random_streams_when_split_anyhow_then_the_same_is_heard() {
    let mut rng = Rng(1);
    let (mut violations, mut events) = (0, 0);
    for round in 0..20_000 {
        let role = if round % 2 == 0 { Role::Server } else { Role::Client };
        let mut stream = Vec::new();
        if round % 8 == 7 {
            let length = rng.below(60);
            stream = rng.bytes(length);
        } else {
            for _ in 0..1 + rng.below(3) {
                say(&mut rng, role, &mut stream);
            }
            rng.mutate(&mut stream);
        }
        let whole = hear(role, &stream, || usize::MAX);
        assert_within_limits(&whole);
        let most = [1, 3, 20, 400][rng.below(4)];
        let split = hear(role, &stream, || 1 + rng.below(most));
        assert_eq!(split, whole, "round {round}");
        violations += usize::from(whole.violation.is_some());
        events += whole.events.len();
    }
    assert!(violations > 2_000 && events > 10_000, "{violations} violations, {events} events: too tame");
}

#[test]
fn given_whole_streams_when_split_anyhow_then_all_that_was_said_is_heard() {
    let mut rng = Rng(2);
    for round in 0..2_000 {
        let role = if round % 2 == 0 { Role::Server } else { Role::Client };
        let (mut stream, mut said) = (Vec::new(), Vec::new());
        while said.len() < 5 && !matches!(said.last(), Some(Event::Close(_))) {
            said.push(say(&mut rng, role, &mut stream));
        }
        let most = [1, 9, 200, 5_000][rng.below(4)];
        let heard = hear(role, &stream, || 1 + rng.below(most));
        assert_eq!(heard, Heard { events: said, violation: None, idle: true });
    }
}

/// S203: whatever decodes was weighed first, at no less than its own bytes.
#[test]
fn given_mutated_messages_when_weighed_then_what_decodes_weighs_at_least_what_it_takes_on_the_wire() {
    let mut runner = TestRunner::deterministic();
    let strategy = agent_to_server();
    let mut rng = Rng(5);
    let (mut decoded, mut failed) = (0, 0);
    for _ in 0..500 {
        let message = strategy.new_tree(&mut runner).unwrap().current().encode_to_vec();
        for mutate in [false, true, true, true] {
            let mut bytes = message.clone();
            if mutate {
                rng.mutate(&mut bytes);
            }
            let weight = wire::weigh::<AgentToServer>(&bytes);
            match AgentToServer::decode(&bytes[..]) {
                Ok(message) => {
                    decoded += 1;
                    let weight = weight.expect("it decodes, and has few elements");
                    assert!(weight >= message.encoded_len(), "{weight} for {} bytes", bytes.len());
                }
                Err(_) => failed += 1,
            }
        }
    }
    assert!(decoded > 500 && failed > 100, "{decoded} decoded, {failed} did not: too tame");
}

#[test]
fn given_mutated_or_random_payloads_when_decoded_then_what_passes_is_stable() {
    let mut runner = TestRunner::deterministic();
    let strategy = agent_to_server();
    let valid: Vec<Bytes> =
        (0..60).map(|_| frame::encode(&strategy.new_tree(&mut runner).unwrap().current())).collect();
    let mut rng = Rng(3);
    let mut passed = 0;
    for round in 0..10_000 {
        let payload = if round % 5 == 4 {
            let length = rng.below(80);
            [&[0], rng.bytes(length).as_slice()].concat()
        } else {
            let mut payload = valid[rng.below(valid.len())].to_vec();
            rng.mutate(&mut payload);
            payload
        };
        if let Ok(message) = frame::decode::<AgentToServer>(&payload) {
            let once = message.encode_to_vec();
            let twice = AgentToServer::decode(once.as_slice()).unwrap().encode_to_vec();
            assert!(once == twice, "round {round}: a message changes as it passes through");
            passed += 1;
        }
    }
    assert!((1_000..9_900).contains(&passed), "{passed} of 10,000 passed: too tame");
}

#[test]
fn given_mutated_or_random_bodies_when_decoded_then_no_result_exceeds_the_limit() {
    let mut rng = Rng(4);
    let plain = rng.bytes(500).repeat(4);
    let packed = body::gzip(&plain);
    let (mut whole, mut large, mut broken) = (0, 0, 0);
    for round in 0..2_000 {
        let mut bytes = packed.clone();
        if round % 8 == 7 {
            let length = rng.below(60);
            bytes.truncate(10);
            bytes.extend(rng.bytes(length));
        } else {
            rng.mutate(&mut bytes);
        }
        let limit = 1 + rng.below(2 * plain.len());
        match body::decode(Encoding::Gzip, bytes.into(), limit) {
            Ok(body) => {
                assert!(body.len() <= limit);
                whole += usize::from(body == plain);
            }
            Err(BodyError::TooLarge { .. }) => large += 1,
            Err(BodyError::BrokenGzip) => broken += 1,
        }
    }
    assert!(whole > 100 && large > 100 && broken > 100, "{whole} whole, {large} large, {broken} broken");
}

#[test]
fn given_a_bomb_when_decoded_then_it_is_refused_at_the_limit() {
    // A hundred members that inflate to a MiB each, in half a MiB.
    let bomb = Bytes::from(body::gzip(&vec![0; 1 << 20]).repeat(100));
    assert!(bomb.len() < 1 << 20);
    let limit = 4096;
    assert_eq!(body::decode(Encoding::Gzip, bomb, limit), Err(BodyError::TooLarge { limit }));
}

//! What each message of an agent costs before anything is decided: frames, messages, both ways.

#![allow(missing_docs, reason = "criterion's macros write public functions")]
#![expect(clippy::unwrap_used, reason = "a benchmark whose input is wrong may end")]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tidegate_opamp::ws::{self, MessageKind, Reader, Role};
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentDescription, AgentToServer, ComponentHealth, EffectiveConfig,
    KeyValue, ServerToAgent, frame, peek,
};

fn heartbeat() -> AgentToServer {
    AgentToServer {
        instance_uid: Bytes::from_static(&[7; 16]),
        sequence_num: 123_456,
        capabilities: 0x3C07,
        ..AgentToServer::default()
    }
}

/// Twelve attributes, twenty components, 32 KB of config.
fn full_report() -> AgentToServer {
    let attribute = |number: usize| KeyValue::text(format!("attribute.{number}"), format!("value {number}"));
    let component = |number: u64| {
        let health = ComponentHealth {
            healthy: true,
            start_time_unix_nano: 1_800_000_000_000_000_000 + number,
            status: "running".to_owned(),
            status_time_unix_nano: 1_800_000_000_000_000_000 + number * 7,
            ..ComponentHealth::default()
        };
        (format!("input:tail.{number}"), health)
    };
    let body = AgentConfigObject { body: Bytes::from(vec![b'#'; 32 * 1024]), ..AgentConfigObject::default() };
    let config_map = [("fluent-bit.yaml".to_owned(), body)].into();
    AgentToServer {
        agent_description: Some(AgentDescription {
            identifying_attributes: (0..4).map(attribute).collect(),
            non_identifying_attributes: (4..12).map(attribute).collect(),
            ..AgentDescription::default()
        }),
        health: Some(ComponentHealth {
            healthy: true,
            component_health_map: (0..20).map(component).collect(),
            ..ComponentHealth::default()
        }),
        effective_config: Some(EffectiveConfig {
            config_map: Some(AgentConfigMap { config_map, ..AgentConfigMap::default() }),
            ..EffectiveConfig::default()
        }),
        ..heartbeat()
    }
}

fn messages(c: &mut Criterion) {
    for (name, message) in [("heartbeat", heartbeat()), ("full report", full_report())] {
        let payload = frame::encode(&message);
        c.bench_function(&format!("decode a {name}"), |b| {
            b.iter(|| frame::decode::<AgentToServer>(black_box(&payload)).unwrap());
        });
    }
    let reply = ServerToAgent { instance_uid: Bytes::from_static(&[7; 16]), ..ServerToAgent::default() };
    c.bench_function("encode a reply", |b| b.iter(|| frame::encode(black_box(&reply))));
}

fn peeks(c: &mut Criterion) {
    for (name, message) in [("heartbeat", heartbeat()), ("full report", full_report())] {
        let payload = frame::encode(&message);
        assert_eq!(peek::heartbeat(&payload).is_some(), name == "heartbeat");
        c.bench_function(&format!("peek at a {name}"), |b| b.iter(|| peek::heartbeat(black_box(&payload))));
    }
}

fn frames(c: &mut Criterion) {
    for (name, message) in [("heartbeat", heartbeat()), ("full report", full_report())] {
        let mut wire = Vec::new();
        let mask = || Some([1, 2, 3, 4]);
        ws::write_message(&mut wire, MessageKind::Binary, &frame::encode(&message), None, mask);
        c.bench_function(&format!("read the frame of a {name}"), |b| {
            let mut reader = Reader::new(Role::Server, 1 << 20);
            // Reading unmasks in place, so each round has bytes of its own.
            b.iter_batched_ref(
                || wire.clone(),
                |wire| reader.read(wire).map(|(used, event)| (used, event.is_some())).unwrap(),
                BatchSize::SmallInput,
            );
        });
    }
    let payload = frame::encode(&heartbeat());
    c.bench_function("write the frame of a reply", |b| {
        let mut out = Vec::with_capacity(1024);
        b.iter(|| {
            out.clear();
            ws::write_message(&mut out, MessageKind::Binary, black_box(&payload), None, || None);
        });
    });
}

criterion_group!(codec, messages, peeks, frames);
criterion_main!(codec);

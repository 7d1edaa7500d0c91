//! What an agent's message costs once it is decoded: the session's step, by kind of message.

#![allow(missing_docs, reason = "criterion's macros write public functions")]
#![expect(clippy::unwrap_used, reason = "a benchmark whose input is wrong may end")]

use bytes::Bytes;
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use tidegate_fleet::agent::{Limits, Transport};
use tidegate_fleet::offer::{self, Occasion, Profile};
use tidegate_fleet::session::{self, Arrival};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentDescription, AgentToServer, ComponentHealth, EffectiveConfig,
    InstanceUid, KeyValue, ServerCapabilities,
};

const UID: [u8; 16] = [7; 16];
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const ARRIVAL: Arrival = Arrival { now: NOW, transport: Transport::WebSocket };

fn heartbeat(sequence_num: u64) -> AgentToServer {
    AgentToServer {
        instance_uid: Bytes::from_static(&UID),
        sequence_num,
        capabilities: 0x3C07,
        ..AgentToServer::default()
    }
}

/// A health tree of twenty components; `round` makes it another one.
fn status(sequence_num: u64, round: u64) -> AgentToServer {
    let component = |number: u64| {
        let health = ComponentHealth {
            healthy: number != round % 20,
            start_time_unix_nano: 1_800_000_000_000_000_000 + number,
            status: "running".to_owned(),
            status_time_unix_nano: 1_800_000_000_000_000_000 + number * 7 + round,
            ..ComponentHealth::default()
        };
        (format!("input:tail.{number}"), health)
    };
    let component_health_map = (0..20).map(component).collect();
    let health = ComponentHealth { healthy: true, component_health_map, ..ComponentHealth::default() };
    AgentToServer { health: Some(health), ..heartbeat(sequence_num) }
}

/// Twelve attributes, that tree, 32 KB of config.
fn full_report(sequence_num: u64) -> AgentToServer {
    let attribute = |number: usize| KeyValue::text(format!("attribute.{number}"), format!("value {number}"));
    let body = AgentConfigObject { body: Bytes::from(vec![b'#'; 32 * 1024]), ..AgentConfigObject::default() };
    let config_map = [("fluent-bit.yaml".to_owned(), body)].into();
    AgentToServer {
        agent_description: Some(AgentDescription {
            identifying_attributes: (0..4).map(attribute).collect(),
            non_identifying_attributes: (4..12).map(attribute).collect(),
            ..AgentDescription::default()
        }),
        effective_config: Some(EffectiveConfig {
            config_map: Some(AgentConfigMap { config_map, ..AgentConfigMap::default() }),
            ..EffectiveConfig::default()
        }),
        ..status(sequence_num, 0)
    }
}

fn known(limits: &Limits) -> Agent {
    let mut agent = Agent::new(InstanceUid::from_bytes(&UID).unwrap(), NOW);
    session::receive(&mut agent, &mut [], full_report(1), ARRIVAL, limits).unwrap();
    agent
}

fn steps(c: &mut Criterion) {
    let limits = Limits::default();
    let profile = Profile { capabilities: ServerCapabilities(0x7), custom_capabilities: Vec::new() };
    let mut step = |name: &str, message: fn(u64) -> AgentToServer| {
        c.bench_function(name, |b| {
            let (mut agent, mut number) = (known(&limits), 1);
            b.iter_batched(
                || {
                    number += 1;
                    message(number)
                },
                |message| {
                    session::receive(&mut agent, &mut [], message, ARRIVAL, &limits).unwrap();
                    offer::build(&mut agent, &mut [], &profile, Occasion::Reply, false, NOW)
                },
                BatchSize::SmallInput,
            );
        });
    };
    step("take a heartbeat and answer", heartbeat);
    step("take a changed status and answer", |number| status(number, number));
    step("take a full report and answer", full_report);
}

criterion_group!(session_steps, steps);
criterion_main!(session_steps);

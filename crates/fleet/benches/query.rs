//! What lists, facets and changes cost at 100,000 agents.

// A benchmark that cannot go on may end, reads its own memory and says so.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stderr)]

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use tidegate_fleet::agent::{Fact, Link, Reported, Transport};
use tidegate_fleet::index::{Clock, Found, Request, Scan, Shard, Sort};
use tidegate_fleet::query::facts::Facts;
use tidegate_fleet::query::{Key, Query};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::{AgentCapabilities, AgentDescription, ComponentHealth, InstanceUid, KeyValue};

const AGENTS: u64 = 100_000;
const SHARDS: u64 = 64;
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const CLOCK: Clock = Clock { now: NOW, interval: Duration::from_secs(30) };

/// An agent of a plausible fleet: four attributes of its own, eight that many share.
fn agent(number: u64) -> Agent {
    let scattered = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let uid = InstanceUid::v7(NOW.0 - number, scattered.to_be_bytes().repeat(2)[..10].try_into().unwrap());
    let description = AgentDescription {
        identifying_attributes: vec![
            KeyValue::text("service.name", "fluent-bit"),
            KeyValue::text("service.version", format!("3.{}.{}", scattered % 3, scattered % 10)),
            KeyValue::text("service.instance.id", uid.to_string()),
        ],
        non_identifying_attributes: vec![
            KeyValue::text("host.name", format!("edge-{:05}.eu-west.example", scattered % AGENTS)),
            KeyValue::text("host.id", format!("{scattered:032x}")),
            KeyValue::text(
                "host.ip",
                format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255),
            ),
            KeyValue::text("host.arch", if scattered.is_multiple_of(3) { "arm64" } else { "amd64" }),
            KeyValue::text("os.type", if scattered.is_multiple_of(9) { "windows" } else { "linux" }),
            KeyValue::text("os.version", format!("12.{}", scattered % 8)),
            KeyValue::text("deployment.environment", ["prod", "staging", "dev"][(scattered % 3) as usize]),
            KeyValue::text("cloud.region", format!("eu-west-{}", scattered % 6)),
            KeyValue::text("tidegate.simulated", "true"),
        ],
        ..AgentDescription::default()
    };
    let health = ComponentHealth {
        healthy: !scattered.is_multiple_of(50),
        last_error: if scattered.is_multiple_of(50) { "tls: handshake failed".into() } else { String::new() },
        ..ComponentHealth::default()
    };
    let mut agent = Agent::new(uid, Timestamp(NOW.0 - number));
    agent.last_seen = Timestamp(NOW.0 - scattered % 60_000);
    agent.link = Link::Up { transport: Transport::WebSocket, since: NOW };
    agent.capabilities = AgentCapabilities::REPORTS_STATUS.with(AgentCapabilities::REPORTS_HEARTBEAT);
    let labels =
        [("env".to_owned(), Some("prod".to_owned())), ("ring".to_owned(), Some((scattered % 4).to_string()))];
    agent.labels = agent.labels.patched(&labels.into()).unwrap();
    agent.restore(Reported {
        description: Some(Fact::new(&description, NOW)),
        health: Some(Fact::new(&health, NOW)),
        ..Reported::default()
    });
    agent
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    statm.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn fleet() -> Vec<Shard> {
    let mut shards: Vec<_> = (0..SHARDS).map(|_| Shard::default()).collect();
    let before = resident();
    for number in 0..AGENTS {
        let agent = agent(number);
        shards[(number % SHARDS) as usize].update(&Facts::of(&agent));
    }
    let bytes = (resident() - before) / AGENTS;
    eprintln!("the index has about {bytes} bytes per agent");
    shards
}

fn scan(shards: &[Shard], q: &Query, sort: &[Sort], facets: &[Key]) -> Found {
    let mut scan = Scan::new(Request { query: q, clock: CLOCK, sort, after: None, limit: Some(100), facets });
    shards.iter().for_each(|shard| scan.shard(shard));
    scan.finish()
}

fn benches(c: &mut Criterion) {
    let mut shards = fleet();
    let long =
        "health:unhealthy,degraded -label.env:dev (attr.cloud.region:eu-* OR version:<3.2) last_seen:<5m";
    c.bench_function("query/parse", |b| b.iter(|| Query::parse(black_box(long)).unwrap()));
    let query = Query::parse(long).unwrap();
    let one = agent(7);
    let facts = Facts::of(&one);
    c.bench_function("query/match-facts", |b| {
        b.iter(|| black_box(&query).matches(&facts.at(NOW, CLOCK.interval)));
    });
    for (name, q, sort) in [
        ("all", "", ""),
        ("all-by-name", "", "name"),
        ("all-by-newest", "", "-last_seen"),
        ("all-by-first-seen", "", "first_seen"),
        ("all-by-version", "", "version,name"),
        ("word", "edge-777", "name"),
        ("uid-part", "77abc", ""),
        ("filtered", long, "name"),
        ("error", "error:\"handshake\" label.ring:1", "-last_seen"),
    ] {
        let (q, sort) = (Query::parse(q).unwrap(), Sort::read(sort).unwrap());
        c.bench_function(&format!("list/{name}"), |b| b.iter(|| scan(&shards, &q, &sort, &[])));
    }
    let keys =
        ["connection", "health", "config", "attention", "version", "os", "label.env", "attr.cloud.region"];
    let keys: Vec<_> = keys.iter().map(|key| Key::named(key).unwrap()).collect();
    for (name, q) in [("all", ""), ("filtered", long)] {
        let q = Query::parse(q).unwrap();
        c.bench_function(&format!("facets/8-{name}"), |b| b.iter(|| scan(&shards, &q, &[], &keys)));
    }
    let unique = [Key::named("attr.host.id").unwrap()];
    let everything = Query::default();
    c.bench_function("facets/unique-values", |b| b.iter(|| scan(&shards, &everything, &[], &unique)));
    c.bench_function("index/update", |b| b.iter(|| shards[7].update(&Facts::of(&one))));
    c.bench_function("index/touch", |b| b.iter(|| shards[7].touch(&one.uid, NOW)));
}

criterion_group! {
    name = query;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(2));
    targets = benches
}
criterion_main!(query);

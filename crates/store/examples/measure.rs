//! Measures a store of a plausible fleet: `cargo run --release -p tidegate-store --example measure -- DIR [AGENTS]`.
//!
//! Each agent has a description of its own and a health tree of 20 components; there are 50 effective configs of 32 KB,
//! and one agent in a hundred has one of its own. A store that is in DIR already is measured as it is.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a tool for those who build: it ends with what went wrong, and prints what it found"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tidegate_fleet::agent::{Fact, Reported, Sequence};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::{
    AgentCapabilities, AgentConfigMap, AgentConfigObject, AgentDescription, ComponentHealth, EffectiveConfig,
    InstanceUid, KeyValue,
};
use tidegate_store::{Location, SqliteStore, Store, Transaction, Write};

const CONFIGS: u32 = 50;
const CONFIG_BYTES: usize = 32 * 1024;
const COMPONENTS: u32 = 20;

fn agent(number: u32) -> Agent {
    let mut bytes = [1; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    let at = Timestamp(1_700_000_000_000 + u64::from(number));
    let mut agent = Agent::new(InstanceUid::from_bytes(&bytes).unwrap(), at);
    agent.sequence = Sequence::Exact(u64::from(number));
    agent.capabilities = AgentCapabilities(0x3007);
    let text = KeyValue::text;
    let description = AgentDescription {
        identifying_attributes: vec![
            text("service.name", "fluent-bit"),
            text("service.version", "4.0.1"),
            text("service.instance.id", &agent.uid.to_string()),
        ],
        non_identifying_attributes: vec![
            text("host.name", &format!("host-{number}.example.org")),
            text("host.ip", &format!("10.{}.{}.{}", number >> 16, number >> 8 & 255, number & 255)),
            text("os.type", "linux"),
            text("os.description", "Debian GNU/Linux 12 (bookworm)"),
            text("deployment.environment", if number.is_multiple_of(3) { "production" } else { "staging" }),
        ],
        ..AgentDescription::default()
    };
    let component = |index: u32| {
        let health = ComponentHealth {
            healthy: true,
            start_time_unix_nano: 1_700_000_000_000_000_000,
            status: "running".into(),
            status_time_unix_nano: 1_700_000_000_000_000_000 + u64::from(number * 20 + index),
            ..ComponentHealth::default()
        };
        (format!("pipeline:input:tail.{index}"), health)
    };
    let health = ComponentHealth {
        healthy: true,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        component_health_map: (0..COMPONENTS).map(component).collect(),
        ..ComponentHealth::default()
    };
    let config = if number.is_multiple_of(100) { CONFIGS + number } else { number % CONFIGS };
    let line = format!("# config {config}\n");
    let body = Bytes::from(line.repeat(CONFIG_BYTES / line.len()));
    let file = AgentConfigObject { body, ..AgentConfigObject::default() };
    let config_map = AgentConfigMap {
        config_map: [("fluent-bit.yaml".to_owned(), file)].into(),
        ..AgentConfigMap::default()
    };
    let effective = EffectiveConfig { config_map: Some(config_map), ..EffectiveConfig::default() };
    agent.restore(Reported {
        description: Some(Fact::new(&description, at)),
        health: Some(Fact::new(&health, at)),
        effective_config: Some(Fact::new(&effective, at)),
        ..Reported::default()
    });
    agent
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let result = work();
    println!("{what}: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    result
}

async fn fill(store: &SqliteStore, agents: u32) {
    let begun = Instant::now();
    for first in (0..agents).step_by(1000) {
        let batch = first..(first + 1000).min(agents);
        let writes = batch.map(|number| Write::Agent(Box::new(agent(number)))).collect();
        store.commit(Transaction::observed(writes)).await.unwrap();
    }
    println!("written {agents} agents: {:.1} s", begun.elapsed().as_secs_f64());
}

/// Commits of one small record each, by so many callers at once.
async fn commits(store: &Arc<SqliteStore>, callers: u32, each: u32) {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let store = Arc::clone(store);
            tokio::spawn(async move {
                let mut times = Vec::new();
                for _ in 0..each {
                    let write = Write::Agent(Box::new(agent(caller)));
                    let begun = Instant::now();
                    store.commit(Transaction::observed(vec![write])).await.unwrap();
                    times.push(begun.elapsed());
                }
                times
            })
        })
        .collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await.unwrap());
    }
    let rate = f64::from(callers * each) / begun.elapsed().as_secs_f64();
    times.sort();
    let [middle, late, last] = [50, 99, 100].map(|part| times[(times.len() - 1) * part / 100]);
    println!("{callers} callers: {rate:.0} commits/s; median {middle:?}, 99 % {late:?}, longest {last:?}");
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().unwrap_or_else(|| ".".to_owned()));
    let agents = arguments.next().map_or(100_000, |text| text.parse().unwrap());
    let path = folder.join("measured.db");
    let location = Location::File(path.clone());
    if !path.exists() {
        let store = SqliteStore::open(&location).unwrap();
        fill(&store, agents).await;
        store.close(true).await.unwrap();
    }
    println!("file: {} MB", path.metadata().unwrap().len() / 1_000_000);
    let store = timed("open", || SqliteStore::open(&location).unwrap());
    let snapshot = timed("load", || store.load().unwrap());
    println!("{} agents loaded", snapshot.agents.len());
    drop(snapshot);
    let begun = Instant::now();
    let removed = store.collect_garbage(Timestamp(1)).await.unwrap();
    println!("garbage ({removed} rows): {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let begun = Instant::now();
    let removed = store.collect_garbage(Timestamp(1)).await.unwrap();
    println!("garbage again ({removed} rows): {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let store = Arc::new(store);
    commits(&store, 1, 1000).await;
    commits(&store, 100, 50).await;
    timed("full check", || tidegate_store::check(&path).unwrap());
    timed("backup", || tidegate_store::back_up(&path, &folder.join("backup.db"), true).unwrap());
    store.close(true).await.unwrap();
}

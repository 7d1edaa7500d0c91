//! What a plausible fleet reports: unique descriptions, a health tree of twenty components with times of its own,
//! fifty different configs of 32 KB and one agent in a hundred with a config like no other.

use std::fmt::Write as _;
use std::net::Ipv4Addr;

use bytes::Bytes;
use tidegate_custom::metrics::{Counters, Digest, Life};
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentDescription, ComponentHealth, EffectiveConfig, InstanceUid,
    KeyValue,
};

use super::random::Random;

/// Different configs that the fleet shares.
pub const SHARED_CONFIGS: u32 = 50;

/// One agent in so many runs a config of its own.
pub const UNIQUE_ONE_IN: u32 = 100;

/// Bytes of a config.
pub const CONFIG_BYTES: usize = 32 * 1024;

/// Components of a health tree, the root apart.
pub const COMPONENTS: u64 = 20;

/// Name of the file that agents run before they are offered another.
pub const OWN_FILE: &str = "fluent-bit.yaml";

/// Words that fleets are made of, each agent with some of each.
const VERSIONS: [&str; 5] = ["5.1.1", "5.1.0", "5.0.4", "4.2.3", "4.1.1"];
const SPACES: [&str; 6] = ["edge", "payments", "search", "platform", "media", "analytics"];
const SYSTEMS: [&str; 4] =
    ["Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04.1 LTS", "Rocky Linux 9.4", "Amazon Linux 2023"];
const REGIONS: [&str; 5] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-southeast-2"];
const STAGES: [&str; 3] = ["production", "staging", "development"];

/// What all agents of a swarm share.
#[derive(Debug)]
pub struct Load {
    seed: u64,
    shared: Vec<Bytes>,
}

impl Load {
    /// The load that a seed names.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shared = (0..SHARED_CONFIGS).map(|which| config_body(seed, u64::from(which))).collect();
        Self { seed, shared }
    }

    /// The uid of an agent; its last four bytes are its index.
    #[must_use]
    pub fn uid(&self, index: u32) -> InstanceUid {
        let mut random = [0; 10];
        random[..6].copy_from_slice(&Random::new(self.seed, u64::from(index)).bits().to_be_bytes()[2..]);
        random[6..].copy_from_slice(&index.to_be_bytes());
        // Some day of 2025: uids are as old as the agents.
        InstanceUid::v7(1_750_000_000_000 + u64::from(index) * 7, random)
    }

    /// The index that a uid of this load carries.
    #[must_use]
    pub fn index_of(uid: &[u8]) -> Option<u32> {
        uid.last_chunk::<4>().map(|last| u32::from_be_bytes(*last))
    }

    /// The first config that an agent runs.
    #[must_use]
    pub fn config(&self, index: u32) -> Bytes {
        if index % UNIQUE_ONE_IN == UNIQUE_ONE_IN - 1 {
            return config_body(self.seed, u64::from(SHARED_CONFIGS) + u64::from(index));
        }
        let which = Random::new(self.seed, u64::from(index)).below(u64::from(SHARED_CONFIGS));
        let shared = usize::try_from(which).ok().and_then(|which| self.shared.get(which));
        shared.cloned().unwrap_or_default()
    }

    /// That config as a report.
    #[must_use]
    pub fn effective_config(&self, index: u32) -> EffectiveConfig {
        effective([(OWN_FILE.to_owned(), file(self.config(index), ""))])
    }
}

/// A report of what runs.
pub(super) fn effective(files: impl IntoIterator<Item = (String, AgentConfigObject)>) -> EffectiveConfig {
    let map = AgentConfigMap { config_map: files.into_iter().collect(), ..AgentConfigMap::default() };
    EffectiveConfig { config_map: Some(map), ..EffectiveConfig::default() }
}

/// A YAML file.
pub(super) fn file(body: Bytes, role: &str) -> AgentConfigObject {
    let (content_type, role) = ("text/yaml".to_owned(), role.to_owned());
    AgentConfigObject { body, content_type, role, ..AgentConfigObject::default() }
}

/// The name of an agent's host.
#[must_use]
pub fn host_name(index: u32) -> String {
    format!("node-{index:06}.{}.example.net", pick(&REGIONS, index / 3))
}

/// Who an agent is, and where it runs.
#[must_use]
pub fn description(index: u32, uid: &InstanceUid) -> AgentDescription {
    let address = Ipv4Addr::from(0x0A00_0000 | (index & 0x00FF_FFFF));
    let text =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(key, value)| KeyValue::text(*key, *value)).collect();
    AgentDescription {
        identifying_attributes: text(&[
            ("service.name", "fluent-bit"),
            ("service.namespace", pick(&SPACES, index / 7)),
            ("service.version", pick(&VERSIONS, index / 5)),
            ("service.instance.id", &uid.to_string()),
        ]),
        non_identifying_attributes: text(&[
            ("cloud.region", pick(&REGIONS, index / 3)),
            ("deployment.environment.name", pick(&STAGES, index / 2)),
            ("host.arch", if index.is_multiple_of(4) { "arm64" } else { "amd64" }),
            ("host.ip", &address.to_string()),
            ("host.name", &host_name(index)),
            ("os.type", "linux"),
            ("os.version", pick(&SYSTEMS, index)),
            ("team", &format!("team-{:02}", index % 12)),
        ]),
        ..AgentDescription::default()
    }
}

fn pick<'a>(words: &[&'a str], number: u32) -> &'a str {
    let which = number as usize % words.len().max(1);
    words.get(which).copied().unwrap_or_default()
}

/// How an agent and its components fare. Times are nanoseconds since 1970; `sick` names a component that does not
/// work, by its number.
#[must_use]
pub fn health(index: u32, start: u64, now: u64, sick: Option<u64>) -> ComponentHealth {
    let component = |number: u64| {
        let kind = match number {
            0..=7 => "input:tail",
            8..=13 => "filter:kubernetes",
            _ => "output:forward",
        };
        let is_sick = sick == Some(number);
        let below = ComponentHealth {
            healthy: !is_sick,
            start_time_unix_nano: start + number * 1_000_003,
            status: if is_sick { "failing" } else { "running" }.to_owned(),
            last_error: if is_sick {
                format!("connection refused, attempt {}", now % 97)
            } else {
                String::new()
            },
            // Each was looked at when it was.
            status_time_unix_nano: now - number * 7_919 - u64::from(index),
            ..ComponentHealth::default()
        };
        (format!("{kind}.{number}"), below)
    };
    ComponentHealth {
        healthy: true,
        start_time_unix_nano: start,
        status: "running".to_owned(),
        status_time_unix_nano: now,
        component_health_map: (0..COMPONENTS).map(component).collect(),
        ..ComponentHealth::default()
    }
}

/// What the components of a usual pipeline have counted since their start: two inputs, two filters, two outputs.
#[must_use]
pub fn digest(index: u32, start: u64, now: u64) -> Digest {
    let seconds = now.saturating_sub(start) / 1_000_000_000;
    // Between 10 and 1,010 records a second.
    let busy = seconds * (10 + u64::from(index) * 37 % 1_000);
    let quiet = seconds * (1 + u64::from(index) % 5);
    let of = |records: u64, bytes: u64| Counters { records, bytes: records * bytes, ..Counters::default() };
    let components = [
        ("input:tail.0", Counters { backlog: u64::from(index) % 7, ..of(busy, 310) }),
        ("input:systemd.1", of(quiet, 240)),
        ("filter:kubernetes.0", Counters { dropped: busy / 50, ..of(busy, 0) }),
        ("filter:modify.1", of(busy + quiet, 0)),
        ("output:forward.0", Counters { retries: seconds / 600, ..of(busy, 310) }),
        ("output:s3.1", of(quiet, 240)),
    ];
    let components = components.map(|(name, counters)| (name.to_owned(), counters));
    let life = Life { pid: 1_000 + index % 30_000, reloads: 0 };
    Digest { uptime: seconds, every: 60, ..Digest::new(life, components) }
}

fn config_body(seed: u64, which: u64) -> Bytes {
    let mut random = Random::new(seed, which.wrapping_add(0xC0FF_EE00_0000));
    let mut text = String::with_capacity(CONFIG_BYTES + 256);
    let _ = writeln!(text, "# config {which}\nservice:\n  flush: 1\n  log_level: info\npipeline:\n  inputs:");
    while text.len() < CONFIG_BYTES - 128 {
        let (one, two) = (random.bits(), random.bits());
        let _ = writeln!(
            text,
            "    - name: tail\n      alias: t{one:016x}\n      path: /var/log/{two:x}/*.log\n      tag: app.{:x}",
            one ^ two
        );
    }
    text.push_str("  outputs:\n    - name: \"null\"\n      match: \"*\"\n");
    while text.len() < CONFIG_BYTES {
        text.push('#');
    }
    text.truncate(CONFIG_BYTES);
    Bytes::from(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn given_two_thousand_agents_when_described_then_each_is_one_of_a_kind() {
        let load = Load::new(1);
        let uids: BTreeSet<_> = (0..2_000).map(|index| load.uid(index)).collect();
        let hosts: BTreeSet<_> = (0..2_000).map(host_name).collect();
        assert_eq!((uids.len(), hosts.len()), (2_000, 2_000));
        assert!((0..2_000).all(|index| Load::index_of(load.uid(index).as_bytes()) == Some(index)));
        let said = description(7, &load.uid(7));
        assert_eq!(said.identifying_attributes.len() + said.non_identifying_attributes.len(), 12);
        assert_eq!(health(7, 1, u64::MAX, None).component_health_map.len(), 20);
    }

    #[test]
    fn given_two_thousand_agents_when_their_configs_are_counted_then_fifty_are_shared_and_one_in_a_hundred_is_not()
     {
        let load = Load::new(1);
        let bodies: Vec<_> = (0..2_000).map(|index| load.config(index)).collect();
        assert!(bodies.iter().all(|body| body.len() == CONFIG_BYTES));
        let different: BTreeSet<_> = bodies.iter().collect();
        assert_eq!(different.len(), 50 + 20);
    }
}

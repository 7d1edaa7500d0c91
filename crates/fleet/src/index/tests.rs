//! An index answers as the agents themselves do, whatever was put in, changed and taken out.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use tidegate_opamp::{AgentCapabilities, AgentDescription, ComponentHealth, CustomCapabilities, KeyValue};

use super::*;
use crate::Agent;
use crate::agent::{Link, Transport};

const NOW: Timestamp = Timestamp(10_000_000);
const CLOCK: Clock = Clock { now: NOW, interval: Duration::from_secs(30) };

/// A small fleet's worth of differences, from one number.
fn agent(number: u8, look: u64) -> Agent {
    let pick = |of: &[&str], at: u64| of[usize::try_from(at).unwrap() % of.len()].to_owned();
    let uid = InstanceUid::from_bytes(&[number + 1; 16]).unwrap();
    let mut agent = Agent::new(uid, Timestamp(NOW.0 - 1000 * (look % 7)));
    agent.last_seen = Timestamp(NOW.0 - 10_000 * (look % 12));
    agent.link = match look % 5 {
        0 => Link::Down { since: NOW },
        1 => Link::Departed { since: NOW },
        2 => Link::Up { transport: Transport::Http, since: NOW },
        _ => Link::Up { transport: Transport::WebSocket, since: NOW },
    };
    let heartbeat = AgentCapabilities::REPORTS_HEARTBEAT;
    agent.capabilities = AgentCapabilities::REPORTS_STATUS.with_if(heartbeat, look.is_multiple_of(2));
    let mut pairs = vec![
        KeyValue::text("host.name", pick(&["Web-1", "web-2", "db", "ü"], look / 3)),
        KeyValue::text("service.version", pick(&["3.1.9", "3.2.0-rc.1", "3.10", "none"], look / 5)),
    ];
    if !look.is_multiple_of(3) {
        pairs.push(KeyValue::text("os.type", pick(&["linux", "windows"], look / 7)));
    }
    let description = AgentDescription { identifying_attributes: pairs, ..AgentDescription::default() };
    agent.hear_description(&description, NOW);
    if !look.is_multiple_of(4) {
        let health = ComponentHealth {
            healthy: look.is_multiple_of(2),
            last_error: pick(&["TLS broke", "disk full"], look / 11),
            ..ComponentHealth::default()
        };
        agent.hear_health(&health, NOW);
    }
    if look.is_multiple_of(6) {
        let custom = CustomCapabilities {
            capabilities: vec!["a.b".into(), pick(&["c", "d"], look)],
            ..Default::default()
        };
        agent.hear_custom_capabilities(&custom, NOW);
    }
    if !look.is_multiple_of(5) {
        let labels = [("env".to_owned(), Some(pick(&["prod", "dev"], look / 13)))];
        agent.labels = agent.labels.patched(&labels.into()).unwrap();
    }
    agent
}

/// Shards as a server keeps them, and the agents that are in them.
#[derive(Default)]
struct Fleet {
    shards: [Shard; 3],
    agents: BTreeMap<InstanceUid, Agent>,
}

impl Fleet {
    fn of(looks: &[(u8, u64)]) -> Self {
        let mut fleet = Self::default();
        for (number, look) in looks {
            let number = number % 20;
            let shard = &mut fleet.shards[usize::from(number % 3)];
            let agent = agent(number, *look);
            if look % 10 == 9 {
                shard.remove(&agent.uid);
                fleet.agents.remove(&agent.uid);
            } else {
                shard.update(&Facts::of(&agent));
                fleet.agents.insert(agent.uid, agent);
            }
        }
        fleet
    }

    fn scan(&self, request: Request<'_>) -> Found {
        let mut scan = Scan::new(request);
        self.shards.iter().for_each(|shard| scan.shard(shard));
        scan.finish()
    }

    fn list(&self, q: &str, sort: &str, after: Option<&Position>, limit: Option<usize>) -> Found {
        let (query, sort) = (Query::parse(q).unwrap(), Sort::read(sort).unwrap());
        self.scan(Request { query: &query, clock: CLOCK, sort: &sort, after, limit, facets: &[] })
    }

    fn facet(&self, q: &str, key: &str) -> Facet {
        let (query, key) = (Query::parse(q).unwrap(), crate::query::Key::named(key).unwrap());
        let facets = [key];
        let request =
            Request { query: &query, clock: CLOCK, sort: &[], after: None, limit: Some(0), facets: &facets };
        self.scan(request).facets.remove(0)
    }

    /// What the agents say themselves.
    fn expected(&self, q: &str) -> Vec<InstanceUid> {
        let query = Query::parse(q).unwrap();
        let matches = |agent: &&Agent| query.matches(&Facts::of(agent).at(NOW, CLOCK.interval));
        self.agents.values().filter(matches).map(|agent| agent.uid).collect()
    }
}

fn query() -> impl Strategy<Value = String> {
    let term = prop::sample::select(vec![
        "",
        "web",
        "db",
        "name:web-*",
        "name=Web-1",
        "uid:0101*",
        "uid:05050505-0505-0505-0505-050505050505",
        "connection:connected,late",
        "connection:disconnected",
        "connection:departed",
        "health:healthy",
        "health:unknown,degraded",
        "config:unmanaged",
        "proof:*",
        "attention:act",
        "attention:ok,watch",
        "transport:http",
        "transport:*",
        "capability:ReportsHeartbeat",
        "capability:c",
        "capability:a*",
        "error:tls",
        "error:*",
        "config_hash:*",
        "first_seen:>2s",
        "last_seen:<=40s",
        "version:<3.2",
        "version:>=3.2",
        "version:3.*",
        "os:linux",
        "os:*",
        "-os:",
        "attr.none:*",
        "label.env:prod",
        "label.env=dev",
        "-label.env:",
        "label.none:x",
    ]);
    let term = term.prop_map(ToOwned::to_owned);
    term.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("(web {a}) OR (db {b})")),
            inner.prop_map(|a| format!("-(db {a})")),
        ]
    })
}

fn looks() -> impl Strategy<Value = Vec<(u8, u64)>> {
    prop::collection::vec((any::<u8>(), any::<u64>()), 0..60)
}

proptest! {
    #[test]
    fn given_any_fleet_when_asked_then_the_index_says_what_the_agents_say(looks in looks(), q in query()) {
        let fleet = Fleet::of(&looks);
        let found = fleet.list(&q, "", None, None);
        prop_assert_eq!(found.uids().collect::<Vec<_>>(), fleet.expected(&q), "{}", q);
        prop_assert_eq!(found.total, found.rows.len() as u64);
        let query = Query::parse(&q).unwrap();
        for agent in fleet.agents.values() {
            let shard = &fleet.shards[usize::from((agent.uid.as_bytes()[0] - 1) % 3)];
            let alone = shard.matches(&agent.uid, &query, CLOCK);
            prop_assert_eq!(alone, Some(found.uids().any(|uid| uid == agent.uid)), "{}", q);
        }
    }

    #[test]
    fn given_any_order_when_read_page_by_page_then_each_agent_comes_once_and_as_in_one_list(
        looks in looks(),
        q in query(),
        sort in prop::sample::select(vec![
            "", "name", "-name", "-uid", "version,-last_seen", "-version", "attention,name", "label.env,-os",
            "-first_seen", "last_seen", "error,-health,config,transport", "attr.none,-connection",
        ]),
        limit in 1..7_usize,
    ) {
        let fleet = Fleet::of(&looks);
        let whole = fleet.list(&q, sort, None, None);
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = fleet.list(&q, sort, after.as_ref(), Some(limit));
            prop_assert_eq!(page.total, whole.total);
            prop_assert!(page.rows.len() <= limit);
            pages.extend(page.rows);
            after = pages.last().cloned();
            if !page.more {
                break;
            }
        }
        prop_assert_eq!(pages, whole.rows);
    }

    #[test]
    fn given_any_fleet_when_counted_then_each_value_has_as_many_agents_as_its_query(
        looks in looks(),
        q in query(),
        key in prop::sample::select(vec!["health", "connection", "attention", "version", "os", "label.env", "transport"]),
    ) {
        let fleet = Fleet::of(&looks);
        // A bracket keeps `q` one part, so that only terms within it are felt.
        let q = if q.trim().is_empty() { "*".to_owned() } else { format!("(web OR -web) ({q})") };
        let other = if key == "os" { "name:*" } else { "os:*" };
        let facet = fleet.facet(&format!("{other} {key}:* {q}"), key);
        let rest = |extra: &str| fleet.expected(&format!("{other} {extra} {q}")).len() as u64;
        if !q.contains(key) {
            for (value, count) in &facet.values {
                prop_assert_eq!(*count, rest(&format!("{key}=\"{value}\"")), "{} {}", key, value);
            }
            prop_assert_eq!(facet.missing, rest(&format!("-{key}:")), "{}", key);
            prop_assert_eq!(facet.other, 0);
        }
    }
}

#[test]
fn given_an_agent_that_speaks_when_touched_then_only_what_time_decides_changes() {
    let mut fleet = Fleet::default();
    let mut silent = agent(0, 4);
    (silent.last_seen, silent.link) =
        (Timestamp(NOW.0 - 80_000), Link::Up { transport: Transport::Http, since: NOW });
    fleet.shards[0].update(&Facts::of(&silent));
    assert_eq!(fleet.list("connection:late", "", None, None).total, 1);
    fleet.shards[0].touch(&silent.uid, NOW);
    assert_eq!(fleet.list("connection:connected last_seen:<1s", "", None, None).total, 1);
}

/// A filter on health must not empty the facet that offers the other values of health.
#[test]
fn given_a_filter_on_a_key_when_its_facet_is_counted_then_the_other_values_are_still_there() {
    let looks: Vec<_> = (0..20).map(|n: u8| (n, u64::from(n) * 31 + 1)).collect();
    let fleet = Fleet::of(&looks);
    assert_eq!(fleet.facet("health:healthy", "health"), fleet.facet("", "health"));
    assert!(fleet.facet("", "health").values.len() > 1);
    let os = fleet.facet("health:healthy", "os");
    assert!(os.values.iter().map(|(_, count)| count).sum::<u64>() < 20);
}

#[test]
fn given_more_values_than_are_told_when_counted_then_the_rest_is_one_number() {
    let mut shard = Shard::default();
    for number in 0..80_u8 {
        let mut one = agent(0, 3);
        one.uid = InstanceUid::from_bytes(&[number + 1; 16]).unwrap();
        one.labels = one.labels.patched(&[("n".into(), Some(format!("v{number}")))].into()).unwrap();
        shard.update(&Facts::of(&one));
    }
    let fleet = Fleet { shards: [shard, Shard::default(), Shard::default()], ..Fleet::default() };
    let facet = fleet.facet("", "label.n");
    assert_eq!(
        (facet.values.len(), facet.other, facet.missing),
        (MAX_FACET_VALUES, 80 - MAX_FACET_VALUES as u64, 0)
    );
}

#[test]
fn given_orders_that_cannot_be_then_they_are_refused() {
    for (text, part) in [
        ("nmae", "did you mean name"),
        ("capability", "no order"),
        ("name,os,version,arch,uid", "at most 4"),
        ("-", "unknown key"),
    ] {
        let error = Sort::read(text).unwrap_err();
        assert!(error.0.contains(part), "{text}: {error}");
    }
    assert_eq!(Sort::read("").unwrap(), []);
}

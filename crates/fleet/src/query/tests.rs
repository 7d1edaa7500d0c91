//! What is read, what is refused and where, what matches; and what holds for any text.

use std::time::Duration;

use proptest::prelude::*;
use tidegate_opamp::{AgentCapabilities, AgentDescription, InstanceUid, KeyValue};

use super::facts::Facts;
use super::*;
use crate::agent::{Link, Transport};
use crate::{Agent, Timestamp};

const NOW: Timestamp = Timestamp(1_000_000_000);
const INTERVAL: Duration = Duration::from_secs(30);

fn agent(pairs: &[(&str, &str)]) -> Agent {
    let uid = InstanceUid::from_bytes(&[0xAB; 16]).unwrap();
    let mut agent = Agent::new(uid, Timestamp(NOW.0 - 3_600_000));
    agent.last_seen = Timestamp(NOW.0 - 20_000);
    agent.link = Link::Up { transport: Transport::WebSocket, since: agent.first_seen };
    agent.capabilities = AgentCapabilities::REPORTS_STATUS.with(AgentCapabilities::REPORTS_HEALTH);
    let description = AgentDescription {
        identifying_attributes: pairs.iter().map(|(key, value)| KeyValue::text(*key, *value)).collect(),
        ..AgentDescription::default()
    };
    agent.hear_description(&description, NOW);
    let label = |key: &str, value: &str| (key.to_owned(), Some(value.to_owned()));
    agent.labels = agent.labels.patched(&[label("env", "prod"), label("ring", "10")].into()).unwrap();
    agent
}

fn web() -> Agent {
    agent(&[
        ("host.name", "Web-1"),
        ("service.name", "fluent-bit"),
        ("service.version", "3.1.9"),
        ("os.type", "linux"),
        ("site", "north sea"),
        ("path", "C:\\data*"),
        ("empty", ""),
    ])
}

fn matches(agent: &Agent, text: &str) -> bool {
    let query = Query::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    query.matches(&Facts::of(agent).at(NOW, INTERVAL))
}

#[test]
fn given_an_agent_when_asked_then_terms_hold_as_they_are_written() {
    let agent = web();
    for (text, expected) in [
        ("", true),
        ("web", true),
        ("WEB", true),
        ("eb-", true),
        ("w*1", true),
        ("w*2", false),
        ("abab-abab", true),
        ("*", true),
        ("name:web-1", true),
        ("name:web", false),
        ("name:web-*", true),
        ("name=Web-1", true),
        ("name=web-1", false),
        ("name=Web-*", false),
        ("name:a,web-1,b", true),
        ("name=a,Web-1", true),
        ("-name:web-1", false),
        ("NOT name:web-1", false),
        ("--name:web-1", true),
        ("uid:abababab-*", true),
        ("connection:connected", true),
        ("connection:dis*,late", false),
        ("health:unknown attention:ok", true),
        ("config:unmanaged", true),
        ("proof:*", false),
        ("-proof:", true),
        ("transport:websocket", true),
        ("transport:http", false),
        ("capability:ReportsHealth", true),
        ("capability:*restart*", false),
        ("service:fluent-bit", true),
        ("os:linux,windows", true),
        ("arch:*", false),
        ("-arch:", true),
        ("version:3.*", true),
        ("version:<3.2", true),
        ("version:<3.1.9", false),
        ("version:<=v3.1.9", true),
        ("version:>3.1.9-rc.1", true),
        ("version:>3.1.10", false),
        ("attr.site:\"north sea\"", true),
        ("attr.site:\"north *\"", true),
        ("attr.site:north", false),
        ("attr.path:\"c:\\data\\*\"", true),
        ("attr.path:\"c:\\data\\*?\"", false),
        ("attr.path=\"C:\\data\\*\"", true),
        ("attr.empty:*", true),
        ("attr.empty:\"\"", true),
        ("attr.absent:\"\"", false),
        ("-attr.absent:", true),
        ("label.env:prod", true),
        ("label.env:prod label.ring:>9", true),
        ("label.ring:<9", false),
        ("label.zone:*", false),
        ("last_seen:>10s", true),
        ("last_seen:<10s", false),
        ("first_seen:>=1h first_seen:<=1h", true),
        ("first_seen:<2d", true),
        ("last_seen:*", true),
        ("error:*", false),
        ("db OR name:web-1", true),
        ("db name:web-1 OR web os:linux", true),
        ("(db OR web) os:windows", false),
        ("(db OR web) AND os:linux", true),
        ("-(db OR web)", false),
        ("web -db", true),
        ("\"AND\"", false),
        ("or", false),
    ] {
        assert_eq!(matches(&agent, text), expected, "{text}");
    }
}

#[test]
fn given_letters_beyond_ascii_when_compared_then_case_does_not_count_either() {
    let agent = agent(&[("host.name", "Nürnberg-ΣΑΣ")]);
    for text in ["NÜRN", "name:nÜ*σας", "name:NÜRNBERG-*", "name=\"Nürnberg-ΣΑΣ\""] {
        assert_eq!(matches(&agent, text), text != "name:nÜ*σας", "{text}");
    }
}

/// A failed health and a failed config are both errors; a healthy agent's last error is none.
#[test]
fn given_an_agent_that_is_ill_when_asked_for_its_error_then_a_part_is_enough() {
    let mut agent = web();
    let ill = tidegate_opamp::ComponentHealth {
        last_error: "TLS handshake failed\nmore".into(),
        ..tidegate_opamp::ComponentHealth::default()
    };
    agent.hear_health(&ill, NOW);
    assert!(matches(&agent, "error:\"tls hand\""));
    assert!(matches(&agent, "error:handshake*failed attention:act"));
    assert!(!matches(&agent, "error:more"));
    assert!(!matches(&agent, "-error:"));
}

#[test]
fn given_queries_that_cannot_be_read_then_the_error_names_the_place_and_what_was_meant() {
    let deep = format!("{}a{}", "(".repeat(40), ")".repeat(40));
    let many = format!("name:{}", vec!["a"; 513].join(","));
    for (text, position, part, hint) in [
        ("healthy:yes", 1, "unknown key \"healthy\"", Some("health")),
        ("heatlh:healthy", 1, "unknown key", Some("health")),
        ("conn:late", 1, "unknown key", Some("connection")),
        ("health:healthy  foo:bar", 17, "unknown key \"foo\"", None),
        ("group:edge", 1, "\"group\" is not known to this server", None),
        ("metric.retries:>0", 1, "\"metric\" is not known to this server", None),
        ("attr.:x", 1, "a name must follow", None),
        ("name:", 1, "a value must follow name", None),
        ("name:a,", 6, "a value is missing beside a comma", None),
        ("name:\"web 1", 6, "never closed", None),
        ("health:helthy", 1, "health is never \"helthy\"", Some("health:healthy")),
        ("health:healthy,good", 1, "health is never \"good\"", None),
        ("config=In-Sync", 1, "config is never \"In-Sync\"", Some("config:in-sync")),
        ("connection:x*", 1, "connection is never", None),
        (
            "last_seen:5m",
            1,
            "compared by its age",
            Some("last_seen:>5m (longer ago) or last_seen:<5m (since)"),
        ),
        ("last_seen:>5", 11, "is no age", None),
        ("last_seen:>99999999999999999w", 11, "is no age", None),
        ("name:>5", 6, "name has no order", None),
        ("version:<", 9, "is no version", None),
        ("version:<three", 9, "is no version", None),
        ("(a b", 1, "never closed", None),
        ("a b)", 4, "closes nothing", None),
        ("a ()", 4, "a term must stand before", None),
        ("a OR", 5, "a term must follow", None),
        ("OR a", 1, "stand between two terms", None),
        ("a AND OR b", 7, "stand between two terms", None),
        ("a - b", 3, "no space between", None),
        ("a -", 4, "a term must follow", None),
        (&deep, 33, "deeper than 32", None),
        (&many, 6, "more than 512 values", None),
    ] {
        let error = Query::parse(text).unwrap_err();
        assert_eq!(error.position, position, "{text:.60}: {error}");
        assert!(error.message.contains(part), "{text:.60}: {error}");
        assert_eq!(error.hint.as_deref(), hint, "{text:.60}: {error}");
    }
    let long = Query::parse(&"x".repeat(MAX_QUERY_BYTES + 1)).unwrap_err();
    assert_eq!(long.position, MAX_QUERY_BYTES);
}

#[test]
fn given_queries_when_written_then_the_text_is_canonical() {
    for (text, canonical) in [
        ("  web   AND  db ", "web db"),
        ("a OR (b OR c) (d e)", "a OR (b OR c) d e"),
        ("((a))", "a"),
        ("(a b) OR c", "a b OR c"),
        ("a (b OR c)", "a (b OR c)"),
        ("NOT (a OR b)", "-(a OR b)"),
        ("-(-(a b))", "a b"),
        ("-name:", "-name:*"),
        ("name:a,*", "name:*"),
        ("name:**a**b", "name:*a*b"),
        ("*web*", "web"),
        ("attr.os.type:Linux", "os:linux"),
        ("attr.Host.Name:\"a b\"", "attr.Host.Name:\"a b\""),
        ("name=\"<3\",b", "name=\"<3\",b"),
        ("version:<=\"3.2\"", "version:<=3.2"),
        ("last_seen:>60s", "last_seen:>1m"),
        ("last_seen:>1500ms", "last_seen:>1500ms"),
        ("attr.p:\"c:\\data\\*\"", "attr.p:\"c:\\\\data\\*\""),
        ("", ""),
    ] {
        let query = Query::parse(text).unwrap();
        assert_eq!(query.to_string(), canonical, "{text}");
        assert_eq!(Query::parse(canonical).unwrap(), query, "{text}");
    }
}

#[test]
fn given_versions_when_ordered_then_semver_holds_and_what_is_none_comes_last() {
    let rising = [
        "0.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "v1.9",
        "1.10",
        "2",
        "3.1.9.1",
        "latest",
        "unknown",
    ];
    for (index, low) in rising.iter().enumerate() {
        for high in &rising[index + 1..] {
            assert!(version::compare(low, high).is_lt(), "{low} {high}");
            assert!(version::compare(high, low).is_gt(), "{high} {low}");
        }
    }
    assert_eq!(Version::read("3.1").unwrap().order_of("v3.1.0+build"), Some(std::cmp::Ordering::Equal));
    for text in ["", "v", "3.", "3.x", "1.2.3.4.5", "99999999999999999999"] {
        assert_eq!(Version::read(text), None, "{text}");
    }
}

/// Text that is more often of the language than not.
fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("name:"),
        Just("attr.a b:"),
        Just("label.env="),
        Just("version:<"),
        Just("last_seen:>5m"),
        Just("health:"),
        Just("healthy"),
        Just("-"),
        Just("("),
        Just(")"),
        Just(" "),
        Just(" OR "),
        Just(" AND "),
        Just("NOT "),
        Just("\""),
        Just("\\"),
        Just("*"),
        Just(","),
        Just("web"),
        Just("3.2"),
        Just("ü"),
        Just("\u{1b}"),
    ];
    prop_oneof![prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat()), any::<String>(),]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{1,4}", "[ -~]{0,6}", any::<String>().prop_map(|text| text.chars().take(6).collect())]
}

fn term() -> impl Strategy<Value = String> {
    let quote = |value: &str| format!("\"{}\"", quote::escaped(value));
    let key =
        prop_oneof![Just("name"), Just("attr.site"), Just("\"attr.x y\""), Just("label.env"), Just("error")];
    prop_oneof![
        value().prop_map(move |value| quote(&value)),
        (key.clone(), value(), value()).prop_map(move |(key, a, b)| format!(
            "{key}:{},{}*",
            quote(&a),
            quote(&b)
        )),
        (key, value()).prop_map(move |(key, value)| format!("{key}={}", quote(&value))),
        Just("version:<3.2".to_owned()),
        Just("last_seen:>10s".to_owned()),
        Just("connection:connected".to_owned()),
        Just("-label.zone:".to_owned()),
    ]
}

fn query() -> impl Strategy<Value = String> {
    term().prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) ({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) OR ({b})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

proptest! {
    #[test]
    fn given_any_text_when_read_then_nothing_panics_and_errors_lie_within(text in text()) {
        match Query::parse(&text) {
            Ok(query) => prop_assert_eq!(&Query::parse(&query.to_string()).unwrap(), &query),
            Err(error) => {
                prop_assert!(error.position >= 1);
                prop_assert!(error.position + error.length <= text.chars().count() + 2, "{}", error);
            }
        }
    }

    #[test]
    fn given_any_query_when_written_and_read_again_then_it_is_the_same(text in query()) {
        let query = Query::parse(&text).unwrap();
        let written = query.to_string();
        let again = Query::parse(&written).unwrap();
        prop_assert_eq!(&again, &query);
        prop_assert_eq!(again.to_string(), written);
        let agent = web();
        prop_assert_eq!(matches(&agent, &text), matches(&agent, &query.to_string()));
    }

    #[test]
    fn given_two_queries_when_negated_together_then_de_morgan_holds(a in query(), b in query(), name in value()) {
        let agent = agent(&[("host.name", &name), ("site", &name), ("service.version", "3.1")]);
        let is = |text: String| matches(&agent, &text);
        prop_assert_eq!(is(format!("-(({a}) ({b}))")), is(format!("-({a}) OR -({b})")));
        prop_assert_eq!(is(format!("-(({a}) OR ({b}))")), is(format!("-({a}) -({b})")));
        prop_assert_eq!(is(format!("-(-({a}))")), is(a.clone()));
        let (either, both) = (format!("({a}) OR -({a})"), format!("({a}) -({a})"));
        prop_assert!(is(either) && !is(both), "{}", a);
    }

    #[test]
    fn given_any_value_when_asked_for_letter_by_letter_then_it_is_found(value in any::<String>()) {
        let agent = agent(&[("site", &value)]);
        let quoted = quote::escaped(&value);
        let text = format!("attr.site=\"{quoted}\" attr.site:\"{quoted}\"");
        prop_assume!(text.len() <= MAX_QUERY_BYTES);
        prop_assert!(matches(&agent, &text));
    }
}

//! Which rules hold for an agent, and which are none.

use std::sync::Arc;

use tidegate_opamp::{Header, Headers, ProxyConnectionSettings};

use super::tests::*;
use super::*;
use crate::Timestamp;
use crate::agent::Transport;

#[test]
fn given_rules_when_several_hold_then_the_narrower_the_higher_and_the_newer_wins_part_by_part() {
    let agent = {
        let mut line = Line::new(BEATS, Transport::WebSocket);
        line.begins();
        line.agent
    };
    let selector = |text: &str| Target::Selector(Selector::parse(text).unwrap());
    let newer = |rule: Arc<Rule>| Arc::new(Rule { at: Timestamp(2), ..(*rule).clone() });
    let own = |kind| Settings { own: [Some(telemetry(kind)), None, None], ..Settings::default() };
    let fleet = rule("fleet", Target::Fleet, 100, Settings { own: own("f").own, ..every(1) });
    let low = rule("low", selector("service:x"), 0, own("low"));
    let new = newer(rule("new", selector("service:x"), 0, every(3)));
    let high = rule("high", selector("service:x"), 1, own("high"));
    let miss = rule("miss", selector("service:y"), 9, every(4));
    let mine = rule("mine", Target::Agent(agent.uid), -9, every(5));
    let resolve = |rules: &[&Arc<Rule>]| {
        let rules = Rules::new(rules.iter().map(|rule| Arc::clone(rule)));
        let places = rules.matching(&agent, Timestamp(5), INTERVAL);
        let resolved = Resolved::of(rules.at(&places), &terms());
        let heartbeat = resolved.heartbeat.as_ref().map(|part| part.rule.to_string());
        (
            heartbeat.unwrap_or_default(),
            resolved.own[0].as_ref().map_or(String::new(), |part| part.rule.to_string()),
        )
    };
    for (rules, heartbeat, metrics) in [
        (&[&fleet][..], "fleet", "fleet"),
        (&[&fleet, &low], "fleet", "low"),
        (&[&low, &fleet, &new], "new", "low"),
        (&[&high, &low, &fleet, &new], "new", "high"),
        (&[&miss, &fleet], "fleet", "fleet"),
        (&[&high, &new, &mine, &fleet], "mine", "high"),
        (&[&miss], "", ""),
    ] {
        assert_eq!(resolve(rules), (heartbeat.to_owned(), metrics.to_owned()), "{rules:?}");
    }
}

#[test]
fn given_selectors_that_follow_moods_or_everything_when_read_then_they_are_refused() {
    for text in ["health:healthy", "connection:connected", "config:failed", "attention:act", "", "name:"] {
        assert!(Selector::parse(text).is_err(), "{text}");
    }
    for text in ["service:x", "attr.zone:a*", "web-1", "os:linux capability:ReportsHealth"] {
        assert!(Selector::parse(text).is_ok(), "{text}");
    }
}

/// S119, S120, S127: what cannot be used is refused where it stands, what is unwise is said.
#[test]
fn given_settings_when_checked_then_findings_name_the_place() {
    let opamp = |endpoint: &str, proxy: Option<&str>| Settings {
        opamp: Some(OpAMPConnectionSettings {
            destination_endpoint: endpoint.into(),
            proxy: proxy
                .map(|url| ProxyConnectionSettings { url: url.into(), ..ProxyConnectionSettings::default() }),
            ..OpAMPConnectionSettings::default()
        }),
        ..Settings::default()
    };
    let metrics =
        |endpoint: &str| Settings { own: [Some(telemetry(endpoint)), None, None], ..Settings::default() };
    let header = |key: &str, value: &str| Settings {
        opamp: Some(OpAMPConnectionSettings {
            headers: Some(Headers {
                headers: vec![Header { key: key.into(), value: value.into(), ..Header::default() }],
                ..Headers::default()
            }),
            ..OpAMPConnectionSettings::default()
        }),
        ..Settings::default()
    };
    for (settings, pointer, warns) in [
        (Settings::default(), "", false),
        (every(MAX_INTERVAL_SECONDS + 1), "/heartbeat/interval_seconds", false),
        (metrics("host:4317"), "/own_metrics/endpoint", false),
        (metrics("host"), "/own_metrics/endpoint", false),
        (metrics(""), "/own_metrics/endpoint", false),
        (metrics("https://host:4318"), "/own_metrics/endpoint", false),
        (metrics("grpc://host:4317/v1/metrics"), "/own_metrics/endpoint", false),
        (metrics("wss://host/v1/metrics"), "/own_metrics/endpoint", false),
        (metrics("https://user:pw@host/v1/metrics"), "/own_metrics/endpoint", false),
        (metrics("http://host:4318/v1/metrics"), "/own_metrics/endpoint", true),
        (opamp("host:4320", None), "/opamp/endpoint", false),
        (opamp("ftp://host/", None), "/opamp/endpoint", false),
        (opamp("ws://host/v1/opamp", None), "/opamp/endpoint", true),
        (opamp("", Some("")), "/opamp/proxy/url", false),
        (header("bad name", "x"), "/opamp/headers/bad name", false),
        (header("a~/b", "x"), "/opamp/headers/a~0~1b", false),
        (header("X", "line\nbreak"), "/opamp/headers/X", false),
    ] {
        let found = check(&settings);
        let seen: Vec<_> = found.iter().map(|it| (it.pointer.as_str(), it.is_warning)).collect();
        assert_eq!(seen, [(pointer, warns)], "{settings:?}: {found:?}");
    }
    for settings in [
        everything(),
        every(0),
        every(1),
        metrics("https://host:4318/v1/metrics"),
        opamp("wss://host:443/v1/opamp", Some("http://proxy:3128")),
        opamp("", None),
        header("Authorization", "Bearer x"),
    ] {
        assert_eq!(check(&settings), [], "{settings:?}");
    }
}

/// S143: secrets are not in what is logged.
#[test]
fn given_secrets_when_printed_then_they_are_left_out() {
    let header = Header { key: "Authorization".into(), value: "tell-nobody".into(), ..Header::default() };
    let opamp = OpAMPConnectionSettings {
        headers: Some(Headers { headers: vec![header], ..Headers::default() }),
        ..OpAMPConnectionSettings::default()
    };
    let rule = rule("r", Target::Fleet, 0, Settings { opamp: Some(opamp), ..Settings::default() });
    let mut line = Line::new(ACCEPTS, Transport::WebSocket);
    line.agent.settle(&Arc::new(Resolved::of([&*rule], &terms())));
    let printed = format!("{rule:?} {:?}", line.agent);
    assert!(!printed.contains("tell-nobody"), "{printed}");
}

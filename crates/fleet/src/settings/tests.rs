use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_opamp::{
    AgentCapabilities, AgentDescription, AgentToServer, ConnectionSettingsOffers, ConnectionSettingsStatus,
    ConnectionSettingsStatuses, Header, Headers, InstanceUid, KeyValue, ServerCapabilities, ServerToAgent,
};

use super::*;
use crate::agent::{Limits, Link, Transport};
use crate::offer::{Occasion, Profile, build};
use crate::session::{Arrival, receive};
use crate::{Agent, Timestamp};

pub(super) const ACCEPTS: u64 = 0x100;
pub(super) const BEATS: u64 = 0x2000;
pub(super) const ANSWERS: u64 = 0x8000;
pub(super) const INTERVAL: Duration = Duration::from_secs(30);

pub(super) fn terms() -> Terms {
    Terms { endpoint: Some("wss://tide.example/v1/opamp".into()), interval_seconds: 30 }
}

pub(super) fn rule(name: &str, target: Target, priority: i32, settings: Settings) -> Arc<Rule> {
    Arc::new(Rule {
        name: RuleName::parse(name).unwrap(),
        target,
        priority,
        settings,
        actor: "admin".into(),
        at: Timestamp(1),
        revision: 1,
    })
}

pub(super) fn every(seconds: u32) -> Settings {
    let interval = if seconds == 0 { Heartbeat::Off } else { Heartbeat::Every(seconds) };
    Settings { heartbeat: Some(HeartbeatSetting { interval, force: false }), ..Settings::default() }
}

pub(super) fn telemetry(endpoint: &str) -> TelemetryConnectionSettings {
    TelemetryConnectionSettings { destination_endpoint: endpoint.into(), ..Default::default() }
}

pub(super) fn everything() -> Settings {
    let own = |kind: &str| Some(telemetry(&format!("https://otlp.example/v1/{kind}")));
    let other = OtherConnectionSettings { destination_endpoint: "db:5432".into(), ..Default::default() };
    Settings {
        own: [own("metrics"), own("traces"), own("logs")],
        other: [("db".to_owned(), other)].into(),
        ..every(10)
    }
}

pub(super) fn resolved(settings: Settings) -> Arc<Resolved> {
    Arc::new(Resolved::of([&*rule("r", Target::Fleet, 0, settings)], &terms()))
}

/// An agent with its connection, and what it and the server say.
pub(super) struct Line {
    pub(super) agent: Agent,
    pub(super) now: Timestamp,
    pub(super) transport: Transport,
    pub(super) number: u64,
}

impl Line {
    pub(super) fn new(capabilities: u64, transport: Transport) -> Self {
        let mut agent = Agent::new(InstanceUid::from_bytes(&[7; 16]).unwrap(), Timestamp(1));
        agent.capabilities = AgentCapabilities(capabilities | 1);
        Self { agent, now: Timestamp(1_000_000), transport, number: 0 }
    }

    pub(super) fn with(capabilities: u64, settings: Settings) -> Self {
        let mut line = Self::new(capabilities, Transport::WebSocket);
        line.agent.settle(&resolved(settings));
        line
    }

    pub(super) fn message(&mut self) -> AgentToServer {
        self.number += 1;
        AgentToServer { sequence_num: self.number, ..AgentToServer::default() }
    }

    pub(super) fn full(&mut self) -> AgentToServer {
        let description = AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.name", "x")],
            ..AgentDescription::default()
        };
        AgentToServer { agent_description: Some(description), ..self.message() }
    }

    pub(super) fn hear(
        &mut self,
        message: AgentToServer,
        occasion: Occasion,
    ) -> Option<ConnectionSettingsOffers> {
        self.now.0 += 1000;
        let arrival = Arrival { now: self.now, transport: self.transport };
        receive(&mut self.agent, &mut [], message, arrival, &Limits::default()).unwrap();
        self.build(occasion).connection_settings
    }

    pub(super) fn build(&mut self, occasion: Occasion) -> ServerToAgent {
        let profile = Profile { capabilities: ServerCapabilities(1), custom_capabilities: Vec::new() };
        build(&mut self.agent, &mut [], &profile, occasion, false, self.now).message
    }

    pub(super) fn begins(&mut self) -> Option<ConnectionSettingsOffers> {
        let full = self.full();
        self.hear(full, Occasion::Introduction)
    }

    pub(super) fn beats(&mut self) -> Option<ConnectionSettingsOffers> {
        let beat = self.message();
        self.hear(beat, Occasion::Reply)
    }

    pub(super) fn answers(
        &mut self,
        hash: &[u8],
        status: ConnectionSettingsStatuses,
    ) -> Option<ConnectionSettingsOffers> {
        let status = ConnectionSettingsStatus {
            last_connection_settings_hash: Bytes::copy_from_slice(hash),
            status,
            error_message: "no route".into(),
            ..ConnectionSettingsStatus::default()
        };
        let message = AgentToServer { connection_settings_status: Some(status), ..self.message() };
        self.hear(message, Occasion::Reply)
    }

    pub(super) fn state(&self) -> (State, Option<Duration>) {
        let view = heartbeat(&self.agent, INTERVAL);
        (view.state, view.expected)
    }
}

/// S111: each class goes only to an agent with its capability.
#[test]
fn given_agents_with_one_capability_each_when_offered_then_each_offer_holds_that_class_alone() {
    for (bit, class) in
        [(0x20, "traces"), (0x40, "metrics"), (0x80, "logs"), (ACCEPTS | BEATS, "opamp"), (0x200, "other")]
    {
        let offer = Line::with(bit, everything()).begins().unwrap();
        let held = [
            (offer.opamp.is_some(), "opamp"),
            (offer.own_metrics.is_some(), "metrics"),
            (offer.own_traces.is_some(), "traces"),
            (offer.own_logs.is_some(), "logs"),
            (!offer.other_connections.is_empty(), "other"),
        ];
        let held: Vec<_> = held.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        assert_eq!(held, [class], "{bit:#x}");
    }
    assert!(Line::with(0x1, everything()).begins().is_none());
}

/// S113, S114: the hash is one of all settings, whatever an agent is offered of them, and never empty.
#[test]
fn given_settings_when_any_part_changes_then_the_hash_does_and_equal_ones_share_it() {
    let base = resolved(everything());
    assert_eq!(base.hash, resolved(everything()).hash);
    assert_ne!(base.hash, [0; 32]);
    let mut changes: Vec<Settings> = vec![every(11), every(0), Settings::default()];
    for kind in 0..3 {
        let mut changed = everything();
        changed.own[kind] = Some(telemetry("https://elsewhere.example/v1/x"));
        changes.push(changed);
    }
    let mut changed = everything();
    changed.other.clear();
    changes.push(changed);
    let hashes: std::collections::HashSet<_> = changes.into_iter().map(|it| resolved(it).hash).collect();
    assert_eq!((hashes.len(), hashes.contains(&base.hash)), (7, false));
    let whole = Line::with(0x2FE0, everything()).begins().unwrap();
    let traces = Line::with(0x20, everything()).begins().unwrap();
    assert_eq!((&whole.hash[..], &traces.hash), (&base.hash[..], &whole.hash));
}

/// S115, S116, ruling A15: the hash alone decides, also after a failure, until the settings change.
#[test]
fn given_an_agent_that_answers_when_its_hash_differs_then_and_only_then_it_is_offered() {
    let (applied, applying, failed) = (
        ConnectionSettingsStatuses::Applied,
        ConnectionSettingsStatuses::Applying,
        ConnectionSettingsStatuses::Failed,
    );
    for end in [applied, failed] {
        let mut line = Line::with(ACCEPTS | BEATS | ANSWERS, every(10));
        let hash = line.begins().unwrap().hash;
        assert_eq!(line.state(), (State::Offered, Some(INTERVAL)));
        assert!(line.beats().is_some(), "not answered yet");
        assert!(line.build(Occasion::Push).connection_settings.is_none(), "unasked it is said once");
        assert!(line.answers(b"stale", applied).is_some());
        assert!(line.answers(&hash, applying).is_none());
        assert!(line.answers(&hash, end).is_none());
        assert!((0..10).all(|_| line.beats().is_none()));
        line.agent.link = Link::Down { since: line.now };
        line.number = 70;
        assert!(line.begins().is_none(), "a new connection changes nothing");
        let expected = if end == applied {
            (State::Acknowledged, Some(Duration::from_secs(10)))
        } else {
            (State::Failed, Some(INTERVAL))
        };
        assert_eq!(line.state(), expected);
        line.agent.settle(&resolved(every(20)));
        assert!(line.build(Occasion::Push).connection_settings.is_some(), "new settings");
    }
}

/// S117: own telemetry is in the first message, again when it changes or the agent begins anew, and never otherwise.
#[test]
fn given_an_agent_that_never_answers_then_it_is_offered_once_a_connection_and_change() {
    let mut line = Line::with(0xE0, everything());
    assert!(line.begins().is_some());
    assert!((0..10).all(|_| line.beats().is_none()));
    line.agent.settle(&resolved(Settings { own: [None, None, None], ..everything() }));
    assert!(line.build(Occasion::Push).connection_settings.is_some());
    assert!(line.beats().is_none());
    line.now.0 += 1000;
    line.agent.link = Link::Down { since: line.now };
    assert!(line.begins().is_some());
    line.number = 0;
    let full = line.full();
    assert!(line.hear(full, Occasion::Reply).is_some(), "a full report out of order: its process is new");
    assert!(line.beats().is_none());
}

/// S117, S121: an agent that connects anew to use an offer, and forgets its hash, is not sent round in circles.
#[test]
fn given_an_agent_that_reconnects_at_each_offer_when_it_comes_back_then_its_connection_is_left_alone() {
    let mut line = Line::with(ACCEPTS | BEATS | 0x40, everything());
    assert!(line.begins().unwrap().opamp.is_some());
    for _ in 0..3 {
        line.number = 90;
        line.now.0 += 1000;
        line.agent.link = Link::Down { since: line.now };
        let offer = line.begins().expect("its telemetry is told on each connection");
        assert!(offer.opamp.is_none() && offer.own_metrics.is_some());
    }
    line.now.0 += 60_000;
    line.agent.link = Link::Down { since: line.now };
    assert!(line.begins().unwrap().opamp.is_some(), "later its process is new");
}

/// S118, ruling A9: all kinds of telemetry go out together, and what is no longer given is withdrawn.
#[test]
fn given_a_change_of_traces_when_offered_then_metrics_and_logs_are_there_and_what_went_is_withdrawn() {
    let mut line = Line::with(0xE0, everything());
    line.begins();
    let mut changed = everything();
    changed.own[1] = Some(telemetry("https://elsewhere.example/v1/traces"));
    line.agent.settle(&resolved(changed.clone()));
    let offer = line.beats().unwrap();
    let endpoint = |own: &Option<TelemetryConnectionSettings>| own.clone().unwrap().destination_endpoint;
    assert_eq!(endpoint(&offer.own_metrics), "https://otlp.example/v1/metrics");
    assert_eq!(endpoint(&offer.own_traces), "https://elsewhere.example/v1/traces");
    assert_eq!(endpoint(&offer.own_logs), "https://otlp.example/v1/logs");
    changed.own[0] = None;
    line.agent.settle(&resolved(changed));
    assert_eq!(endpoint(&line.beats().unwrap().own_metrics), "");
    line.agent.settle(&Arc::new(Resolved::of([], &terms())));
    let offer = line.beats().expect("without any rule the rest is withdrawn");
    assert_eq!(endpoint(&offer.own_logs), "");
    let mut fresh = Line::new(0xE0, Transport::WebSocket);
    assert!(!fresh.agent.settle(&Arc::new(Resolved::of([], &terms()))));
    assert!(fresh.begins().is_none(), "one that never had any is left alone");
}

/// S084, S120, S121, S125, S126, rulings A1 and A8: an OpAMP offer is complete whatever the rule says.
#[test]
fn given_a_rule_for_a_header_when_offered_then_endpoint_and_interval_are_there() {
    let headers = Headers {
        headers: vec![Header { key: "X-Team".into(), value: "blue".into(), ..Header::default() }],
        ..Headers::default()
    };
    let opamp = OpAMPConnectionSettings { headers: Some(headers.clone()), ..Default::default() };
    let settings = Settings { opamp: Some(opamp), ..Settings::default() };
    for (transport, endpoint) in [
        (Transport::WebSocket, "wss://tide.example/v1/opamp"),
        (Transport::Http, "https://tide.example/v1/opamp"),
    ] {
        let mut line = Line::new(ACCEPTS, transport);
        line.agent.settle(&resolved(settings.clone()));
        let offer = line.begins().unwrap().opamp.unwrap();
        let expected = OpAMPConnectionSettings {
            destination_endpoint: endpoint.into(),
            headers: Some(headers.clone()),
            heartbeat_interval_seconds: 30,
            ..OpAMPConnectionSettings::default()
        };
        assert_eq!(offer, expected);
    }
}

/// S120: without an advertised URL an agent keeps the one it used; without that nothing is offered.
#[test]
fn given_no_advertised_url_when_offered_then_the_agent_keeps_its_own() {
    let terms = Terms { endpoint: None, interval_seconds: 30 };
    let resolved = Arc::new(Resolved::of([&*rule("r", Target::Fleet, 0, every(10))], &terms));
    let mut line = Line::new(ACCEPTS | BEATS, Transport::WebSocket);
    line.agent.settle(&resolved);
    assert!(line.begins().is_none());
    let view = heartbeat(&line.agent, INTERVAL);
    assert!(view.state == State::Pending && view.reason.contains("agents.advertised_endpoint"), "{view:?}");
    line.agent.reach(&"ws://10.0.0.1:4320/v1/opamp".into());
    assert_eq!(line.beats().unwrap().opamp.unwrap().destination_endpoint, "ws://10.0.0.1:4320/v1/opamp");
}

/// S083, S085, S112: who may be offered an interval.
#[test]
fn given_an_interval_when_an_agent_lacks_a_capability_then_only_an_operators_word_offers_it() {
    let force = |settings: Settings| Settings {
        heartbeat: settings.heartbeat.map(|heartbeat| HeartbeatSetting { force: true, ..heartbeat }),
        ..settings
    };
    for (capabilities, settings, offered) in [
        (ACCEPTS | BEATS, every(10), Some(10)),
        (BEATS, every(10), None),
        (BEATS, force(every(10)), Some(10)),
        (ACCEPTS, every(10), None),
        (ACCEPTS, force(every(10)), None),
        (ACCEPTS | BEATS, every(0), Some(0)),
    ] {
        let mut line = Line::with(capabilities, settings);
        let offer = line.begins().map(|offer| offer.opamp.unwrap());
        assert_eq!(
            offer.as_ref().map(|opamp| opamp.heartbeat_interval_seconds),
            offered,
            "{capabilities:#x}"
        );
        assert!(offer.is_none_or(|opamp| !opamp.destination_endpoint.is_empty()));
        assert_eq!(line.state().0 == State::Unsupported, offered.is_none(), "{capabilities:#x}");
    }
}

/// S086, ruling A1: heartbeats of an agent that polls cannot be turned off.
#[test]
fn given_heartbeats_off_when_an_agent_polls_then_it_is_told_to_go_on() {
    let mut line = Line::new(ACCEPTS | BEATS, Transport::Http);
    line.agent.settle(&resolved(every(0)));
    assert_eq!(line.begins().unwrap().opamp.unwrap().heartbeat_interval_seconds, 30);
    assert_eq!(line.state(), (State::Unsupported, Some(INTERVAL)));
    let mut socket = Line::with(ACCEPTS | BEATS, every(0));
    socket.begins();
    assert_eq!(socket.state(), (State::Offered, None), "its socket alone shows that it is there");
}

/// S082, S086: an agent is late by the interval that it took, not by the server's own.
#[test]
fn given_an_interval_that_was_taken_when_the_agent_is_silent_then_it_is_late_by_that() {
    use crate::agent::axes::{Connection, connection};
    let mut line = Line::with(ACCEPTS | BEATS, every(10));
    line.begins();
    let after = |line: &Line, seconds: u64| {
        connection(&line.agent, line.now.plus(Duration::from_secs(seconds)), INTERVAL).value
    };
    assert_eq!((after(&line, 14), after(&line, 15)), (Connection::Connected, Connection::Late));
    line.agent.settle(&resolved(every(3600)));
    line.beats();
    assert_eq!(after(&line, 5000), Connection::Connected);
    line.agent.settle(&resolved(every(0)));
    line.beats();
    assert_eq!(after(&line, 1_000_000), Connection::Connected);
}

/// S124: an agent that is sent elsewhere counts as moved once it has left.
#[test]
fn given_another_server_when_offered_then_the_agent_is_moved_once_it_has_left() {
    let opamp = OpAMPConnectionSettings {
        destination_endpoint: "wss://b.example/v1/opamp".into(),
        ..OpAMPConnectionSettings::default()
    };
    let mut line = Line::with(ACCEPTS, Settings { opamp: Some(opamp), ..Settings::default() });
    assert_eq!(line.begins().unwrap().opamp.unwrap().destination_endpoint, "wss://b.example/v1/opamp");
    let moved = |line: &Line| standing(&line.agent).unwrap().moved.unwrap();
    assert_eq!(moved(&line), ("wss://b.example/v1/opamp".into(), None));
    assert_eq!(moved_to(&line.agent), None);
    line.now.0 += 1000;
    line.agent.link = Link::Down { since: line.now };
    assert_eq!(moved(&line).1, Some(line.now));
    let axis = crate::agent::axes::connection(&line.agent, line.now, INTERVAL);
    assert!(axis.reason.contains("told to connect to wss://b.example/v1/opamp"), "{}", axis.reason);
}

use std::time::Duration;

use bytes::Bytes;
use tidegate_opamp::*;

use super::*;
use crate::agent::{Assignment, Desired, axes};
use crate::offer::{self, Occasion, Profile};
use crate::{CommandKind, CommandState, Config, PushId};

pub(super) const UID: [u8; 16] = [7; 16];

/// When the agents' process started, nanoseconds since 1970.
pub(super) const STARTED: u64 = 1_700_000_000_000_000_000;

pub(super) fn at(seconds: u64) -> Arrival {
    Arrival { now: Timestamp(1_800_000_000_000 + seconds * 1000), transport: Transport::WebSocket }
}

pub(super) fn report(sequence_num: u64) -> AgentToServer {
    AgentToServer {
        instance_uid: Bytes::copy_from_slice(&UID),
        sequence_num,
        capabilities: 0x1 | 0x2 | 0x4 | 0x400 | 0x800 | 0x1000 | 0x2000,
        ..AgentToServer::default()
    }
}

pub(super) fn full(sequence_num: u64) -> AgentToServer {
    AgentToServer {
        agent_description: Some(AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
            ..AgentDescription::default()
        }),
        health: Some(ComponentHealth {
            healthy: true,
            start_time_unix_nano: STARTED,
            ..ComponentHealth::default()
        }),
        custom_capabilities: Some(CustomCapabilities {
            capabilities: vec![tidegate_custom::prefixed(tidegate_custom::CHATOPS)],
            ..CustomCapabilities::default()
        }),
        ..report(sequence_num)
    }
}

pub(super) fn known() -> Agent {
    let mut agent = Agent::new(InstanceUid::from_bytes(&UID).unwrap(), at(0).now);
    take(&mut agent, &mut [], full(0), at(0));
    agent
}

pub(super) fn take(
    agent: &mut Agent,
    commands: &mut [Command],
    message: AgentToServer,
    arrival: Arrival,
) -> Received {
    receive(agent, commands, message, arrival, &Limits::default()).unwrap()
}

pub(super) fn command(kind: CommandKind) -> Command {
    Command {
        id: CommandId("c-1".into()),
        agent: InstanceUid::from_bytes(&UID).unwrap(),
        kind,
        state: CommandState::Queued,
        actor: "admin".into(),
        created_at: at(0).now,
        deadline: at(3600).now,
        sent_at: None,
        start_time_when_sent: 0,
        finished_at: None,
        outcome: None,
    }
}

pub(super) fn profile() -> Profile {
    Profile {
        capabilities: ServerCapabilities(0x7),
        custom_capabilities: vec![tidegate_custom::CHATOPS.into()],
    }
}

pub(super) fn offer(agent: &mut Agent, commands: &mut [Command], occasion: Occasion) -> offer::Offer {
    offer::build(agent, commands, &profile(), occasion, false, at(1).now)
}

pub(super) fn desire(agent: &mut Agent, body: &'static str) -> ConfigHash {
    let file =
        AgentConfigObject { body: Bytes::from_static(body.as_bytes()), ..AgentConfigObject::default() };
    let files =
        AgentConfigMap { config_map: [("main".to_owned(), file)].into(), ..AgentConfigMap::default() };
    let config = Config::new(files, at(0).now);
    let hash = config.hash;
    let assignment = Assignment { config, push: PushId("p".into()), since: at(0).now };
    agent.assign(Some(Desired::new(assignment.into())));
    hash
}

pub(super) fn status(hash: ConfigHash, status: RemoteConfigStatuses) -> Option<RemoteConfigStatus> {
    Some(RemoteConfigStatus {
        last_remote_config_hash: hash.to_wire(),
        status,
        ..RemoteConfigStatus::default()
    })
}

#[test]
fn given_numbers_in_and_out_of_order_then_the_full_state_is_asked_once_a_gap() {
    // S070–S078, A6: (number, seconds, is full report, expected)
    let steps = [
        (1, 1, false, FullState::Complete),
        (1, 2, false, FullState::Complete),
        (2, 3, false, FullState::Complete),
        (4, 4, false, FullState::Ask),
        (5, 5, false, FullState::Complete),
        (6, 30, false, FullState::Complete),
        (7, 65, false, FullState::Ask),
        (8, 66, true, FullState::Complete),
        (0, 67, true, FullState::Complete),
        (1, 300, false, FullState::Complete),
        (u64::MAX, 301, true, FullState::Complete),
        (0, 302, false, FullState::Complete),
    ];
    let mut agent = known();
    for (number, seconds, is_full, expected) in steps {
        let message = if is_full { full(number) } else { report(number) };
        let received = take(&mut agent, &mut [], message, at(seconds));
        assert_eq!(received.full_state, expected, "number {number} at {seconds} s");
    }
}

#[test]
fn given_an_unknown_agent_when_it_sends_a_heartbeat_then_the_full_state_is_asked() {
    let mut agent = Agent::new(InstanceUid::from_bytes(&UID).unwrap(), at(0).now);
    assert_eq!(take(&mut agent, &mut [], report(57), at(0)).full_state, FullState::Ask);
}

#[test]
fn given_a_crashed_server_when_a_higher_number_comes_then_the_pace_decides() {
    let mut agent = known();
    agent.sequence = crate::agent::Sequence::AtLeast(10);
    assert_eq!(take(&mut agent, &mut [], report(40), at(1)).full_state, FullState::AskPaced);
    assert_eq!(take(&mut agent, &mut [], report(41), at(2)).full_state, FullState::AskPaced);
    agent.sequence = crate::agent::Sequence::AtLeast(10);
    assert_eq!(take(&mut agent, &mut [], report(3), at(3)).full_state, FullState::Ask);
}

#[test]
fn given_parts_left_out_when_received_then_what_is_known_stays() {
    let mut agent = known();
    let before = agent.reported().clone();
    let heartbeat = AgentToServer { capabilities: 0, ..report(1) };
    let received = take(&mut agent, &mut [], heartbeat, at(1));
    assert!(!received.changed.any());
    assert!(received.events.is_empty());
    assert_eq!(agent.reported(), &before);
    assert_eq!(agent.capabilities.0, report(0).capabilities);
}

#[test]
fn given_an_effective_config_without_a_map_then_the_known_one_is_not_wiped() {
    let mut agent = known();
    let some = EffectiveConfig { config_map: Some(AgentConfigMap::default()), ..EffectiveConfig::default() };
    take(&mut agent, &mut [], AgentToServer { effective_config: Some(some), ..report(1) }, at(1));
    let none = AgentToServer { effective_config: Some(EffectiveConfig::default()), ..report(2) };
    assert!(!take(&mut agent, &mut [], none, at(2)).changed.effective_config);
    assert!(agent.reported().effective_config.as_ref().unwrap().get().config_map.is_some());
}

#[test]
fn given_a_report_beyond_the_limits_then_nothing_of_it_is_kept() {
    let mut agent = known();
    let before = agent.clone();
    let description = AgentDescription {
        identifying_attributes: (0..300).map(|n| KeyValue::text(n.to_string(), "x")).collect(),
        ..AgentDescription::default()
    };
    let message = AgentToServer { agent_description: Some(description), ..report(9) };
    let error = receive(&mut agent, &mut [], message, at(1), &Limits::default()).unwrap_err();
    assert_eq!(error.to_string(), "agent_description: attributes number 300, at most 256 are taken");
    assert_eq!(agent, before);
}

#[test]
fn given_a_farewell_then_the_agent_has_departed_and_a_later_close_says_nothing_more() {
    let mut agent = known();
    let bye = AgentToServer { agent_disconnect: Some(AgentDisconnect::default()), ..report(1) };
    take(&mut agent, &mut [], bye, at(1));
    assert_eq!(
        axes::connection(&agent, at(1).now, Duration::from_secs(30)).value,
        axes::Connection::Departed
    );
    assert_eq!(disconnected(&mut agent, at(2).now), None);
}

#[test]
fn given_silence_then_connection_grows_late_and_over_http_ends() {
    let interval = Duration::from_secs(30);
    let mut agent = known();
    for (transport, seconds, expected) in [
        (Transport::WebSocket, 44, axes::Connection::Connected),
        (Transport::WebSocket, 45, axes::Connection::Late),
        (Transport::WebSocket, 900, axes::Connection::Late),
        (Transport::Visits, 44, axes::Connection::Connected),
        (Transport::Visits, 90, axes::Connection::Disconnected),
        (Transport::Http, 89, axes::Connection::Late),
        (Transport::Http, 90, axes::Connection::Disconnected),
    ] {
        agent.link = Link::Up { transport, since: at(0).now };
        assert_eq!(
            axes::connection(&agent, at(seconds).now, interval).value,
            expected,
            "{transport:?} {seconds}"
        );
    }
    agent.capabilities.0 &= !0x2000;
    agent.link = Link::Up { transport: Transport::WebSocket, since: at(0).now };
    assert_eq!(axes::connection(&agent, at(900).now, interval).value, axes::Connection::Connected);
}

#[test]
fn given_a_socket_for_each_message_then_its_comings_and_goings_are_no_events() {
    let mut agent = known();
    visited(&mut agent);
    for second in 1..4 {
        let received = take(&mut agent, &mut [], report(second), at(second));
        assert!(received.events.is_empty() && !received.changed.any(), "{received:?}");
        visited(&mut agent);
    }
    assert_eq!(
        axes::connection(&agent, at(4).now, Duration::from_secs(30)).value,
        axes::Connection::Connected
    );
}

#[test]
fn given_a_desired_config_then_it_is_offered_until_its_hash_comes_back() {
    let mut agent = known();
    let hash = desire(&mut agent, "a");
    assert!(offer(&mut agent, &mut [], Occasion::Reply).message.remote_config.is_some());
    assert!(offer(&mut agent, &mut [], Occasion::Reply).message.remote_config.is_some());
    for (number, state) in [(1, RemoteConfigStatuses::Applying), (2, RemoteConfigStatuses::Failed)] {
        take(
            &mut agent,
            &mut [],
            AgentToServer { remote_config_status: status(hash, state), ..report(number) },
            at(1),
        );
        assert!(offer(&mut agent, &mut [], Occasion::Push).is_empty(), "{state:?}");
    }
    desire(&mut agent, "b");
    assert!(!offer(&mut agent, &mut [], Occasion::Push).is_empty());
    agent.capabilities.0 &= !0x2;
    assert!(offer(&mut agent, &mut [], Occasion::Push).is_empty(), "S096");
}

#[test]
fn given_an_applied_config_then_the_axis_tells_how_much_that_is_worth() {
    let file = |body: &'static str| AgentConfigObject {
        body: Bytes::from_static(body.as_bytes()),
        ..Default::default()
    };
    let effective = |files: &[(&str, &'static str)]| {
        let config_map = files.iter().map(|(name, body)| ((*name).to_owned(), file(body))).collect();
        let map = AgentConfigMap { config_map, ..AgentConfigMap::default() };
        Some(EffectiveConfig { config_map: Some(map), ..EffectiveConfig::default() })
    };
    for (config, value, proof) in [
        (None, axes::ConfigState::Unverifiable, Some(axes::Proof::Unproven)),
        (effective(&[("main", "z")]), axes::ConfigState::InSync, Some(axes::Proof::Unproven)),
        (
            effective(&[("main", "a"), (axes::RENDERED_FILE, "r")]),
            axes::ConfigState::InSync,
            Some(axes::Proof::Proven),
        ),
        (effective(&[("main", "z"), (axes::RENDERED_FILE, "r")]), axes::ConfigState::Drifted, None),
    ] {
        let mut agent = known();
        let hash = desire(&mut agent, "a");
        let remote_config_status = status(hash, RemoteConfigStatuses::Applied);
        take(
            &mut agent,
            &mut [],
            AgentToServer { effective_config: config, remote_config_status, ..report(1) },
            at(1),
        );
        let (axis, found) = axes::config(&agent);
        assert_eq!((axis.value, found), (value, proof));
    }
}

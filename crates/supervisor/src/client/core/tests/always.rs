//! What holds of every message, whatever happens between them.

use tidegate_opamp::{ConnectionSettingsOffers, PackagesAvailable};

use super::*;

/// All that can happen to a client between two messages.
fn happen(client: &mut Client, event: u32) {
    match event % 13 {
        0 => client.change_health(&event.to_string()),
        1 => client.core.lost(Loss::Disconnected),
        2 => client.core.lost(Loss::Unanswered),
        3 => client.core.lost(Loss::TooLarge),
        4 => client.core.connected(),
        5 => drop(client.receive(full_state())),
        6 => drop(client.receive(server(0x7, &[CHATOPS]))),
        7 => drop(client.receive(error(ServerErrorResponseType::Unavailable, None))),
        8 => drop(client.receive(error(ServerErrorResponseType::BadRequest, None))),
        9 => client.core.answer(custom(CHATOPS)),
        10 => drop(client.receive(ServerToAgent::default())),
        11 => client.core.lost(Loss::NotSent),
        _ => client.report.effective_config = effective(&event.to_string()),
    }
    client.core.report(client.report.clone());
}

/// C001–C003, C041, C056, C070: capabilities, uid and the next number are in all of them, heartbeats, repetitions and the
/// farewell included; no bit that is not defined is ever set.
#[test]
fn given_whatever_happens_when_messages_are_taken_then_each_has_its_uid_capabilities_and_the_next_number() {
    const DEFINED: u64 = 0xFFFF;
    for allowed in [capabilities(true, true), capabilities(false, false)] {
        let mut client = Client::allowing(allowed, 1 << 20);
        let mut messages = vec![client.take().unwrap()];
        let mut event = 1_u32;
        for _ in 0..3000 {
            event = event.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let not_sent = (event >> 8) % 13 == 11 && client.core.unanswered.is_some();
            // The first time that it was taken, a repetition may have arrived.
            if not_sent && !client.core.repeats {
                messages.pop();
            }
            happen(&mut client, event >> 8);
            client.now += SECOND * (event >> 28);
            messages.extend(client.take());
        }
        messages.push(client.core.farewell());
        assert!(messages.len() > 1000, "{}", messages.len());
        let mut last: Option<AgentToServer> = None;
        for message in messages {
            assert_eq!(message.capabilities, allowed.0);
            assert_eq!((message.capabilities & 1, message.capabilities & !DEFINED), (1, 0));
            assert_eq!(message.instance_uid, uid().to_wire());
            let repeats = last.as_ref() == Some(&message);
            let next = last.map_or(1, |last| last.sequence_num + u64::from(!repeats));
            assert_eq!(message.sequence_num, next, "the same number is the same message");
            last = Some(message);
        }
    }
}

/// C053, C058, C059: each part goes when it changes, whole and alone.
#[test]
fn given_each_part_in_turn_when_it_changes_then_it_is_sent_whole_and_alone() {
    fn described(report: &mut AgentReport) {
        report.description = Arc::new(AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.name", "x")],
            non_identifying_attributes: vec![KeyValue::text("os.type", "linux")],
            ..AgentDescription::default()
        });
    }
    fn sick(report: &mut AgentReport) {
        let part = |healthy| ComponentHealth { healthy, ..ComponentHealth::default() };
        report.health = Arc::new(ComponentHealth {
            component_health_map: [("a".to_owned(), part(true)), ("b".to_owned(), part(false))].into(),
            ..(*report.health).clone()
        });
    }
    fn configured(report: &mut AgentReport) {
        report.effective_config = effective("another");
    }
    fn judged(report: &mut AgentReport) {
        report.remote_config_status = Some(Arc::new(RemoteConfigStatus {
            last_remote_config_hash: vec![1].into(),
            ..RemoteConfigStatus::default()
        }));
    }
    let mut client = Client::settled();
    for part in ["d", "h", "e", "r"] {
        match part {
            "d" => described(&mut client.report),
            "h" => sick(&mut client.report),
            "e" => configured(&mut client.report),
            _ => judged(&mut client.report),
        }
        client.core.report(client.report.clone());
        let message = client.take().unwrap();
        assert_eq!(parts(&message), part);
        let report = &client.report;
        match part {
            "d" => assert_eq!(message.agent_description.as_ref(), Some(&*report.description)),
            "h" => assert_eq!(message.health.as_ref(), Some(&*report.health)),
            "e" => assert_eq!(message.effective_config.as_ref(), Some(&*report.effective_config)),
            _ => assert_eq!(message.remote_config_status.as_ref(), report.remote_config_status.as_deref()),
        }
        assert_eq!(client.take(), None);
    }
}

/// C008: all that a server can offer leaves a client without leave for it as it is: no effect, no error, no status.
#[test]
fn given_a_client_without_leave_when_everything_is_offered_then_nothing_happens() {
    let mut client = Client::allowing(capabilities(false, false), 1 << 20);
    client.take().unwrap();
    let offers = ServerToAgent {
        remote_config: Some(AgentRemoteConfig {
            config_hash: vec![1].into(),
            ..AgentRemoteConfig::default()
        }),
        connection_settings: Some(ConnectionSettingsOffers::default()),
        packages_available: Some(PackagesAvailable::default()),
        command: Some(ServerToAgentCommand::default()),
        custom_message: Some(custom("com.example.other")),
        flags: !server_to_agent_flags::REPORT_FULL_STATE,
        ..server(0, &[CHATOPS])
    };
    assert_eq!(client.receive(offers), []);
    assert_eq!(client.take(), None);
}

/// C011: fields, flags and types of commands that are not known are passed over, and what stands beside them is used.
#[test]
fn given_a_message_of_a_later_version_when_received_then_what_is_known_of_it_is_used() {
    let mut client = Client::settled();
    let offer = AgentRemoteConfig { config_hash: vec![1].into(), ..AgentRemoteConfig::default() };
    let known = ServerToAgent {
        remote_config: Some(offer.clone()),
        flags: !server_to_agent_flags::REPORT_FULL_STATE,
        command: Some(ServerToAgentCommand { kind: CommandType(7), ..ServerToAgentCommand::default() }),
        ..ServerToAgent::default()
    };
    // Field 900 of length 3, and field 901, a number.
    let unknown = [0xA2, 0x38, 3, b'x', b'y', b'z', 0xA8, 0x38, 5];
    let bytes = [&known.encode_to_vec()[..], &unknown].concat();
    let message = ServerToAgent::decode(&bytes[..]).unwrap();
    assert_ne!(message, known, "the unknown fields are there");
    assert_eq!(client.receive(message), [Effect::Apply(offer)]);
    assert_eq!(client.take(), None);
}

/// C053, C065: a server that never says a word, as opamp-go's may, is told each change once; the next connection begins
/// with one report of all that it may not have.
#[test]
fn given_a_server_that_never_answers_when_parts_change_then_each_goes_once_and_all_go_after_a_reconnect() {
    let mut client = Client::new();
    assert_eq!(parts(&client.take().unwrap()), "dhec");
    for change in 0..200 {
        client.change_health(&change.to_string());
        client.core.answer(custom(CHATOPS));
        assert_eq!(parts(&client.take().unwrap()), "h");
        assert_eq!(client.take(), None);
    }
    client.now += HEARTBEAT;
    assert_eq!(parts(&client.take().unwrap()), "");
    client.core.lost(Loss::Disconnected);
    client.core.connected();
    let message = client.take().unwrap();
    assert_eq!(parts(&message), "dhec");
    assert_eq!(message.health.unwrap().status, "199");
    assert_eq!(client.take(), None);
}

/// C018, C019, C035: a message is never above the limit, whatever it is made of; what does not fit with others goes
/// alone, and what does not fit at all does not go, which is logged.
#[test]
fn given_a_small_limit_when_reports_and_answers_are_large_then_no_message_exceeds_it() {
    const LIMIT: usize = 1000;
    let mut client = Client::allowing(capabilities(true, true), LIMIT);
    client.take().unwrap();
    client.receive(server(0, &[CHATOPS]));
    let answer = |bytes| CustomMessage { data: vec![b'x'; bytes].into(), ..custom(CHATOPS) };
    for bytes in [600, 2000, 500] {
        client.core.answer(answer(bytes));
    }
    client.change_health(&"y".repeat(600));
    let mut sent = Vec::new();
    let log = logged(|| {
        while let Some(message) = client.take() {
            assert!(message.encoded_len() <= LIMIT, "{} bytes", message.encoded_len());
            sent.push((parts(&message), message.custom_message.map_or(0, |message| message.data.len())));
        }
        client.report.effective_config = effective(&"z".repeat(LIMIT));
        client.core.report(client.report.clone());
        assert_eq!(parts(&client.take().unwrap()), "");
    });
    let expected = [("h", 0), ("m", 600), ("m", 500)].map(|(parts, bytes)| (parts.to_owned(), bytes));
    assert_eq!(sent, expected);
    for line in ["an answer is dropped", "the effective config is not reported"] {
        assert!(
            log.lines().any(|logged| logged.contains(line) && logged.contains("exceed the limit")),
            "{log}"
        );
    }
}

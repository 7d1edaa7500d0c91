//! What messages of the server do.

use super::*;

/// C009: and told once it can.
#[test]
fn given_a_server_that_cannot_take_parts_when_that_is_known_then_they_are_withheld() {
    let mut client = Client::settled();
    client.receive(server(0x1, &[]));
    client.report.effective_config = effective("b");
    client.report.remote_config_status = Some(Arc::new(RemoteConfigStatus::default()));
    client.core.report(client.report.clone());
    assert_eq!(client.take(), None);
    client.receive(ServerToAgent::default());
    assert_eq!(client.take(), None, "capabilities of 0 are not said, so the known ones stay");
    client.change_health("x");
    assert_eq!(parts(&client.take().unwrap()), "h");
    client.receive(server(0x7, &[]));
    assert_eq!(parts(&client.take().unwrap()), "er");
}

/// C011, C086, C154, C155: a command stands alone, a command of another type is none.
#[test]
fn given_offers_and_commands_when_received_then_they_count_only_with_their_capability() {
    let command = |kind: i32| ServerToAgent {
        command: Some(ServerToAgentCommand { kind: CommandType(kind), ..ServerToAgentCommand::default() }),
        remote_config: Some(AgentRemoteConfig::default()),
        ..ServerToAgent::default()
    };
    let apply = || Effect::Apply(AgentRemoteConfig::default());
    let cases = [
        (capabilities(true, true), 0, vec![Effect::Restart]),
        (capabilities(true, true), 5, vec![apply()]),
        (capabilities(true, false), 0, vec![apply()]),
        (capabilities(false, true), 0, vec![Effect::Restart]),
        (capabilities(false, false), 0, vec![]),
    ];
    for (capabilities, kind, expected) in cases {
        let mut client = Client::allowing(capabilities, 1 << 20);
        assert_eq!(client.receive(command(kind)), expected, "{capabilities:?} {kind}");
    }
}

/// C050: nor is it an answer.
#[test]
fn given_a_message_for_another_agent_when_received_then_nothing_changes() {
    let mut client = Client::settled();
    let to = |uid: &[u8]| ServerToAgent {
        instance_uid: uid.to_vec().into(),
        remote_config: Some(AgentRemoteConfig::default()),
        ..full_state()
    };
    client.change_health("x");
    client.take().unwrap();
    for other in [&[9; 16][..], &[9; 3]] {
        assert_eq!(client.receive(to(other)), []);
    }
    assert_eq!(client.take(), None);
    client.core.lost(Loss::Disconnected);
    assert_eq!(parts(&client.take().unwrap()), "h", "nothing was acknowledged");
    assert_eq!(client.receive(to(uid().as_bytes())), [Effect::Apply(AgentRemoteConfig::default())]);
    assert!(client.take().is_some());
}

/// C041, C045, C046, C048: what is no uid is ignored.
#[test]
fn given_a_new_uid_when_received_then_it_is_used_at_once_and_mirrored() {
    let identify = |uid: &[u8]| ServerToAgent {
        agent_identification: Some(AgentIdentification {
            new_instance_uid: uid.to_vec().into(),
            ..AgentIdentification::default()
        }),
        ..ServerToAgent::default()
    };
    let mut client = Client::settled();
    for wrong in [&[][..], &[7; 15], &[7; 17], &[0; 16]] {
        assert_eq!(client.receive(identify(wrong)), []);
        assert_eq!(client.take(), None);
    }
    let new = InstanceUid::from_bytes(&[7; 16]).unwrap();
    assert_eq!(client.receive(identify(&[7; 16])), [Effect::NewUid(new)]);
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("d", 2));
    assert_eq!(message.instance_uid, new.to_wire());
    let attributes = message.agent_description.unwrap().identifying_attributes;
    assert_eq!(attributes, [KeyValue::text("service.instance.id", new.to_string())]);
    assert_eq!(client.receive(identify(&[7; 16])), [], "it is ours already");
    client.receive(server(0x2, &[]));
    client.receive(identify(&[8; 16]));
    assert_eq!(parts(&client.take().unwrap()), "", "a server that takes no status hears of it as well");
}

/// C166: nor after a reconnect.
#[test]
fn given_a_message_that_is_refused_when_the_next_goes_then_it_is_not_said_again() {
    for kind in [ServerErrorResponseType::BadRequest, ServerErrorResponseType::Unknown] {
        let mut client = Client::settled();
        client.change_health("x");
        client.take().unwrap();
        assert_eq!(client.receive(error(kind, None)), [], "fields beside an error are not used");
        client.core.lost(Loss::Disconnected);
        client.core.connected();
        assert_eq!(parts(&client.take().unwrap()), "");
    }
}

/// C065, C167, C168: the wait is the one that it asked for.
#[test]
fn given_an_unavailable_server_when_it_says_so_then_it_is_left_alone_and_told_again_later() {
    let cases = [
        (Some(5_000_000_000), Some(5 * SECOND)),
        (Some(1), Some(SECOND / 1_000_000_000)),
        (Some(0), None),
        (None, None),
    ];
    for (retry, expected) in cases {
        let mut client = Client::settled();
        client.change_health("x");
        client.take().unwrap();
        let effects = client.receive(error(ServerErrorResponseType::Unavailable, retry));
        assert_eq!(effects, [Effect::Retreat(expected)]);
        assert_eq!(parts(&client.take().unwrap()), "h");
    }
}

/// C159: A14, nothing goes before the list came.
#[test]
fn given_custom_messages_when_the_server_lists_its_capabilities_then_only_those_that_it_has_are_sent() {
    let mut client = Client::settled();
    client.core.answer(custom(CHATOPS));
    client.core.answer(custom("com.example.other"));
    client.core.answer(custom(CHATOPS));
    assert_eq!(client.take(), None);
    client.receive(server(0, &[CHATOPS]));
    assert_eq!(parts(&client.take().unwrap()), "m");
    assert_eq!(parts(&client.take().unwrap()), "m");
    client.receive(server(0, &[]));
    client.core.answer(custom(CHATOPS));
    assert!(client.take().is_none_or(|message| message.custom_message.is_none()));
}

/// C065: until something comes back.
#[test]
fn given_a_custom_message_that_was_not_answered_then_it_goes_again() {
    let mut client = Client::settled();
    client.receive(server(0, &[CHATOPS]));
    client.core.answer(custom(CHATOPS));
    client.take().unwrap();
    client.core.lost(Loss::Disconnected);
    client.core.connected();
    assert_eq!(parts(&client.take().unwrap()), "m");
    client.receive(ServerToAgent::default());
    client.core.lost(Loss::Disconnected);
    client.core.connected();
    assert_eq!(parts(&client.take().unwrap()), "");
}

/// C158: a list goes when it changes, and whole.
#[test]
fn given_a_server_that_only_knows_the_prefixed_form_when_it_says_so_then_it_is_told_that_form_too() {
    let mut client = Client::settled();
    client.receive(server(0, &[&prefixed(CHATOPS), NULL_COMMAND]));
    let announced = client.take().unwrap().custom_capabilities.unwrap().capabilities;
    assert_eq!(announced, [NULL_COMMAND.to_owned(), CHATOPS.to_owned(), prefixed(CHATOPS)]);
    client.receive(server(0, &[&prefixed(CHATOPS), NULL_COMMAND]));
    assert_eq!(client.take(), None, "the list is the same");
    client.core.answer(custom(CHATOPS));
    assert_eq!(client.take().unwrap().custom_message.unwrap().capability, prefixed(CHATOPS));
}

/// C160: without an answer.
#[test]
fn given_custom_messages_of_unknown_capabilities_when_received_then_they_are_ignored() {
    let message = |capability: &str| ServerToAgent {
        custom_message: Some(custom(capability)),
        ..ServerToAgent::default()
    };
    let mut client = Client::settled();
    assert_eq!(client.receive(message("com.example.other")), []);
    let ours = prefixed(CHATOPS);
    assert_eq!(client.receive(message(&ours)), [Effect::Custom(custom(&ours))]);
}

/// C064: in one go.
#[test]
fn given_a_combined_message_when_received_then_every_part_is_used() {
    let mut client = Client::settled();
    let new_uid = InstanceUid::v7(2, [2; 10]);
    let combined = ServerToAgent {
        agent_identification: Some(AgentIdentification {
            new_instance_uid: new_uid.to_wire(),
            ..AgentIdentification::default()
        }),
        remote_config: Some(AgentRemoteConfig::default()),
        custom_message: Some(custom(CHATOPS)),
        ..full_state()
    };
    let effects = client.receive(combined);
    let apply = Effect::Apply(AgentRemoteConfig::default());
    assert_eq!(effects, [Effect::NewUid(new_uid), apply, Effect::Custom(custom(CHATOPS))]);
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.instance_uid), ("dhec", new_uid.to_wire()));
}

/// C056, C177: `agent_disconnect` is in the last message.
#[test]
fn given_a_stop_when_the_farewell_is_composed_then_it_carries_what_is_due_and_the_next_number() {
    let mut client = Client::settled();
    client.change_health("stopping");
    let farewell = client.core.farewell();
    assert_eq!((parts(&farewell).as_str(), farewell.sequence_num), ("hx", 2));
}

#[test]
fn given_more_answers_than_can_wait_then_the_oldest_give_way() {
    let mut client = Client::settled();
    for number in 0..100 {
        client.core.answer(CustomMessage { kind: number.to_string(), ..custom(CHATOPS) });
    }
    client.receive(server(0, &[CHATOPS]));
    let mut kinds = Vec::new();
    while let Some(message) = client.take() {
        kinds.push(message.custom_message.unwrap().kind);
    }
    assert_eq!((kinds.len(), kinds[0].as_str(), kinds[63].as_str()), (64, "36", "99"));
}

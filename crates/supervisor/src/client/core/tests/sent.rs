//! What is sent, and when.

use super::*;

/// C051, C062, C068, C077, C082: a full report comes first, without a status of what was never offered.
#[test]
fn given_a_new_process_when_it_speaks_first_then_the_message_carries_everything() {
    let mut client = Client::new();
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("dhec", 1));
    assert_eq!(message.instance_uid, uid().to_wire());
    let names: Vec<_> = AgentCapabilities(message.capabilities).names().collect();
    let expected = "ReportsStatus AcceptsRemoteConfig ReportsEffectiveConfig AcceptsRestartCommand ReportsHealth \
                    ReportsRemoteConfig ReportsHeartbeat";
    assert_eq!(names.join(" "), expected);
    assert_eq!(message.custom_capabilities.unwrap().capabilities, [NULL_COMMAND, CHATOPS]);
    assert_eq!(client.take(), None, "nothing changed since");
}

/// C003–C006: what works by itself is announced always, what the server may do only with leave, and nothing else is.
#[test]
fn given_leave_for_some_when_capabilities_are_made_then_those_bits_are_set_and_no_others() {
    // Status, effective config, health and heartbeats.
    let always = 0x1 | 0x4 | 0x800 | 0x2000;
    let cases = [
        (false, false, always),
        (true, false, always | 0x2 | 0x1000),
        (false, true, always | 0x400),
        (true, true, always | 0x2 | 0x1000 | 0x400),
    ];
    for (remote_config, restart, bits) in cases {
        assert_eq!(capabilities(remote_config, restart).0, bits, "{remote_config} {restart}");
    }
}

/// C010, C059, C083: a part goes when it changed, and not when it is merely another copy.
#[test]
fn given_parts_that_change_when_reported_then_only_those_are_sent() {
    let mut client = Client::settled();
    client.change_health("degraded");
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("h", 2));
    assert_ne!(message.capabilities, 0);

    client.report.effective_config = effective("b");
    client.report.remote_config_status = Some(Arc::new(RemoteConfigStatus::default()));
    client.core.report(client.report.clone());
    assert_eq!(parts(&client.take().unwrap()), "er");

    client.report.effective_config = effective("b");
    client.core.report(client.report.clone());
    assert_eq!(client.take(), None, "an equal part in another place is no change");
}

/// C054: no message answers a message that changed nothing.
#[test]
fn given_acknowledgements_when_received_then_nothing_is_sent() {
    let mut client = Client::settled();
    for _ in 0..100 {
        assert_eq!(client.receive(ServerToAgent::default()), []);
        assert_eq!(client.take(), None);
    }
}

/// C068, C070, C071: a heartbeat names the agent and carries nothing else.
#[test]
fn given_messages_when_the_interval_passes_then_a_heartbeat_counts_from_the_last_of_any_kind() {
    let mut client = Client::settled();
    assert_eq!(client.due_in(), HEARTBEAT - 5 * SECOND);
    client.change_health("x");
    client.take().unwrap();
    assert_eq!(client.due_in(), HEARTBEAT);
    client.now += HEARTBEAT;
    let heartbeat = client.take().unwrap();
    assert_eq!((parts(&heartbeat).as_str(), heartbeat.sequence_num), ("", 3));
    assert_ne!(heartbeat.capabilities, 0);
    assert_eq!(heartbeat.instance_uid.len(), 16);
}

/// C052, C056: what the server has is not said again, what it may not have is.
#[test]
fn given_a_reconnect_when_it_speaks_then_the_number_goes_on_and_only_unanswered_parts_are_repeated() {
    let mut client = Client::settled();
    client.core.lost(Loss::Disconnected);
    client.core.connected();
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("", 2));

    client.change_health("x");
    assert_eq!(parts(&client.take().unwrap()), "h");
    client.core.lost(Loss::Disconnected);
    client.core.connected();
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("h", 4));
}

/// C065: nothing queues up.
#[test]
fn given_a_server_that_is_away_when_a_thousand_changes_happen_then_they_are_one_message() {
    let mut client = Client::settled();
    client.core.lost(Loss::Disconnected);
    for change in 0..1000 {
        client.change_health(&change.to_string());
    }
    client.core.connected();
    let message = client.take().unwrap();
    assert_eq!(message.health.unwrap().status, "999");
    assert_eq!(client.take(), None);
}

/// C057, C065: a retransmission is the same bytes.
#[test]
fn given_no_answer_when_sent_again_then_the_same_body_keeps_its_number_and_a_new_one_does_not() {
    let mut client = Client::settled();
    client.change_health("x");
    let first = client.take().unwrap();
    client.core.lost(Loss::Unanswered);
    assert_eq!(client.take().unwrap(), first);
    client.core.lost(Loss::Unanswered);
    client.change_health("y");
    let second = client.take().unwrap();
    assert_eq!((second.sequence_num, second.health.unwrap().status.as_str()), (3, "y"));
}

/// C037, C056: no gap and no loss.
#[test]
fn given_a_message_that_never_left_when_the_next_goes_then_it_has_its_number_and_its_parts() {
    let mut client = Client::settled();
    client.change_health("x");
    assert_eq!(client.take().unwrap().sequence_num, 2);
    client.core.lost(Loss::NotSent);
    client.change_health("y");
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("h", 2));
}

/// C036: not until they change.
#[test]
fn given_a_message_that_was_too_large_when_the_next_goes_then_its_parts_are_left_out() {
    let mut client = Client::settled();
    client.change_health("large");
    client.take().unwrap();
    client.core.lost(Loss::TooLarge);
    assert_eq!(client.take(), None);
    client.now += HEARTBEAT;
    assert_eq!(parts(&client.take().unwrap()), "");
}

/// C018, C019, C035: both transports send what comes out here and nothing else.
#[test]
fn given_a_message_above_the_limit_when_composed_then_what_makes_it_large_is_left_out() {
    let mut client = Client::allowing(capabilities(false, false), 600);
    client.report.effective_config = effective(&"x".repeat(600));
    client.core.report(client.report.clone());
    assert_eq!(parts(&client.take().unwrap()), "dhc");
    assert_eq!(client.take(), None, "it is not tried again until it changes");

    client.change_health(&"y".repeat(600));
    assert_eq!(parts(&client.take().unwrap()), "");
}

/// C060: everything that there is to tell, whether or not it was told before.
#[test]
fn given_a_request_for_full_state_when_answered_then_every_part_is_told_again() {
    let mut client = Client::settled();
    client.report.remote_config_status = Some(Arc::new(RemoteConfigStatus::default()));
    client.core.report(client.report.clone());
    assert_eq!(parts(&client.take().unwrap()), "r");
    client.receive(full_state());
    assert_eq!(parts(&client.take().unwrap()), "dherc");
    client.receive(ServerToAgent::default());
    assert_eq!(client.take(), None, "once");
}

/// C061: asked once it is told at once, asked for ever it becomes rare.
#[test]
fn given_a_server_that_always_asks_when_full_state_is_reported_then_not_more_than_once_a_second() {
    let mut client = Client::settled();
    client.receive(full_state());
    assert_eq!(parts(&client.take().unwrap()), "dhec");
    client.receive(full_state());
    assert_eq!(client.take(), None, "a second must pass");
    let mut reports = 0;
    for _ in 0..600 {
        client.now += SECOND / 10;
        if client.take().is_some() {
            reports += 1;
            client.receive(full_state());
        }
    }
    assert!((3..=8).contains(&reports), "{reports} full reports in a minute for a server that always asks");
}

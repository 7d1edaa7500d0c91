//! What is sent, and when.

use super::*;

#[test]
fn c001_c041_c051_the_first_message_of_a_process_carries_everything() {
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

#[test]
fn c006_without_leave_no_remote_feature_is_announced() {
    let bits = capabilities(false, false);
    for remote in [AgentCapabilities::ACCEPTS_REMOTE_CONFIG, AgentCapabilities::ACCEPTS_RESTART_COMMAND] {
        assert!(!bits.contains(remote), "{bits:?}");
    }
    assert_eq!(bits.0, 0x1 | 0x4 | 0x800 | 0x2000);
}

#[test]
fn c053_c058_c059_only_what_changed_is_sent() {
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

#[test]
fn c054_acknowledgements_cause_no_message() {
    let mut client = Client::settled();
    for _ in 0..100 {
        assert_eq!(client.receive(ServerToAgent::default()), []);
        assert_eq!(client.take(), None);
    }
}

#[test]
fn c070_c071_heartbeats_count_from_the_last_message_of_any_kind() {
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

#[test]
fn c052_c056_after_a_reconnect_the_number_goes_on_and_only_unanswered_parts_are_repeated() {
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

#[test]
fn c065_a_thousand_changes_while_the_server_is_away_are_one_message() {
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

#[test]
fn c057_the_same_body_keeps_its_number_and_a_new_body_gets_a_new_one() {
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

#[test]
fn c037_c056_a_message_that_never_left_frees_its_number() {
    let mut client = Client::settled();
    client.change_health("x");
    assert_eq!(client.take().unwrap().sequence_num, 2);
    client.core.lost(Loss::NotSent);
    client.change_health("y");
    let message = client.take().unwrap();
    assert_eq!((parts(&message).as_str(), message.sequence_num), ("h", 2));
}

#[test]
fn c036_what_was_too_large_is_not_sent_again_until_it_changes() {
    let mut client = Client::settled();
    client.change_health("large");
    client.take().unwrap();
    client.core.lost(Loss::TooLarge);
    assert_eq!(client.take(), None);
    client.now += HEARTBEAT;
    assert_eq!(parts(&client.take().unwrap()), "");
}

#[test]
fn c018_c019_a_message_above_the_limit_leaves_out_what_makes_it_large() {
    let mut client = Client::allowing(capabilities(false, false), 600);
    client.report.effective_config = effective(&"x".repeat(600));
    client.core.report(client.report.clone());
    assert_eq!(parts(&client.take().unwrap()), "dhc");
    assert_eq!(client.take(), None, "it is not tried again until it changes");

    client.change_health(&"y".repeat(600));
    assert_eq!(parts(&client.take().unwrap()), "");
}

#[test]
fn c060_c061_full_state_is_reported_when_asked_but_not_more_often_than_once_a_second() {
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

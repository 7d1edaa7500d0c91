//! What messages say of commands.

use bytes::Bytes;
use tidegate_opamp::*;

use super::tests::*;
use super::*;
use crate::offer::Occasion;
use crate::{CommandKind, CommandState};

#[test]
fn given_a_restart_then_it_stands_alone_and_succeeds_with_a_new_start_time() {
    let mut agent = known();
    desire(&mut agent, "a");
    let mut commands = [command(CommandKind::Restart)];
    let first = offer(&mut agent, &mut commands, Occasion::Introduction);
    assert!(first.message.command.is_some() && first.message.remote_config.is_none());
    assert!(first.message.custom_capabilities.is_none() && first.message.capabilities != 0);
    assert_eq!(commands[0].state, CommandState::Sent);
    assert!(offer(&mut agent, &mut commands, Occasion::Reply).message.remote_config.is_some());

    take(&mut agent, &mut commands, report(1), at(2));
    assert_eq!(commands[0].state, CommandState::Acknowledged);
    let stopped = ComponentHealth { start_time_unix_nano: 0, ..ComponentHealth::default() };
    take(&mut agent, &mut commands, AgentToServer { health: Some(stopped), ..report(2) }, at(3));
    assert_eq!(commands[0].state, CommandState::Acknowledged);
    let started =
        ComponentHealth { healthy: true, start_time_unix_nano: STARTED + 4, ..ComponentHealth::default() };
    let received =
        take(&mut agent, &mut commands, AgentToServer { health: Some(started), ..report(3) }, at(4));
    assert_eq!(commands[0].state, CommandState::Succeeded);
    assert_eq!(received.commands, [CommandId("c-1".into())]);
}

#[test]
fn given_a_restart_of_an_agent_that_never_said_when_it_started_then_only_a_later_start_proves_it() {
    let mut agent = known();
    agent.restore(crate::agent::Reported { health: None, ..agent.reported().clone() });
    let mut commands = [command(CommandKind::Restart)];
    assert!(offer(&mut agent, &mut commands, Occasion::Reply).message.command.is_some());
    let started = |at: Timestamp| {
        let start_time_unix_nano = at.0 * 1_000_000;
        Some(ComponentHealth { healthy: true, start_time_unix_nano, ..ComponentHealth::default() })
    };
    take(&mut agent, &mut commands, AgentToServer { health: started(at(0).now), ..report(1) }, at(2));
    assert_eq!(commands[0].state, CommandState::Acknowledged, "that is the process that was to be restarted");
    take(&mut agent, &mut commands, AgentToServer { health: started(at(3).now), ..report(2) }, at(4));
    assert_eq!(commands[0].state, CommandState::Succeeded);
}

#[test]
fn given_a_retry_then_it_acknowledges_nothing() {
    let mut agent = known();
    let mut commands = [command(CommandKind::Restart)];
    take(&mut agent, &mut commands, report(1), at(1));
    assert!(offer(&mut agent, &mut commands, Occasion::Reply).message.command.is_some());
    take(&mut agent, &mut commands, report(1), at(2));
    assert_eq!(commands[0].state, CommandState::Sent, "the reply that carried it may be lost");
    take(&mut agent, &mut commands, report(2), at(3));
    assert_eq!(commands[0].state, CommandState::Acknowledged);
}

#[test]
fn given_a_part_full_of_what_is_not_named_then_it_is_refused() {
    let mut agent = known();
    let mut bytes = full(5).encode_to_vec();
    // Field 99 of the health tree, 3 MB long.
    let mut health = ComponentHealth { healthy: true, ..ComponentHealth::default() }.encode_to_vec();
    health.extend([0x9a, 0x06]);
    prost::encoding::encode_varint(3_000_000, &mut health);
    health.extend(vec![0; 3_000_000]);
    bytes.push(0x2a);
    prost::encoding::encode_varint(health.len() as u64, &mut bytes);
    bytes.extend(health);
    let message = AgentToServer::decode(&bytes[..]).unwrap();
    let error = receive(&mut agent, &mut [], message, at(1), &Limits::default()).unwrap_err().to_string();
    assert!(error.starts_with("health: bytes number 30000"), "{error}");
}

#[test]
fn given_no_capability_then_a_command_waits_and_expires() {
    let mut agent = known();
    agent.capabilities.0 &= !0x400;
    let mut commands = [command(CommandKind::Restart)];
    assert!(offer(&mut agent, &mut commands, Occasion::Push).is_empty());
    assert!(!commands[0].expire(at(3599).now));
    assert!(commands[0].expire(at(3600).now));
    assert_eq!(commands[0].state, CommandState::Expired);
}

/// S160: what was sent and never heard of again ends as unknown.
#[test]
fn given_a_custom_message_then_its_answer_is_matched_by_id_or_by_capability() {
    let chatops = || CommandKind::Custom {
        capability: tidegate_custom::CHATOPS.into(),
        kind: "request".into(),
        data: Bytes::from_static(b"{\"id\":\"c-1\"}"),
        answers: true,
    };
    for (kind, data, expected) in [
        ("result", "{\"id\":\"c-1\",\"http_code\":\"201\"}", CommandState::Succeeded),
        ("failure", "{\"http_code\":\"500\",\"err_msg\":\"x\"}", CommandState::Failed),
        ("failure", "{\"http_code\":\"0\",\"err_msg\":\"x\",\"outcome\":\"unknown\"}", CommandState::Unknown),
        ("result", "{\"id\":\"other\"}", CommandState::Acknowledged),
    ] {
        let mut agent = known();
        let mut commands = [command(chatops())];
        assert!(offer(&mut agent, &mut commands, Occasion::Push).message.custom_message.is_some());
        let custom_message = Some(CustomMessage {
            capability: tidegate_custom::CHATOPS.into(),
            kind: kind.into(),
            data: Bytes::copy_from_slice(data.as_bytes()),
            ..CustomMessage::default()
        });
        let received = take(&mut agent, &mut commands, AgentToServer { custom_message, ..report(1) }, at(2));
        assert_eq!(commands[0].state, expected, "{data}");
        assert_eq!(received.message.is_some(), expected == CommandState::Acknowledged, "{data}");
        if expected == CommandState::Acknowledged {
            assert!(!commands[0].expire(at(60).now));
            assert!(commands[0].expire(at(61).now));
            assert_eq!(commands[0].state, CommandState::Unknown);
        }
    }
}

#[test]
fn given_an_uptime_in_the_place_of_a_start_time_when_it_rises_then_no_restart_is_seen() {
    let mut agent = known();
    let uptime = |seconds: u64| {
        let start_time_unix_nano = seconds * 1_000_000_000;
        Some(ComponentHealth { healthy: true, start_time_unix_nano, ..ComponentHealth::default() })
    };
    take(&mut agent, &mut [], AgentToServer { health: uptime(8), ..report(1) }, at(1));
    assert_eq!(agent.start_time(), 0, "it never said when it started");
    let mut commands = [command(CommandKind::Restart)];
    assert!(offer(&mut agent, &mut commands, Occasion::Reply).message.command.is_some());
    take(&mut agent, &mut commands, AgentToServer { health: uptime(10), ..report(2) }, at(3));
    assert_eq!(commands[0].state, CommandState::Acknowledged);
}

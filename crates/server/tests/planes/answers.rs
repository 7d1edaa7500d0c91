//! What agents are answered when something is wrong, or when much happens at once (OpAMP S.E, S.Q).

use tidegate_opamp::{
    AgentToServer, Message as _, RemoteConfigStatuses, ServerErrorResponseType, ServerToAgent,
};

use crate::http::{self, Request};
use crate::report::{Reporter, assert_ack, assert_refusal};
use crate::world::World;

/// A report that is refused for what it says.
fn too_much(agent: &mut Reporter) -> AgentToServer {
    agent.health(false, 1, &"e".repeat(20_000))
}

/// S066, S067, ruling A4: a refusal is nothing but one; what waits goes out with the next answer, which refuses nothing.
#[tokio::test]
async fn given_a_config_that_waits_when_a_report_is_refused_then_the_config_comes_with_the_next_answer() {
    let world = World::new().await;
    let (mut by_socket, mut by_http) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut by_socket).await;
    world.poll(&by_http.full()).await;
    world.push("name:host-*", "a").await;
    assert!(socket.message().await.remote_config.is_some(), "it is due until it is acknowledged");
    assert_refusal(&socket.exchange(&too_much(&mut by_socket)).await, by_socket.uid.as_bytes());
    assert_refusal(&world.poll(&too_much(&mut by_http)).await, by_http.uid.as_bytes());
    for reply in [socket.exchange(&by_socket.full()).await, world.poll(&by_http.full()).await] {
        assert!(reply.error_response.is_none() && reply.remote_config.is_some(), "{reply:?}");
    }
}

/// S079, S028: a push arrives in the middle of a burst of reports, each of which is answered all the same.
#[tokio::test]
async fn given_a_burst_of_reports_when_a_config_is_pushed_meanwhile_then_all_are_answered_and_it_arrives() {
    const BURST: usize = 400;
    let world = World::new().await;
    let (mut busy, mut silent) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut busy).await;
    socket.exchange(&silent.full()).await;
    let burst: Vec<_> = (0..BURST).map(|_| busy.heartbeat()).collect();
    let talk = async {
        socket.send_all(&burst[..BURST / 2]).await;
        world.push("name:host-2", "a").await;
        socket.send_all(&burst[BURST / 2..]).await;
        let (mut answers, mut offers) = (0, 0);
        while answers < BURST || offers == 0 {
            let message = socket.message().await;
            if message.instance_uid == silent.uid.to_wire() {
                assert!(message.remote_config.is_some());
                offers += 1;
            } else {
                assert_ack(&message, &busy);
                answers += 1;
            }
        }
        (answers, offers)
    };
    assert_eq!(talk.await, (BURST, 1));
    socket.quiet().await;
}

/// S178–S180: whatever is wrong with a message, the answer is BAD_REQUEST with a sentence for people, and nothing of how
/// this server is built.
#[tokio::test]
async fn given_wrong_messages_when_refused_then_each_reason_is_a_sentence() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let good = agent.full().encode_to_vec();
    let mut short_uid = agent.heartbeat();
    short_uid.instance_uid = vec![1; 3].into();
    let payloads: [(&str, Vec<u8>); 5] = [
        ("noise", [&[0][..], &[0xFF; 40]].concat()),
        ("a header of 1", [&[1][..], &good].concat()),
        ("cut short", [&[0][..], &good[..good.len() / 2]].concat()),
        ("a uid of three bytes", [&[0][..], &short_uid.encode_to_vec()].concat()),
        ("too long an error", [&[0][..], &too_much(&mut agent).encode_to_vec()].concat()),
    ];
    let mut refusals: Vec<(&str, ServerToAgent)> = Vec::new();
    for (case, payload) in payloads {
        socket.send_payload(&payload).await;
        refusals.push((case, socket.message().await));
        if payload[0] == 0 {
            let answer = http::call(world.server.agents, &Request::opamp(&payload[1..])).await;
            refusals.push((case, answer.message(answer.status)));
        }
    }
    assert_eq!(refusals.len(), 9);
    for (case, refusal) in refusals {
        let error = refusal.error_response.unwrap_or_else(|| panic!("{case}: not refused"));
        assert_eq!(error.kind, ServerErrorResponseType::BadRequest, "{case}");
        let text = error.error_message;
        assert!(text.len() >= 20 && text.len() < 500 && text.contains(' '), "{case}: {text}");
        for internal in ["::", ".rs", "panic", "Error(", "Some(", "\n"] {
            assert!(!text.contains(internal), "{case}: {text}");
        }
    }
}

/// S184: a store that takes nothing is no fault of the agent: the error is UNKNOWN, it names nothing of this machine, the
/// connection lives, and once the store is back all is as before.
#[tokio::test]
async fn given_a_store_that_cannot_be_written_when_a_result_is_reported_then_the_error_is_unknown() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.settled().await;
    // The write lock of SQLite, held by another.
    let lock = rusqlite::Connection::open(world.folder.path().join("tidegate.db")).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    let reply = socket.exchange(&agent.status(b"hash", RemoteConfigStatuses::Applied)).await;
    let error = reply.error_response.clone().expect("it was not stored");
    assert_eq!(error.kind, ServerErrorResponseType::Unknown);
    assert!(error.error_message.contains("cannot store"), "{}", error.error_message);
    assert!(!error.error_message.contains("SQL") && !error.error_message.contains('/'));
    let alone = ServerToAgent {
        instance_uid: agent.uid.to_wire(),
        error_response: Some(error),
        ..ServerToAgent::default()
    };
    assert_eq!(reply, alone);
    lock.execute_batch("ROLLBACK").unwrap();
    let reply = socket.exchange(&agent.status(b"hash", RemoteConfigStatuses::Applied)).await;
    assert_eq!(reply.error_response, None);
    assert_eq!(world.agent(&agent).await["config"]["acknowledged"], "68617368");
}

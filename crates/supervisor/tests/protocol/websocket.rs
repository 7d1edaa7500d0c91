use std::time::{Duration, Instant};

use tidegate_custom::{CHATOPS, SHUTDOWN, chatops, order::Order};
use tidegate_opamp::ws::{Close, MessageKind};
use tidegate_opamp::{
    AgentIdentification, AgentRemoteConfig, CustomCapabilities, Message as _, RetryInfo, ServerErrorResponse,
    ServerErrorResponseType, ServerToAgent, ServerToAgentCommand,
};
use tidegate_supervisor::agent::AgentCommand;
use tidegate_supervisor::identity;
use tidegate_supervisor::run::RunError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::peer::{Connection, Listener, Said};
use crate::world::{Setup, World};

async fn connected() -> (Listener, World, Connection) {
    let listener = Listener::new().await;
    let world = Setup::new("ws", listener.port()).start();
    let mut connection = listener.connection().await;
    let first = connection.message().await;
    assert!(first.agent_description.is_some() && first.sequence_num == 1);
    (listener, world, connection)
}

/// C012, C022, C051, C184: the handshake, the frames, and an answer to a ping.
#[tokio::test]
async fn given_a_server_then_the_handshake_names_the_agent_and_the_first_message_is_a_full_report() {
    let listener = Listener::new().await;
    let world = Setup::new("ws", listener.port()).start();
    let asked = listener.asked().await;
    assert!(asked.head.starts_with("GET /v1/opamp HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.header("OpAMP-Instance-UID"), Some(world.uid.to_string().as_str()));
    assert_eq!(asked.header("Authorization"), Some("Bearer token"));
    assert_eq!(asked.header("Sec-WebSocket-Extensions"), None);
    let mut connection = asked.upgrade().await;
    let first = connection.message().await;
    assert!(first.health.is_some() && first.effective_config.is_some());
    assert_eq!(first.custom_capabilities.unwrap().capabilities.len(), 7);

    world.change("degraded");
    let second = connection.message().await;
    assert_eq!((second.sequence_num, second.health.unwrap().status.as_str()), (2, "degraded"));
    connection.ping(b"are you there").await;
    assert_eq!(connection.said().await, Said::Pong(b"are you there".to_vec()));
}

#[tokio::test]
async fn given_offers_and_commands_then_the_process_side_gets_them() {
    let (_listener, mut world, mut connection) = connected().await;
    let offer = AgentRemoteConfig { config_hash: vec![7; 5].into(), ..AgentRemoteConfig::default() };
    connection.send(&ServerToAgent { remote_config: Some(offer.clone()), ..ServerToAgent::default() }).await;
    assert!(matches!(world.command().await, AgentCommand::Apply(applied) if applied == offer));
    let command = Some(ServerToAgentCommand::default());
    connection.send(&ServerToAgent { command, ..ServerToAgent::default() }).await;
    assert!(matches!(world.command().await, AgentCommand::Restart));
}

/// C056, C173: within a second.
#[tokio::test]
async fn given_a_lost_connection_then_the_next_one_comes_at_once_and_the_number_goes_on() {
    let (listener, _world, connection) = connected().await;
    let lost = Instant::now();
    drop(connection);
    let mut connection = listener.connection().await;
    assert!(lost.elapsed() < Duration::from_secs(1));
    assert_eq!(connection.message().await.sequence_num, 2);
}

/// C169, C174: connections that die at once are failures.
#[tokio::test]
async fn given_a_server_that_accepts_and_closes_then_attempts_become_rare() {
    let listener = Listener::new().await;
    let _world = Setup::new("ws", listener.port()).start();
    let began = Instant::now();
    let mut connections = 0;
    while began.elapsed() < Duration::from_secs(3) {
        let left = Duration::from_secs(3).saturating_sub(began.elapsed());
        let Ok(asked) = tokio::time::timeout(left, listener.asked()).await else { break };
        asked.upgrade().await.close(1000).await;
        connections += 1;
    }
    // At 0 s, at once again, after 0.5–1 s, 1–2 s, 2–4 s.
    assert!((2..=4).contains(&connections), "{connections} connections in 3 s");
}

/// C022: and connected to anew.
#[tokio::test]
async fn given_a_server_that_falls_silent_then_it_is_pinged_and_given_up() {
    let listener = Listener::new().await;
    let setup = Setup { heartbeat: Duration::from_millis(150), ..Setup::new("ws", listener.port()) };
    let _world = setup.start();
    let mut connection = listener.connection().await;
    let (mut pings, mut messages) = (0, 0);
    loop {
        match connection.said().await {
            Said::Ping => pings += 1,
            Said::Message(_) => messages += 1,
            Said::End => break,
            other => panic!("unexpected: {other:?}"),
        }
    }
    assert!(pings == 2 && messages >= 2, "{pings} pings, {messages} messages");
    listener.connection().await;
}

fn offering(hash: u8) -> ServerToAgent {
    let offer = AgentRemoteConfig { config_hash: vec![hash].into(), ..AgentRemoteConfig::default() };
    ServerToAgent { remote_config: Some(offer), ..ServerToAgent::default() }
}

fn hash_of(command: &AgentCommand) -> u8 {
    match command {
        AgentCommand::Apply(offer) => offer.config_hash[0],
        other => panic!("an offer was expected, not {other:?}"),
    }
}

/// C013–C015, C021: whatever is wrong with them; a header is a varint, and nothing behind it is a message without fields.
#[tokio::test]
async fn given_malformed_messages_then_they_are_dropped_and_the_connection_stays() {
    let (_listener, mut world, mut connection) = connected().await;
    let message = |header: &[u8], hash| [header, &offering(hash).encode_to_vec()].concat();
    for payload in [&[][..], &[0], &message(&[1], 1), &[0, 0xFF, 0xFF], &[0x80; 20], &message(&[0x80; 10], 2)]
    {
        connection.send_raw(MessageKind::Binary, payload).await;
    }
    connection.send_raw(MessageKind::Text, &message(&[0], 3)).await;
    let none = tokio::time::timeout(Duration::from_millis(200), world.commands.recv()).await;
    assert!(none.is_err(), "a malformed message was used: {none:?}");
    connection.send_raw(MessageKind::Binary, &message(&[0x80, 0], 4)).await;
    assert_eq!(hash_of(&world.command().await), 4);
    world.change("still here");
    assert_eq!(connection.message().await.sequence_num, 2);
}

/// C023, C063, C089, C096: while the process side is busy, pings are answered and reports go; of the offers that wait the
/// newest is handed on, and the others are to be answered as replaced.
#[tokio::test]
async fn given_a_busy_process_side_then_the_connection_is_served_and_the_newest_offer_wins() {
    let (_listener, mut world, mut connection) = connected().await;
    for hash in 1..=16 {
        connection.send(&offering(hash)).await;
    }
    connection.ping(b"!").await;
    assert_eq!(connection.said().await, Said::Pong(b"!".to_vec()));
    world.change("applying");
    assert_eq!(connection.message().await.health.unwrap().status, "applying");
    let (mut handed_on, mut replaced) = (Vec::new(), Vec::new());
    while handed_on.last() != Some(&16) {
        match world.command().await {
            AgentCommand::Replaced(hash) => replaced.push(hash[0]),
            offer => handed_on.push(hash_of(&offer)),
        }
    }
    assert!(handed_on.is_sorted() && handed_on.len() < 8, "{handed_on:?}");
    let mut answered = [handed_on, replaced].concat();
    answered.sort_unstable();
    assert_eq!(answered, (1..=16).collect::<Vec<_>>());
}

/// C016, C017: and opened anew.
#[tokio::test]
async fn given_a_message_above_the_limit_then_the_connection_is_closed_with_1009() {
    let listener = Listener::new().await;
    let _world = Setup { max_message_bytes: 1000, ..Setup::new("ws", listener.port()) }.start();
    let mut connection = listener.connection().await;
    connection.message().await;
    connection.send_raw(MessageKind::Binary, &[0; 1001]).await;
    assert!(matches!(connection.said().await, Said::Close(Some(Close { code: 1009, .. }))));
    drop(connection);
    listener.connection().await;
}

/// C179: the next connection is opened only when the last one is closed, however long its server takes.
#[tokio::test]
async fn given_a_server_that_does_not_close_then_the_next_connection_waits_for_the_end_of_the_last() {
    let (listener, _world, mut connection) = connected().await;
    let error = ServerErrorResponse {
        kind: ServerErrorResponseType::Unavailable,
        retry_info: Some(RetryInfo { retry_after_nanoseconds: 1, ..RetryInfo::default() }),
        ..ServerErrorResponse::default()
    };
    connection.send(&ServerToAgent { error_response: Some(error), ..ServerToAgent::default() }).await;
    assert!(matches!(connection.said().await, Said::Close(Some(Close { code: 1000, .. }))));
    tokio::select! {
        biased;
        said = connection.said() => assert_eq!(said, Said::End),
        _ = listener.asked() => panic!("two connections at a time"),
    }
    listener.connection().await;
}

/// C076, C167, C168: with what was refused.
#[tokio::test]
async fn given_an_unavailable_server_then_the_client_leaves_and_comes_back_when_told() {
    let (listener, _world, mut connection) = connected().await;
    let error = ServerErrorResponse {
        kind: ServerErrorResponseType::Unavailable,
        retry_info: Some(RetryInfo { retry_after_nanoseconds: 700_000_000, ..RetryInfo::default() }),
        ..ServerErrorResponse::default()
    };
    connection.send(&ServerToAgent { error_response: Some(error), ..ServerToAgent::default() }).await;
    assert!(matches!(connection.said().await, Said::Close(Some(Close { code: 1000, .. }))));
    drop(connection);
    assert!(!listener.is_asked_within(Duration::from_millis(600)).await);
    let mut connection = listener.connection().await;
    assert!(connection.message().await.agent_description.is_some(), "what was refused is due again");
}

/// C076, C170, C175: as long as it is told, or long.
#[tokio::test]
async fn given_a_refused_upgrade_then_the_client_waits() {
    let cases = [
        ("503 Service Unavailable", "Retry-After: 1\r\n", 900, Some(3000)),
        ("401 Unauthorized", "", 1000, None),
        ("403 Forbidden", "", 1000, None),
        ("429 Too Many Requests", "", 1000, None),
    ];
    for (status, headers, silent, back) in cases {
        let listener = Listener::new().await;
        let world = Setup::new("ws", listener.port()).start();
        drop(listener.asked().await.answer(status, headers, b"").await);
        assert!(!listener.is_asked_within(Duration::from_millis(silent)).await, "{status}");
        if let Some(back) = back {
            assert!(listener.is_asked_within(Duration::from_millis(back)).await, "{status}");
        }
        drop(world);
    }
}

/// C175: nor is a server that closes because it lets us in no more (1008) or not now (1013) asked again at once, unlike
/// one that just closes.
#[tokio::test]
async fn given_a_close_with_a_reason_then_the_client_waits_as_for_a_refusal() {
    for (code, is_back) in [(1008, false), (1013, false), (1000, true), (1011, true)] {
        let (listener, _world, mut connection) = connected().await;
        connection.close(code).await;
        drop(connection);
        let patience = Duration::from_secs(if is_back { 5 } else { 1 });
        assert_eq!(listener.is_asked_within(patience).await, is_back, "{code}");
    }
}

/// C045, C048: persisted before the next message leaves.
#[tokio::test]
async fn given_a_new_uid_then_it_is_kept_and_used_at_once() {
    let (_listener, world, mut connection) = connected().await;
    let identification =
        AgentIdentification { new_instance_uid: vec![9; 16].into(), ..AgentIdentification::default() };
    let message = ServerToAgent { agent_identification: Some(identification), ..ServerToAgent::default() };
    connection.send(&message).await;
    assert_eq!(connection.message().await.instance_uid[..], [9; 16]);
    assert_eq!(identity::load(world.state.path()).unwrap().as_bytes(), &[9; 16]);
}

/// C176, C177, C180: farewell, close with 1000, end.
#[tokio::test]
async fn given_a_stop_then_farewell_and_close_go_and_the_agent_is_stopped() {
    let (_listener, world, mut connection) = connected().await;
    world.stop();
    let farewell = connection.message().await;
    assert!(farewell.agent_disconnect.is_some() && farewell.sequence_num == 2);
    assert!(matches!(connection.said().await, Said::Close(Some(Close { code: 1000, .. }))));
    connection.close(1000).await;
    assert!(world.ended().await.is_ok());
    assert_eq!(connection.said().await, Said::End);
}

/// C180: within seconds.
#[tokio::test]
async fn given_a_server_that_never_answers_the_close_then_the_stop_is_bounded() {
    let (_listener, world, _connection) = connected().await;
    world.stop();
    let began = Instant::now();
    assert!(world.ended().await.is_ok());
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn given_no_server_at_all_then_the_supervisor_waits_for_it_and_can_be_stopped() {
    let listener = Listener::new().await;
    let port = listener.port();
    drop(listener);
    let world = Setup::new("ws", port).start();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let listener = Listener(TcpListener::bind(("127.0.0.1", port)).await.unwrap());
    let mut connection = listener.connection().await;
    assert_eq!(connection.message().await.sequence_num, 1);
    drop((connection, listener));
    world.stop();
    assert!(world.ended().await.is_ok());
}

#[tokio::test]
async fn given_a_chatops_request_then_the_local_input_is_called_and_the_result_comes_back() {
    let input = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = Listener::new().await;
    let chatops_port = input.local_addr().unwrap().port();
    let _world = Setup { chatops_port, ..Setup::new("ws", listener.port()) }.start();
    let mut connection = listener.connection().await;
    connection.message().await;
    let request = chatops::Request {
        id: Some("op-1".to_owned()),
        reply: chatops::Reply::Always,
        ..chatops::Request::new("cleanup", serde_json::Map::new())
    };
    let capabilities =
        CustomCapabilities { capabilities: vec![CHATOPS.to_owned()], ..CustomCapabilities::default() };
    let message = ServerToAgent {
        custom_message: Some(request.to_message(CHATOPS).unwrap()),
        custom_capabilities: Some(capabilities),
        ..ServerToAgent::default()
    };
    connection.send(&message).await;
    connection.send(&message).await;
    let (mut stream, _) = input.accept().await.unwrap();
    // The read loop goes on while the call is under way.
    connection.ping(b"!").await;
    assert_eq!(connection.said().await, Said::Pong(b"!".to_vec()));
    let mut asked = Vec::new();
    while !asked.ends_with(b"{}") {
        assert!(stream.read_buf(&mut asked).await.unwrap() > 0);
    }
    stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
    let answer = connection.message().await.custom_message.unwrap();
    let success = chatops::Success::parse(&answer.data).unwrap();
    assert_eq!((answer.kind.as_str(), success.http_code), ("result", 201));
    assert_eq!((success.execution.id.as_str(), success.execution.body.as_str()), ("op-1", "ok"));
    let twice = tokio::time::timeout(Duration::from_millis(200), input.accept()).await;
    assert!(twice.is_err(), "the same id was carried out twice");
}

#[tokio::test]
async fn given_the_order_to_shut_down_then_farewell_goes_and_the_agent_is_stopped() {
    let (_listener, world, mut connection) = connected().await;
    let order = Order { action: "shutdown".to_owned(), ..Order::default() };
    let message = order.to_message(SHUTDOWN).unwrap();
    connection.send(&ServerToAgent { custom_message: message, ..ServerToAgent::default() }).await;
    assert!(connection.message().await.agent_disconnect.is_some());
    drop(connection);
    assert!(world.ended().await.is_ok());
}

#[tokio::test]
async fn given_a_process_side_that_ends_by_itself_then_the_supervisor_ends_with_an_error() {
    let (_listener, world, connection) = connected().await;
    drop(connection);
    assert!(matches!(world.abandoned().await, Err(RunError::Ended)));
}

#[tokio::test]
async fn given_a_server_that_only_pongs_then_it_was_heard_and_one_that_lets_nobody_in_too() {
    let (listener, world, mut connection) = connected().await;
    let begun = Instant::now();
    assert!(!world.heard.since(begun), "the handshake was before");
    connection.ping(b"x").await;
    assert_eq!(connection.said().await, Said::Pong(b"x".to_vec()));
    assert!(world.heard.since(begun));
    drop(connection);
    let asked = listener.asked().await;
    let begun = Instant::now();
    drop(asked.answer("502 Bad Gateway", "", b"").await);
    let asked = listener.asked().await;
    assert!(!world.heard.since(begun), "a proxy on the way is not the server");
    drop(asked.answer("503 Busy", "", b"").await);
    world.is_heard_since(begun).await;
}

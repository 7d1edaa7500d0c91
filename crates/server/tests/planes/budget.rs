//! What is in work for all agents together is bounded (OpAMP S.Q, S203).

use std::time::Instant;

use tidegate_opamp::wire::MAX_ELEMENTS;
use tidegate_opamp::ws::close_code;
use tidegate_opamp::{AgentToServer, Message as _, ServerErrorResponseType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::http::{self, Request};
use crate::report::{Reporter, assert_ack, assert_refusal, effective};
use crate::socket::Said;
use crate::world::{PATIENCE, World};

const MIB: usize = 1024 * 1024;

/// A server that has room for three messages of the largest size.
async fn narrow_world() -> World {
    World::with(|settings| settings.limits.max_bytes_in_flight = 3 * MIB).await
}

/// A report of nearly a mebibyte.
fn large(agent: &mut Reporter) -> AgentToServer {
    let text = "x".repeat(900_000);
    AgentToServer { effective_config: Some(effective([("a.yaml", text.as_bytes())])), ..agent.full() }
}

/// S172, S203: half messages that together are more than there is room for are refused with UNAVAILABLE and a close;
/// small ones are answered all the while, and large ones again as soon as there is room.
#[tokio::test]
async fn given_half_messages_on_many_sockets_when_there_is_no_room_then_some_are_refused_and_others_served() {
    let world = narrow_world().await;
    let mut agent = Reporter::new(1);
    let mut served = world.connected(&mut agent).await;
    let mut half = vec![0x82, 0xFF, 0, 0, 0, 0, 0, 14, 0, 0, 0, 0, 0, 0];
    half.resize(800_000, 0);
    let mut sockets = Vec::new();
    for index in 2..12 {
        let mut socket = world.connected(&mut Reporter::new(index)).await;
        socket.write(&half).await;
        sockets.push(socket);
    }
    let refused = tokio::spawn(async move {
        let mut refused = 0;
        for socket in &mut sockets {
            let Ok(said) = timeout(std::time::Duration::from_secs(2), socket.next()).await else { continue };
            let Said::Message(payload) = said else { panic!("{said:?}") };
            let reply: tidegate_opamp::ServerToAgent = tidegate_opamp::frame::decode(&payload).unwrap();
            let error = reply.error_response.unwrap();
            assert_eq!(error.kind, ServerErrorResponseType::Unavailable);
            assert!(error.retry_info.unwrap().retry_after_nanoseconds >= 30_000_000_000);
            assert_eq!(socket.closed().await.code, close_code::TRY_AGAIN);
            refused += 1;
        }
        (refused, sockets)
    });
    for _ in 0..20 {
        assert_ack(&served.exchange(&agent.heartbeat()).await, &agent);
    }
    let (refused, held) = refused.await.unwrap();
    assert!((7..10).contains(&refused), "{refused} of 10 were refused, where there is room for two or three");
    drop(held);
    let begun = Instant::now();
    while served.exchange(&large(&mut agent)).await.error_response.is_some() {
        assert!(begun.elapsed() < PATIENCE, "there is room again");
    }
}

/// S174, S203: the same of bodies: 503 with a time to come back.
#[tokio::test]
async fn given_half_bodies_on_many_connections_when_there_is_no_room_then_some_are_refused_with_503() {
    let world = narrow_world().await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(world.server.agents).await.unwrap();
        let head = "POST /v1/opamp HTTP/1.1\r\nHost: s\r\nContent-Type: application/x-protobuf\r\nContent-Length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![0; 800_000]).await.unwrap();
        streams.push(stream);
    }
    let mut refused = 0;
    for stream in &mut streams {
        let mut answer = [0; 1024];
        let read = timeout(std::time::Duration::from_secs(2), stream.read(&mut answer)).await;
        let Ok(Ok(length)) = read else { continue };
        let answer = String::from_utf8_lossy(&answer[..length]);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("retry-after: "), "{answer}");
        refused += 1;
    }
    assert!((7..10).contains(&refused), "{refused} of 10 were refused, where there is room for two or three");
    assert_eq!(world.poll(&Reporter::new(1).full()).await.error_response, None);
    drop(streams);
    let mut agent = Reporter::new(2);
    let begun = Instant::now();
    while http::call(world.server.agents, &Request::opamp(large(&mut agent).encode_to_vec())).await.status
        != 200
    {
        assert!(begun.elapsed() < PATIENCE, "there is room again");
    }
}

/// S203, S178: a message of very many tiny elements is refused before it is decoded, by either transport.
#[tokio::test]
async fn given_more_elements_than_a_message_may_have_when_sent_then_it_is_refused_undecoded() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    // Field 3, a description, with empty attributes in field 1: two bytes each.
    let attributes = [0x0A, 0].repeat(MAX_ELEMENTS + 1);
    let mut message = agent.heartbeat().encode_to_vec();
    message.push(0x1A);
    let mut length = attributes.len();
    while length >= 0x80 {
        message.push(u8::try_from(length % 0x80).unwrap() | 0x80);
        length /= 0x80;
    }
    message.push(u8::try_from(length).unwrap());
    message.extend(attributes);
    socket.send_payload(&[&[0], &message[..]].concat()).await;
    assert!(assert_refusal(&socket.message().await, b"").contains("elements"));
    let answer = http::call(world.server.agents, &Request::opamp(message)).await;
    assert!(assert_refusal(&answer.message(400), b"").contains("elements"));
}

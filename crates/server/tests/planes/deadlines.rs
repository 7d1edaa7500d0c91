//! Peers that stop in the middle of something, and peers that are not there.

use std::time::{Duration, Instant};

use tidegate_opamp::ws::close_code;
use tidegate_server::settings::Settings;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::report::Reporter;
use crate::socket::Said;
use crate::world::{PATIENCE, World};

const SHORT: Duration = Duration::from_millis(300);

/// What peers that behave must do in time, on a slow machine as well.
const LONGER: Duration = Duration::from_millis(900);

/// A pause between two bytes of a peer that trickles.
const TRICKLE: Duration = Duration::from_millis(40);

/// Writes bytes one by one with pauses, until the server ends the connection; gives what it answered.
async fn trickle(world: &World, begin: &str, each: &[u8]) -> String {
    let mut stream = TcpStream::connect(world.server.agents).await.unwrap();
    stream.write_all(begin.as_bytes()).await.unwrap();
    let begun = Instant::now();
    let mut answer = Vec::new();
    loop {
        let mut part = [0; 1024];
        match timeout(TRICKLE, stream.read(&mut part)).await {
            Err(_) => {}
            Ok(Ok(0) | Err(_)) => return String::from_utf8(answer).unwrap(),
            Ok(Ok(length)) => answer.extend_from_slice(&part[..length]),
        }
        // Nothing is lost when the server is gone: the next read says so.
        let _ = stream.write_all(each).await;
        assert!(begun.elapsed() < PATIENCE, "the connection was not cut");
    }
}

/// S203: a head that never ends is cut, however steadily it comes.
#[tokio::test]
async fn given_a_head_that_trickles_when_its_time_is_up_then_the_connection_is_cut() {
    let world = World::with(|settings: &mut Settings| settings.agents.handshake_timeout = SHORT).await;
    for begin in ["", "POST /v1/opamp HTTP/1.1\r\nHost: s\r\nX-Slow: ", "GET /v1/opamp HTTP/1.1\r\n"] {
        assert_eq!(trickle(&world, begin, b"a").await, "", "{begin:?}");
    }
    // Ever new headers are no better.
    assert_eq!(trickle(&world, "GET / HTTP/1.1\r\n", b"X: a\r\n").await, "");
}

/// S203: a body that never ends is answered with 408, however steadily it comes.
#[tokio::test]
async fn given_a_body_that_trickles_when_its_time_is_up_then_the_answer_is_408() {
    let world = World::with(|settings: &mut Settings| settings.agents.message_timeout = SHORT).await;
    let head = "POST /v1/opamp HTTP/1.1\r\nHost: s\r\nContent-Type: application/x-protobuf\r\n";
    for (rest, each) in
        [("Content-Length: 1000\r\n\r\n", &b"a"[..]), ("Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")]
    {
        let answer = trickle(&world, &format!("{head}{rest}"), each).await;
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 0);
}

/// A socket that is opened and never spoken on is closed, with a reason; one that is spoken on stays.
#[tokio::test]
async fn given_a_socket_without_a_message_when_its_time_is_up_then_it_is_closed() {
    let world = World::with(|settings: &mut Settings| settings.agents.first_message_timeout = LONGER).await;
    let mut agent = Reporter::new(1);
    let mut speaking = world.connected(&mut agent).await;
    let mut silent = world.socket().await;
    let mut pinging = world.socket().await;
    pinging.ping(b"a").await;
    assert_eq!(pinging.next().await, Said::Pong(b"a".to_vec()));
    for socket in [&mut silent, &mut pinging] {
        let close = socket.closed().await;
        assert_eq!(
            (close.code, close.reason.as_str()),
            (close_code::POLICY, "no OpAMP message came in time")
        );
    }
    assert_eq!(speaking.exchange(&agent.heartbeat()).await.error_response, None);
}

/// S203: a frame or message that never ends closes its socket, whether it stalls or trickles; pings do not help it.
#[tokio::test]
async fn given_half_a_message_when_its_time_is_up_then_the_socket_is_closed() {
    let world = World::with(|settings: &mut Settings| settings.agents.message_timeout = SHORT).await;
    // A frame of 60,000 bytes of which some come; a fragment that no other follows.
    let frame = [0x82, 0xFE, 0xEA, 0x60, 0, 0, 0, 0, 1, 2, 3];
    let fragment = [0x02, 0x81, 0, 0, 0, 0, 7];
    let ping = [0x89, 0x80, 0, 0, 0, 0];
    for (begin, each) in [
        (&frame[..], None),
        (&frame[..1], None),
        (&frame[..], Some(&b"a"[..])),
        (&fragment[..], Some(&ping[..])),
    ] {
        let mut agent = Reporter::new(1);
        let mut socket = world.connected(&mut agent).await;
        socket.write(begin).await;
        let begun = Instant::now();
        let close = loop {
            match timeout(TRICKLE, socket.next()).await {
                Err(_) | Ok(Said::Pong(_)) => {}
                Ok(Said::Close(Some(close))) => break close,
                Ok(other) => panic!("{other:?}"),
            }
            if let Some(bytes) = each {
                socket.write(bytes).await;
            }
            assert!(begun.elapsed() < PATIENCE, "the socket was not closed");
        };
        assert_eq!(
            (close.code, close.reason.as_str()),
            (close_code::POLICY, "a message did not arrive in time")
        );
    }
}

/// S029: the server pings in silence; a peer that answers stays, one that does not is given up within twice the interval
/// and shown as disconnected.
#[tokio::test]
async fn given_a_peer_that_is_not_there_when_it_answers_no_ping_then_its_agent_is_disconnected() {
    let world = World::with(|settings: &mut Settings| settings.agents.ping_interval = LONGER).await;
    let (mut dead, mut alive) = (Reporter::new(1), Reporter::new(2));
    let (mut dead_socket, mut alive_socket) =
        (world.connected(&mut dead).await, world.connected(&mut alive).await);
    let answering = tokio::spawn(async move {
        let mut pings = 0;
        while pings < 4 {
            match alive_socket.next().await {
                Said::Ping(payload) => alive_socket.pong(&payload).await,
                other => panic!("{other:?}"),
            }
            pings += 1;
        }
        alive_socket
    });
    let begun = Instant::now();
    assert!(matches!(dead_socket.next().await, Said::Ping(_)));
    let path = format!("/agents/{}", dead.uid);
    world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert!(begun.elapsed() >= LONGER / 2, "it had no time to answer: {:?}", begun.elapsed());
    assert_eq!(dead_socket.next().await, Said::End);
    let mut alive_socket = answering.await.unwrap();
    assert_eq!(alive_socket.exchange(&alive.heartbeat()).await.error_response, None);
}

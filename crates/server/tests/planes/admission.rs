//! Who is let in, and what the others are told (OpAMP S.P).

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tidegate_opamp::Message as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::http::{self, Answer, Request};
use crate::report::{Reporter, assert_ack};
use crate::socket::Socket;
use crate::tls::{BOTH, secure_world};
use crate::world::{PATIENCE, World};

/// A request for a WebSocket, as one that is answered like any other.
fn upgrade() -> Request {
    Request::new("GET", "/v1/opamp")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
        .header("Sec-WebSocket-Version", "13")
}

fn report(index: u16) -> Request {
    Request::opamp(Reporter::new(index).full().encode_to_vec())
}

/// The seconds that a refusal asks to wait, after everything else about it was checked.
fn refused(answer: &Answer, status: u16, reason: &str) -> u64 {
    let text = String::from_utf8_lossy(&answer.body);
    assert_eq!(answer.status, status, "{text}");
    let seconds =
        answer.header("retry-after").expect("S174: no Retry-After").parse().expect("S174: not in seconds");
    assert!(text.contains(reason) && text.contains(&format!("{seconds} s")), "{text}");
    seconds
}

/// S173–S176: beyond the bound the upgrade itself is refused, and the POST; each is told its own time to come back, of
/// 30 seconds or more; those who are in notice nothing, and one that leaves makes room.
#[tokio::test]
async fn given_as_many_sockets_as_are_taken_when_more_come_then_each_is_told_when_to_come_back() {
    let world = World::with(|settings| settings.limits.max_connections = 2).await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut held = world.connected(&mut first).await;
    let leaving = world.connected(&mut second).await;
    let address = world.server.agents;
    let mut times = BTreeSet::new();
    for index in 0..50 {
        for request in [upgrade(), report(100 + index)] {
            let answer = http::call(address, &request).await;
            assert_eq!(answer.header("connection"), Some("close"));
            times.insert(refused(&answer, 503, "as many agents are connected"));
        }
    }
    assert!(times.first() >= Some(&30) && times.last() <= Some(&60), "S175: {times:?}");
    assert!(times.len() >= 12, "S176: {times:?}");
    assert_ack(&held.exchange(&first.heartbeat()).await, &first);
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 2);
    assert!(world.metrics().await.contains("tidegate_refused_connections_total 100"));

    drop(leaving);
    let begun = Instant::now();
    while http::call(address, &report(3)).await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "nothing made room");
    }
}

/// S174, S175: how long agents wait at the least can be set.
#[tokio::test]
async fn given_a_least_wait_when_an_agent_is_refused_then_it_is_told_that_or_up_to_twice_as_much() {
    let world = World::with(|settings| {
        settings.limits.max_connections = 1;
        settings.limits.retry_after = Duration::from_secs(300);
    })
    .await;
    let _held = world.connected(&mut Reporter::new(1)).await;
    let answer = http::call(world.server.agents, &upgrade()).await;
    let seconds = refused(&answer, 503, "as many agents are connected");
    assert!((300..=600).contains(&seconds), "{seconds}");
}

/// S173, S174: handshakes are bounded; who finds no place in time is told so on the connection, and served once a place
/// is free.
#[tokio::test]
async fn given_handshakes_in_progress_when_there_is_no_place_for_more_then_upgrades_and_posts_are_refused() {
    let (world, identity) = secure_world(|settings| settings.limits.max_handshakes = 1).await;
    let address = world.server.agents;
    let client = identity.client(BOTH);
    let mut agent = Reporter::new(1);
    let mut socket = Socket::over(client.connect(address).await.unwrap(), &[]).await.unwrap();
    socket.exchange(&agent.full()).await;
    let mut stalled = TcpStream::connect(address).await.unwrap();
    stalled.write_all(b"\x16\x03\x01").await.unwrap();
    for request in [upgrade(), report(2)] {
        // The stalled one has its place once another is refused; until then there may still be one.
        let begun = Instant::now();
        let answer = loop {
            let answer = http::send_over(client.connect(address).await.unwrap(), &request.bytes()).await;
            if answer.status == 503 {
                break answer;
            }
            assert!(begun.elapsed() < PATIENCE, "{}", answer.status);
        };
        assert!(refused(&answer, 503, "busy") >= 30);
    }
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    drop(stalled);
    let begun = Instant::now();
    while http::send_over(client.connect(address).await.unwrap(), &report(3).bytes()).await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the place did not become free");
    }
}

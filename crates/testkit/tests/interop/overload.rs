//! A server that has no room, or hears too much: what opamp-go makes of being told so.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_testkit::fleet::{SOON, eventually};
use tokio::net::TcpStream;

use crate::peer::Peer;
use crate::relay::Relay;
use crate::runtime;
use crate::story::Story;

/// The least that the server says to wait; as much again is added by chance.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// S173, S174: a server that is full refuses the upgrade with a time to wait, which this client keeps to (measured D).
/// Would it accept and close, the client would come back a thousand times a second (measured C).
#[tokio::test]
async fn given_a_full_server_when_opamp_go_comes_then_it_waits_as_it_is_told() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin_with("go-refused", |settings| {
        settings.limits.max_connections = 3;
        settings.limits.retry_after = RETRY_AFTER;
    })
    .await;
    let relay = Relay::to(story.server.agents).await;
    let mut idle = Vec::new();
    for _ in 0..3 {
        idle.push(TcpStream::connect(story.server.agents).await.unwrap());
    }
    let mut peer = Peer::run(&words, story.scene.path());
    let begun = Instant::now();
    peer.start(&relay.endpoint("ws"), "go-refused", json!({}));
    // Two callbacks for each attempt that fails.
    peer.says("connect-failed", 6).await;
    assert!(begun.elapsed() >= 2 * RETRY_AFTER, "three attempts within {:?}", begun.elapsed());
    assert!(peer.said("connect-failed").iter().all(|one| one["error"] == "websocket: bad handshake"));
    drop(idle);
    story.connected("websocket").await;
    let most = begun.elapsed().as_secs() + 2;
    assert!(relay.connections() as u64 <= most, "{} connections", relay.connections());
}

/// S172, S173: this client does not heed UNAVAILABLE on a socket (measured B). It is not heard for a while, is not
/// thrown out, and what it said meanwhile is asked for afterwards.
#[tokio::test]
async fn given_opamp_go_when_it_says_too_much_then_it_stays_and_nothing_is_lost_in_the_end() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin_with("go-loud", |settings| {
        settings.limits.messages_per_second = 5;
        settings.limits.message_burst = 5;
    })
    .await;
    let relay = Relay::to(story.server.agents).await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&relay.endpoint("ws"), "go-loud", json!({"heartbeat_ms": 1000}));
    story.connected("websocket").await;
    for number in 1..=40 {
        peer.order(&json!({"do": "health", "healthy": false, "error": format!("trouble {number}.")}));
        // The client sends what has changed since the last frame; this makes many frames of it.
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let errors = peer.says("error", 1).await;
    assert_eq!(errors[0]["type"], "ServerErrorResponseType_Unavailable");
    story.agent("last health", |detail| detail.agent.health.reason.contains("trouble 40.")).await;
    assert_eq!(relay.connections(), 1, "it was never thrown out");
    eventually("rest", SOON, async || {
        let before = peer.said("error").len();
        tokio::time::sleep(Duration::from_secs(3)).await;
        if peer.said("error").len() == before { Ok(()) } else { Err(format!("{before} errors")) }
    })
    .await;
}

/// S074, S174, S175: over HTTP this client takes 429 with its `Retry-After` for what it is, and posts the same bytes
/// again, so nothing is lost and nothing is asked for.
#[tokio::test]
async fn given_opamp_go_over_http_when_it_says_too_much_then_it_waits_and_says_it_again() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin_with("go-loud-http", |settings| {
        settings.limits.messages_per_second = 5;
        settings.limits.message_burst = 5;
        settings.limits.retry_after = RETRY_AFTER;
    })
    .await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&story.server.endpoint("http"), "go-loud-http", json!({"heartbeat_ms": 1000}));
    story.connected("http").await;
    for number in 1..=40 {
        peer.order(&json!({"do": "health", "healthy": false, "error": format!("trouble {number}.")}));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let failures = peer.says("connect-failed", 1).await;
    assert_eq!(failures[0]["error"], "server response code=429");
    story.agent("last health", |detail| detail.agent.health.reason.contains("trouble 40.")).await;
    assert_eq!(story.full_state_requests().await, 0);
}

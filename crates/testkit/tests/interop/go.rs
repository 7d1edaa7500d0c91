//! opamp-go, the client of the Collector and of most agents.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate_api::AgentDetail;
use tidegate_testkit::fleet::{SOON, eventually};

use crate::peer::Peer;
use crate::relay::{Relay, Weather};
use crate::runtime;
use crate::story::Story;

/// The whole script.
async fn script(name: &'static str, scheme: &str, compress: bool) {
    let Some(words) = runtime::go() else { return };
    let transport = if scheme == "ws" { "websocket" } else { "http" };
    let story = Story::begin(name).await;
    let mut peer = Peer::run(&words, story.scene.path());
    let compress = json!({"compress": compress});
    peer.start(&story.server.endpoint(scheme), name, compress.clone());

    let first = story.connected(transport).await;
    let agent = &first.agent;
    assert_eq!(agent.service.name.as_deref(), Some("opamp-go"));
    assert_eq!(agent.health.value, "healthy");
    assert!(agent.capabilities.iter().any(|name| name == "ReportsAvailableComponents"), "{agent:?}");
    assert!(agent.custom_capabilities.iter().any(|name| name == "com.example.echo"), "{agent:?}");
    let files: Vec<_> = first.effective_config.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(files, ["own.yaml"]);

    story.heartbeats().await;
    story.takes_configs(true).await;
    story.restarts().await;
    story.exchanges_messages().await;
    peer.order(&json!({"do": "send", "capability": "com.example.echo", "type": "hello", "data": "unasked"}));
    eventually("message of the agent", SOON, async || {
        let events = story.events().await;
        let is_there = events.iter().any(|(kind, text)| kind == "message" && text.contains("hello"));
        if is_there { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
    peer.order(&json!({"do": "components", "version": "2"}));
    peer.order(&json!({"do": "health", "healthy": false, "error": "out of luck"}));
    story.agent("failed health", |detail| detail.agent.health.reason.contains("out of luck")).await;

    let offers = peer.said("config").len();
    // A poll may come between an offer and its first status; a socket is told once.
    assert!(offers == 3 || scheme == "http", "{:?}", peer.said("config"));
    peer.stop().await;
    // Over HTTP this client says no farewell.
    story.gone(if scheme == "ws" { "departed" } else { "disconnected" }).await;
    peer.start(&story.server.endpoint(scheme), name, compress);
    let again = story.connected(transport).await;
    assert_eq!(again.agent.uid, first.agent.uid);
    assert_eq!(again.agent.config.axis.value, "in-sync", "it remembers what it applied");
    story.agent("health", |detail| detail.agent.health.value == "healthy").await;
    story.heartbeats().await;
    assert_eq!(story.full_state_requests().await, 0, "nothing was ever missing");
    assert_eq!(peer.said("error"), [json!(null); 0]);
    assert_eq!(peer.said("config").len(), offers, "what was acknowledged is not offered again");
}

/// S001, S064, S073, S076, S098–S101, S160, S164: the whole script over WebSocket.
#[tokio::test]
async fn given_opamp_go_over_websocket_when_it_lives_through_the_script_then_the_server_follows() {
    script("go-ws", "ws", false).await;
}

/// S001, S049, S050, S064, S073, S076, S098, S099, S160, S165: the whole script over plain HTTP, where any answer
/// but 200 would lose a report.
#[tokio::test]
async fn given_opamp_go_over_http_when_it_lives_through_the_script_then_the_server_follows() {
    script("go-http", "http", false).await;
}

/// S030: permessage-deflate is offered, declined, and all goes on without.
#[tokio::test]
async fn given_opamp_go_that_offers_compression_when_it_connects_then_it_does_without() {
    script("go-ws-deflate", "ws", true).await;
}

/// S049: bodies with `Content-Encoding: gzip` are read.
#[tokio::test]
async fn given_opamp_go_that_compresses_its_bodies_when_it_posts_then_they_are_read() {
    script("go-http-gzip", "http", true).await;
}

/// S077: after a dropped socket this client sends nothing but uid, next number and capabilities; that is enough.
#[tokio::test]
async fn given_opamp_go_when_its_socket_is_cut_then_it_comes_back_without_reporting_anew() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin("go-cut").await;
    let relay = Relay::to(story.server.agents).await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&relay.endpoint("ws"), "go-cut", json!({}));
    let before = story.connected("websocket").await;
    for cut in 1..=3 {
        relay.cut();
        eventually("connection", SOON, async || {
            let events = story.events().await;
            let times = events.iter().filter(|(_, text)| text == "connected by websocket").count();
            if times == cut + 1 { Ok(()) } else { Err(format!("{events:?}")) }
        })
        .await;
        story.heartbeats().await;
    }
    let after = story.connected("websocket").await;
    assert_eq!(after.agent.uid, before.agent.uid);
    assert_eq!(after.agent.health.value, "healthy");
    assert_eq!(after.effective_config, before.effective_config);
    assert_eq!(story.full_state_requests().await, 0);
    assert_eq!(relay.connections(), 4, "one for each cut");
}

/// S070–S072: a server that knows nothing of the agent asks once, however many messages come, and has everything;
/// this client answers every flag at once (measured F), so a server that repeats it would never rest.
#[tokio::test]
async fn given_opamp_go_when_it_is_led_to_a_server_that_forgot_it_then_that_asks_once() {
    let Some(words) = runtime::go() else { return };
    for scheme in ["ws", "http"] {
        let story = Story::begin("go-forgotten").await;
        let relay = Relay::to(story.server.agents).await;
        let mut peer = Peer::run(&words, story.scene.path());
        peer.start(&relay.endpoint(scheme), "go-forgotten", json!({}));
        let before = story.connected(if scheme == "ws" { "websocket" } else { "http" }).await;
        let other = Story::begin(story.name).await;
        relay.lead_to(other.server.agents);
        relay.cut();
        let after = other.agent("agent with all it had", |detail| {
            detail.effective_config == before.effective_config && detail.agent.health.value == "healthy"
        });
        assert_eq!(after.await.agent.uid, before.agent.uid);
        other.heartbeats().await;
        assert_eq!(other.full_state_requests().await, 1, "{scheme}");
    }
}

/// S057, S059: this client speaks under its new uid from the next heartbeat on, goes on counting, and reports nothing
/// anew (measured L). It stays one agent with all that was known of it, and comes back under the new uid.
#[tokio::test]
async fn given_opamp_go_when_it_asks_for_a_uid_then_its_record_moves_there_and_nothing_is_asked() {
    let Some(words) = runtime::go() else { return };
    for (scheme, transport) in [("ws", "websocket"), ("http", "http")] {
        let story = Story::begin("go-renamed").await;
        let mut peer = Peer::run(&words, story.scene.path());
        peer.start(&story.server.endpoint(scheme), "go-renamed", json!({"request_uid": true}));
        let given = peer.says("uid", 1).await[0]["uid"].as_str().unwrap().to_owned();
        assert_ne!(json!(given), peer.said("starting")[0]["uid"]);
        assert_eq!((given.len(), &given[12..13]), (32, "7"), "a UUID of version 7: {given}");
        let is_renamed = |detail: &AgentDetail| detail.agent.uid.replace('-', "") == given;
        let renamed = story.agent("agent with its new uid", is_renamed).await;
        story.heartbeats().await;
        assert_eq!(renamed.agent.health.value, "healthy");
        assert_eq!(renamed.effective_config[0].name, "own.yaml");
        assert_eq!(story.full_state_requests().await, 0, "{scheme}");
        assert_eq!(story.pushed("after: all\n").await.0, "unproven");
        peer.stop().await;
        story.gone(if scheme == "ws" { "departed" } else { "disconnected" }).await;
        peer.start(&story.server.endpoint(scheme), "go-renamed", json!({}));
        let again = story.connected(transport).await;
        assert_eq!(again.agent.uid, renamed.agent.uid);
        assert_eq!(peer.said("uid").len(), 1, "one is given once");
        assert_eq!(peer.said("error"), [json!(null); 0]);
    }
}

/// S085: without the capability this client sends heartbeats all the same, one in 30 s (measured K). They are answered
/// like any, and change nothing.
#[tokio::test]
async fn given_opamp_go_that_never_said_it_sends_heartbeats_when_it_does_then_they_are_taken() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin_with("go-silent", |settings| {
        settings.agents.heartbeat_interval = Duration::from_secs(30);
    })
    .await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&story.server.endpoint("ws"), "go-silent", json!({"without": ["ReportsHeartbeat"]}));
    let first = story.connected("websocket").await;
    assert!(!first.agent.capabilities.iter().any(|name| name == "ReportsHeartbeat"));
    let begun = Instant::now();
    let beat = |detail: &AgentDetail| detail.agent.last_seen > first.agent.last_seen;
    let after = story.agent("heartbeat after half a minute", beat).await;
    assert!(begun.elapsed() > Duration::from_secs(20), "that was no heartbeat: {:?}", begun.elapsed());
    assert_eq!(after.agent.connection.value, "connected");
    assert_eq!(after.effective_config, first.effective_config);
    assert_eq!(story.full_state_requests().await, 0);
    assert_eq!(peer.said("error"), [json!(null); 0]);
}

/// S074: after a network error this client posts the same bytes again (measured H); the report is taken once, and
/// nothing is asked for.
#[tokio::test]
async fn given_opamp_go_over_http_when_answers_are_lost_then_its_repeats_are_taken_once() {
    let Some(words) = runtime::go() else { return };
    let story = Story::begin("go-retry").await;
    let relay = Relay::to(story.server.agents).await;
    let mut peer = Peer::run(&words, story.scene.path());
    // Slow heartbeats: what is lost and said again is the report of health.
    peer.start(&relay.endpoint("http"), "go-retry", json!({"heartbeat_ms": 5000}));
    // The second one lists its components, which the first answer asked for.
    peer.says("connected", 2).await;
    relay.set(Weather::Loss);
    peer.order(&json!({"do": "health", "healthy": false, "error": "said again and again"}));
    story.agent("health", |detail| detail.agent.health.reason.contains("again and again")).await;
    eventually("three lost answers", SOON, async || {
        if relay.lost() >= 3 { Ok(()) } else { Err(format!("{} were lost", relay.lost())) }
    })
    .await;
    let answered = peer.said("connected").len();
    relay.set(Weather::Fair);
    peer.says("connected", answered + 2).await;
    let health: Vec<_> = story.events().await.into_iter().filter(|(kind, _)| kind == "health").collect();
    assert_eq!(health.iter().filter(|(_, text)| text.contains("again and again")).count(), 1, "{health:?}");
    assert_eq!(story.full_state_requests().await, 0);
}

//! The Node client. It speaks plain HTTP, and knows remote configs and requests for the full state: no health, no
//! effective config, no commands, no custom messages, no farewell.

use serde_json::json;

use crate::peer::Peer;
use crate::relay::{Relay, Weather};
use crate::runtime;
use crate::story::Story;

/// S049, S050, S052, S064, S073, S076, S098, S099: the script, as far as this client can follow it. It counts from 1,
/// wants `application/x-protobuf` to the letter, and ignores an answer with another uid than its own.
#[tokio::test]
async fn given_the_node_client_when_it_lives_through_the_script_then_the_server_follows() {
    let Some(words) = runtime::node() else { return };
    let story = Story::begin("node").await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&story.server.endpoint("http"), "node", json!({}));
    let first = story.connected("http").await;
    assert_eq!(first.agent.service.name.as_deref(), Some("opamp-node"));
    assert_eq!(peer.says("connected", 1).await[0]["number"], 1);
    story.heartbeats().await;
    story.takes_configs(false).await;
    peer.stop().await;
    story.gone("disconnected").await;
    peer.start(&story.server.endpoint("http"), "node", json!({}));
    let again = story.connected("http").await;
    assert_eq!(again.agent.uid, first.agent.uid);
    story.heartbeats().await;
    assert_eq!(story.full_state_requests().await, 0, "nothing was ever missing");
    assert_eq!(peer.said("connect-failed"), [json!(null); 0]);
}

/// S075: this client burns a number with each attempt that fails. What it lost it says again, so a gap with a full
/// report asks for nothing, and any other gap asks once at most.
#[tokio::test]
async fn given_the_node_client_when_attempts_fail_then_flags_are_fewer_than_gaps_and_no_loop_begins() {
    let Some(words) = runtime::node() else { return };
    let story = Story::begin("node-gaps").await;
    let relay = Relay::to(story.server.agents).await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&relay.endpoint("http"), "node-gaps", json!({}));
    story.connected("http").await;
    relay.set(Weather::Loss);
    peer.says("connect-failed", 3).await;
    relay.set(Weather::Fair);
    let answered = peer.said("connected").len();
    peer.says("connected", answered + 2).await;
    story.heartbeats().await;
    let (gaps, flags) = (peer.said("connect-failed").len() as u64, story.full_state_requests().await);
    assert!(flags <= gaps, "{flags} flags for {gaps} gaps");
    assert_eq!(story.pushed("after: all\n").await.0, "unproven");
    assert_eq!(story.full_state_requests().await, flags, "it came to rest");
}

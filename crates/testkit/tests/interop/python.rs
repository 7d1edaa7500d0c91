//! The Python client. It speaks plain HTTP, and knows remote configs and requests for the full state: no health, no
//! commands, no custom messages, no new uid.

use std::time::Duration;

use serde_json::{Value, json};
use tidegate_testkit::fleet::{SOON, eventually};

use crate::peer::Peer;
use crate::relay::{Relay, Weather};
use crate::runtime;
use crate::story::Story;

/// S049, S052, S064, S073, S098, S099: the script, as far as this client can follow it.
#[tokio::test]
async fn given_the_python_client_when_it_lives_through_the_script_then_the_server_follows() {
    let Some(words) = runtime::python() else { return };
    let story = Story::begin("python").await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&story.server.endpoint("http"), "python", json!({}));
    let first = story.connected("http").await;
    assert_eq!(first.agent.service.name.as_deref(), Some("opamp-python"));
    assert_eq!(first.effective_config[0].body, "own: true\n");
    story.heartbeats().await;
    story.takes_configs(true).await;
    let offers = peer.said("config").len();
    peer.stop().await;
    // The farewell does not wait for what is queued, so another report may follow it and be taken for a return.
    eventually("farewell", SOON, async || {
        let events = story.events().await;
        let is_there = events.iter().any(|(_, text)| text.starts_with("departed"));
        if is_there { Ok(()) } else { Err(format!("{events:?}")) }
    })
    .await;
    peer.start(&story.server.endpoint("http"), "python", json!({}));
    let again = story.connected("http").await;
    assert_eq!(again.agent.uid, first.agent.uid);
    assert_eq!(again.agent.config.axis.value, "in-sync");
    story.heartbeats().await;
    assert_eq!(peer.said("error"), [json!(null); 0]);
    assert_eq!(peer.said("config").len(), offers, "what was acknowledged is not offered again");
}

/// S051, S072, S075: this client gives an answer one second, counts each attempt, and sends a number that it took when
/// the message was queued. Nothing that only repeats is asked about, and the client comes to rest.
#[tokio::test]
async fn given_the_python_client_when_answers_are_late_and_numbers_shared_then_no_loop_begins() {
    let Some(words) = runtime::python() else { return };
    let story = Story::begin("python-late").await;
    let relay = Relay::to(story.server.agents).await;
    let mut peer = Peer::run(&words, story.scene.path());
    peer.start(&relay.endpoint("http"), "python-late", json!({}));
    story.connected("http").await;
    relay.set(Weather::Silence);
    peer.says("connect-failed", 2).await;
    relay.set(Weather::Fair);
    let answered = peer.said("connected").len();
    peer.says("connected", answered + 1).await;
    // Two reports with one number.
    peer.order(&json!({"do": "state"}));
    assert_eq!(story.pushed("after: all\n").await.0, "unproven");
    let flags = eventually("rest", SOON, async || {
        let before = (peer.said("sent").len(), story.full_state_requests().await);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let sent = peer.said("sent").len() - before.0;
        let flags = story.full_state_requests().await;
        // Seven heartbeats, and no more than one that waited.
        if flags == before.1 && (1..=8).contains(&sent) { Ok(flags) } else { Err(format!("{sent}, {flags}")) }
    })
    .await;
    let sent = peer.said("sent");
    assert!(flags <= gaps(&sent), "{flags} flags for {sent:?}");
    assert_eq!(peer.said("error"), [json!(null); 0]);
}

/// How often a report that is not full had neither the next number nor the same one with the same bytes (A6, A21).
fn gaps(sent: &[Value]) -> u64 {
    let is_gap = |pair: &&[Value]| {
        let number = |one: &Value| one["number"].as_u64().unwrap();
        let is_retry = pair[0]["digest"] == pair[1]["digest"];
        pair[1]["full"] == false && number(&pair[1]) != number(&pair[0]) + 1 && !is_retry
    };
    sent.windows(2).filter(is_gap).count() as u64
}

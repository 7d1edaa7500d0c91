//! Status reports, heartbeats, health and effective config (OpAMP S.E–S.H).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_opamp::{
    AgentToServer, AvailableComponents, ComponentDetails, ComponentHealth, ConnectionSettingsStatus,
    CustomCapabilities, EffectiveConfig, PackageStatuses, RemoteConfigStatus, RemoteConfigStatuses,
};

use crate::http;
use crate::report::{NULL, Reporter, assert_ack, effective};
use crate::world::World;

/// S064, S065, S085: every message is answered, one with nothing to say by the uid alone.
#[tokio::test]
async fn given_many_messages_at_once_when_they_arrive_then_each_is_answered_in_order() {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut first).await;
    socket.exchange(&second.full()).await;
    let messages: Vec<_> =
        (0..200).map(|turn| if turn % 3 == 0 { second.heartbeat() } else { first.heartbeat() }).collect();
    socket.send_all(&messages).await;
    for turn in 0..200 {
        let agent = if turn % 3 == 0 { &second } else { &first };
        assert_ack(&socket.message().await, agent);
    }
    socket.quiet().await;
}

/// S065, S052: by HTTP a heartbeat is acknowledged, with the introduction that every answer there carries.
#[tokio::test]
async fn given_a_heartbeat_by_http_when_nothing_waits_then_the_answer_is_the_introduction_alone() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let mut reply = world.poll(&agent.heartbeat()).await;
    assert_ne!(reply.capabilities, 0, "S005");
    reply.capabilities = 0;
    assert!(reply.custom_capabilities.take().is_some(), "S165");
    assert_ack(&reply, &agent);
}

fn everything(agent: &mut Reporter) -> AgentToServer {
    let component = |healthy| ComponentHealth { healthy, ..ComponentHealth::default() };
    let health = ComponentHealth {
        healthy: true,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        component_health_map: BTreeMap::from([
            ("in".to_owned(), component(true)),
            ("out".to_owned(), component(false)),
        ]),
        ..ComponentHealth::default()
    };
    AgentToServer {
        health: Some(health),
        effective_config: Some(effective([("a.yaml", &b"a"[..])])),
        remote_config_status: Some(RemoteConfigStatus {
            last_remote_config_hash: Bytes::from_static(b"hash"),
            status: RemoteConfigStatuses::Applied,
            ..RemoteConfigStatus::default()
        }),
        package_statuses: Some(PackageStatuses::default()),
        available_components: Some(AvailableComponents {
            hash: Bytes::from_static(b"build"),
            components: BTreeMap::from([("in".to_owned(), ComponentDetails::default())]),
            ..AvailableComponents::default()
        }),
        connection_settings_status: Some(ConnectionSettingsStatus::default()),
        ..agent.full()
    }
}

/// What the API shows of an agent, without the times.
fn timeless(mut agent: Value) -> Value {
    fn strip(value: &mut Value) {
        if let Some(map) = value.as_object_mut() {
            map.remove("last_seen");
            map.remove("observed_at");
            map.values_mut().for_each(strip);
        }
    }
    strip(&mut agent);
    agent
}

/// S068: what a message leaves out stays as it was, over restarts too.
#[tokio::test]
async fn given_everything_reported_when_heartbeats_follow_then_nothing_is_forgotten() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.socket().await;
    socket.exchange(&everything(&mut agent)).await;
    let before = timeless(world.agent(&agent).await);
    assert_eq!(before["health"]["value"], "degraded");
    assert_eq!(before["config"]["acknowledged"], "68617368");
    assert_eq!(before["effective_config"][0]["body"], "a");
    assert_eq!(before["custom_capabilities"], json!([NULL]));
    assert_eq!(before["available_components"]["components"], json!({"in": {}}));
    assert_eq!(before["started_at"], "2023-11-14T22:13:20Z");
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    assert_eq!(timeless(world.agent(&agent).await), before);
    drop(socket);
    let world = world.restart().await;
    let mut socket = world.socket().await;
    assert_eq!(socket.exchange(&agent.heartbeat()).await.flags, 0);
    assert_eq!(timeless(world.agent(&agent).await), before);
}

/// S069: what is there replaces what was, whole.
#[tokio::test]
async fn given_a_health_tree_when_a_health_without_one_follows_then_the_tree_is_gone() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.socket().await;
    socket.exchange(&everything(&mut agent)).await;
    assert_eq!(world.agent(&agent).await["components"].as_object().unwrap().len(), 2);
    socket.exchange(&agent.health(true, 0, "")).await;
    let shown = world.agent(&agent).await;
    assert_eq!(shown["components"], json!({}));
    assert_eq!((&shown["health"]["value"], shown.get("started_at")), (&json!("healthy"), None));
    let fewer = CustomCapabilities::default();
    socket.exchange(&AgentToServer { custom_capabilities: Some(fewer), ..agent.heartbeat() }).await;
    assert_eq!(world.agent(&agent).await["custom_capabilities"], json!([]));
}

/// S081: anything with a uid is a sign of life.
#[tokio::test]
async fn given_a_poll_when_it_arrives_then_the_agent_was_seen() {
    let world = World::with(|settings| settings.agents.heartbeat_interval = Duration::from_millis(300)).await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let path = format!("/agents/{}", agent.uid);
    let late = world.eventually(&path, |agent| agent["connection"]["value"] == "late").await;
    world.poll(&agent.heartbeat()).await;
    let seen = world.get(&path).await.expect(200);
    assert_eq!(seen["connection"]["value"], "connected");
    assert!(seen["last_seen"].as_str() > late["last_seen"].as_str());
}

/// S087: a heartbeat writes nothing.
#[tokio::test]
async fn given_heartbeats_when_nothing_changed_then_the_store_is_not_touched() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.settled().await;
    let files =
        || ["tidegate.db", "tidegate.db-wal"].map(|name| std::fs::read(world.folder.path().join(name)).ok());
    let before = files();
    let heartbeats: Vec<_> = (0..3000).map(|_| agent.heartbeat()).collect();
    socket.send_all(&heartbeats).await;
    for _ in &heartbeats {
        assert_ack(&socket.message().await, &agent);
    }
    world.settled().await;
    assert!(before == files(), "3,000 heartbeats changed the store");
    // The same look sees a report that does change something.
    socket.exchange(&agent.health(false, 0, "broken")).await;
    world.settled().await;
    assert!(before != files(), "a report changed nothing: the comparison cannot fail");
}

/// S092, S093: any name, the empty one included, and any bytes.
#[tokio::test]
async fn given_effective_configs_when_reported_then_names_and_bodies_are_shown() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    assert_eq!(world.agent(&agent).await["effective_config"], json!([]), "not reported yet");
    let files = [("", &b"main"[..]), ("a.yaml", b"a"), ("raw", b"\xFF\x00ok")];
    let report = AgentToServer { effective_config: Some(effective(files)), ..agent.heartbeat() };
    assert_ack(&socket.exchange(&report).await, &agent);
    let shown = world.agent(&agent).await["effective_config"].clone();
    let shown: Vec<_> = shown.as_array().unwrap().iter().map(|file| (&file["name"], &file["body"])).collect();
    assert_eq!(
        shown,
        [
            (&json!(""), &json!("main")),
            (&json!("a.yaml"), &json!("a")),
            (&json!("raw"), &json!("\u{fffd}\u{0}ok"))
        ]
    );
}

/// S094: an effective config that says nothing wipes nothing.
#[tokio::test]
async fn given_an_effective_config_when_one_without_a_map_follows_then_the_known_one_stays() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let report = AgentToServer { effective_config: Some(effective([("a", &b"a"[..])])), ..agent.heartbeat() };
    socket.exchange(&report).await;
    let before = world.agent(&agent).await["effective_config"].clone();
    let nothing = AgentToServer { effective_config: Some(EffectiveConfig::default()), ..agent.heartbeat() };
    assert_ack(&socket.exchange(&nothing).await, &agent);
    assert_eq!(world.agent(&agent).await["effective_config"], before);
    assert_eq!(before.as_array().unwrap().len(), 1);
}

/// S183, S074: the same bytes again are answered again, and happen once.
#[tokio::test]
async fn given_the_same_message_twice_when_it_arrives_then_it_is_answered_twice_and_happens_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let report = agent.health(false, 7, "disk full");
    assert_ack(&socket.exchange(&report).await, &agent);
    assert_ack(&socket.exchange(&report).await, &agent);
    let mut poller = Reporter::new(2);
    let first = poller.full();
    let answers =
        [http::post(world.server.agents, &first).await, http::post(world.server.agents, &first).await];
    assert_eq!(answers[0].message(200), answers[1].message(200));
    let events = world.get("/events?limit=500").await.expect(200);
    let count = |uid: String, kind: &str| {
        let items = events["items"].as_array().unwrap().iter();
        items.filter(|event| event["agent"] == uid && event["kind"] == kind).count()
    };
    assert_eq!(count(agent.uid.to_string(), "health"), 1);
    assert_eq!(count(poller.uid.to_string(), "agent-added"), 1);
}

//! Connection settings as agents see them (OpAMP S.J), and heartbeats as operators set them.

use bytes::Bytes;
use serde_json::{Value, json};
use tidegate_opamp::{
    AgentDisconnect, AgentToServer, ConnectionSettingsOffers, ConnectionSettingsStatus,
    ConnectionSettingsStatuses, InstanceUid, ServerToAgent, agent_to_server_flags,
};

use crate::http::{self, Answer, Request};
use crate::report::{Reporter, assert_ack, description};
use crate::world::World;

const ACCEPTS: u64 = 0x100;
const BEATS: u64 = 0x2000;
const ANSWERS: u64 = 0x8000;

/// Writes or removes a rule, on a condition.
pub(crate) async fn rule(
    world: &World,
    method: &str,
    name: &str,
    condition: Option<(&str, &str)>,
    body: Option<Value>,
) -> Answer {
    let mut request = Request::new(method, &format!("/api/v1/connection-settings/{name}"))
        .header("Authorization", &format!("Bearer {}", world.token));
    if let Some((name, value)) = condition {
        request = request.header(name, value);
    }
    if let Some(body) = body {
        request = request.header("Content-Type", "application/json").body(body.to_string());
    }
    http::call(world.server.operators, &request).await
}

/// Writes a rule, whatever stood there.
pub(crate) async fn set(world: &World, name: &str, body: Value) -> Value {
    let answer = match world.get(&format!("/connection-settings/{name}")).await.status {
        404 => rule(world, "PUT", name, Some(("If-None-Match", "*")), Some(body)).await,
        _ => rule(world, "PUT", name, Some(("If-Match", "*")), Some(body)).await,
    };
    assert!(matches!(answer.status, 200 | 201), "{}", String::from_utf8_lossy(&answer.body));
    serde_json::from_slice(&answer.body).unwrap()
}

fn every(seconds: u32) -> Value {
    json!({"target": {"all": true}, "heartbeat": {"interval_seconds": seconds}})
}

fn telemetry(kind: &str) -> Value {
    json!({"endpoint": format!("https://otlp.example/v1/{kind}")})
}

pub(crate) fn reporter(index: u16, capabilities: u64) -> Reporter {
    Reporter { capabilities: capabilities | 1, ..Reporter::new(index) }
}

fn answer(agent: &mut Reporter, hash: &[u8], status: ConnectionSettingsStatuses) -> AgentToServer {
    let status = ConnectionSettingsStatus {
        last_connection_settings_hash: Bytes::copy_from_slice(hash),
        status,
        error_message: "no route to b.example".into(),
        ..ConnectionSettingsStatus::default()
    };
    AgentToServer { connection_settings_status: Some(status), ..agent.heartbeat() }
}

fn settings(reply: ServerToAgent) -> ConnectionSettingsOffers {
    reply.connection_settings.expect("no connection settings were offered")
}

fn interval(reply: ServerToAgent) -> u64 {
    settings(reply).opamp.unwrap().heartbeat_interval_seconds
}

/// S083, S115, S120, S121, ruling A8: an interval reaches a connected agent at once, as a complete offer, and its answer
/// is seen.
#[tokio::test]
async fn given_a_connected_agent_when_an_interval_is_set_then_it_is_offered_and_shown_as_taken() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS | BEATS | ANSWERS);
    let mut socket = world.connected(&mut agent).await;
    let before = world.agent(&agent).await["heartbeat"].clone();
    let untouched = json!({
        "interval_seconds": 30, "source": "default", "state": "default", "expected_seconds": 30,
    });
    assert_eq!(before, untouched);
    set(&world, "all", every(10)).await;
    let offer = settings(socket.message().await);
    let opamp = offer.opamp.unwrap();
    assert_eq!(opamp.heartbeat_interval_seconds, 10);
    assert!(opamp.destination_endpoint.starts_with("ws://"), "{}", opamp.destination_endpoint);
    assert!(opamp.destination_endpoint.ends_with("/v1/opamp"), "{}", opamp.destination_endpoint);
    let shown = world.agent(&agent).await["heartbeat"].clone();
    assert_eq!((&shown["state"], &shown["expected_seconds"]), (&json!("offered"), &json!(30)));
    assert!(settings(socket.exchange(&agent.heartbeat()).await).opamp.is_some(), "S115: not answered yet");
    let stale = answer(&mut agent, b"stale", ConnectionSettingsStatuses::Applied);
    assert!(settings(socket.exchange(&stale).await).opamp.is_some());
    for status in [ConnectionSettingsStatuses::Applying, ConnectionSettingsStatuses::Applied] {
        let message = answer(&mut agent, &offer.hash, status);
        assert_ack(&socket.exchange(&message).await, &agent);
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    }
    let taken = json!({
        "interval_seconds": 10, "source": "all", "state": "acknowledged", "expected_seconds": 10,
    });
    assert_eq!(world.agent(&agent).await["heartbeat"], taken);
    let told = world.get("/events").await.expect(200);
    let told: Vec<_> = told["items"].as_array().unwrap().iter().filter(|e| e["kind"] == "settings").collect();
    assert_eq!(told.last().unwrap()["text"], "connection settings applied");
    let summary = world.get("/connection-settings/all").await.expect(200)["agents"].clone();
    assert_eq!((&summary["total"], &summary["acknowledged"]), (&json!(1), &json!(1)));
}

/// S086: silence of an agent that polls is judged by the interval that it was offered.
#[tokio::test]
async fn given_an_agent_that_polls_when_it_was_offered_a_short_interval_then_it_is_soon_gone() {
    let world = World::new().await;
    let (mut told, mut untold) = (reporter(1, ACCEPTS | BEATS), reporter(2, 0));
    set(&world, "all", every(1)).await;
    world.poll(&untold.full()).await;
    assert!(world.poll(&untold.heartbeat()).await.connection_settings.is_none());
    let offer = settings(world.poll(&told.full()).await).opamp.unwrap();
    assert_eq!(
        (offer.destination_endpoint.as_str(), offer.heartbeat_interval_seconds),
        ("http://server/v1/opamp", 1)
    );
    assert!(world.poll(&told.heartbeat()).await.connection_settings.is_none(), "it was told");
    let path = format!("/agents/{}", told.uid);
    world.eventually(&path, |agent| agent["connection"]["value"] == "late").await;
    world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert_eq!(world.agent(&untold).await["connection"]["value"], "connected");
    let told = |events: &Value| events.to_string().contains("it has not polled for three intervals");
    world.eventually("/events", told).await;
}

/// S008, S111, S113: five agents, one capability each; each offer holds just that class, under one hash.
#[tokio::test]
async fn given_one_rule_when_agents_have_one_capability_each_then_each_is_offered_that_class() {
    let world = World::new().await;
    let body = json!({
        "target": {"all": true},
        "heartbeat": {"interval_seconds": 10},
        "own_metrics": telemetry("metrics"),
        "own_traces": telemetry("traces"),
        "own_logs": telemetry("logs"),
        "other_connections": {"db": {"endpoint": "db:5432", "settings": {"pool": "4"}}},
    });
    set(&world, "all", body).await;
    let mut hashes = std::collections::BTreeSet::new();
    for (index, bits) in (1..).zip([0x20, 0x40, 0x80, ACCEPTS | BEATS, 0x200]) {
        let mut agent = reporter(index, bits);
        let offer = settings(world.socket().await.exchange(&agent.full()).await);
        let held = [
            (offer.own_traces.is_some(), 0x20),
            (offer.own_metrics.is_some(), 0x40),
            (offer.own_logs.is_some(), 0x80),
            (offer.opamp.is_some(), ACCEPTS | BEATS),
            (!offer.other_connections.is_empty(), 0x200),
        ];
        let held: Vec<_> = held.into_iter().filter(|(is, _)| *is).map(|(_, bits)| bits).collect();
        assert_eq!(held, [bits]);
        hashes.insert(offer.hash);
    }
    assert_eq!(hashes.len(), 1);
    let mut none = reporter(9, 0);
    assert!(world.poll(&none.full()).await.connection_settings.is_none());
    let shown = world.agent(&none).await["connection_settings"].clone();
    assert_eq!(shown["state"], "unsupported");
    let withheld = json!(["heartbeat", "own_metrics", "own_traces", "own_logs", "other_connections"]);
    assert_eq!(shown["withheld"], withheld);
}

/// S112: reporting heartbeats alone lets an interval be offered on an operator's word only, and completely then.
#[tokio::test]
async fn given_an_agent_that_only_reports_heartbeats_when_an_interval_is_set_then_force_alone_offers_it() {
    let world = World::new().await;
    let mut agent = reporter(1, BEATS);
    let mut socket = world.connected(&mut agent).await;
    set(&world, "all", every(10)).await;
    socket.quiet().await;
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    assert_eq!(world.agent(&agent).await["heartbeat"]["state"], "unsupported");
    let body = json!({"target": {"all": true}, "heartbeat": {"interval_seconds": 10, "force": true}});
    set(&world, "all", body).await;
    let offer = settings(socket.message().await).opamp.unwrap();
    assert!(offer.heartbeat_interval_seconds == 10 && !offer.destination_endpoint.is_empty());
    assert_eq!(world.agent(&agent).await["heartbeat"]["state"], "offered");
}

/// S116, ruling A15: settings that failed are not offered again, until they are others.
#[tokio::test]
async fn given_settings_that_failed_when_nothing_changes_then_they_are_not_offered_again() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS | BEATS | ANSWERS);
    let mut socket = world.connected(&mut agent).await;
    set(&world, "all", every(10)).await;
    let hash = settings(socket.message().await).hash;
    let failed = answer(&mut agent, &hash, ConnectionSettingsStatuses::Failed);
    assert_ack(&socket.exchange(&failed).await, &agent);
    for _ in 0..10 {
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    }
    let shown = world.agent(&agent).await["heartbeat"].clone();
    assert_eq!((&shown["state"], &shown["reason"]), (&json!("failed"), &json!("no route to b.example")));
    assert_eq!(shown["expected_seconds"], 30, "it never took the interval");
    let events = world.get("/events").await.expect(200).to_string();
    assert!(events.contains("connection settings failed: no route to b.example"), "{events}");
    set(&world, "all", every(10)).await;
    socket.quiet().await;
    set(&world, "all", every(11)).await;
    assert_eq!(interval(socket.message().await), 11);
}

/// S117, S118: own telemetry is in the first answer, with all its kinds, and later only when it changes.
#[tokio::test]
async fn given_telemetry_settings_when_an_agent_comes_then_its_first_answer_has_them() {
    let world = World::new().await;
    let body = |traces: Value| {
        json!({
            "target": {"all": true}, "own_metrics": telemetry("metrics"), "own_traces": traces,
            "own_logs": telemetry("logs"),
        })
    };
    set(&world, "otlp", body(telemetry("traces"))).await;
    let mut agent = reporter(1, 0xE0);
    let mut socket = world.socket().await;
    assert!(settings(socket.exchange(&agent.full()).await).own_traces.is_some());
    for _ in 0..10 {
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    }
    set(&world, "otlp", body(json!({"endpoint": "https://elsewhere.example/v1/traces"}))).await;
    let offer = settings(socket.message().await);
    assert_eq!(offer.own_traces.unwrap().destination_endpoint, "https://elsewhere.example/v1/traces");
    assert!(offer.own_metrics.is_some() && offer.own_logs.is_some(), "S118");
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    // Ruling A9: what is taken away is withdrawn by an empty destination.
    rule(&world, "DELETE", "otlp", Some(("If-Match", "*")), None).await;
    let offer = settings(socket.message().await);
    assert_eq!(offer.own_metrics.unwrap().destination_endpoint, "");
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
}

/// S124: an agent that was sent elsewhere is shown as such, and as moved once it has left.
#[tokio::test]
async fn given_another_server_when_it_is_offered_then_the_agent_counts_as_moved_once_it_left() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS);
    let mut socket = world.connected(&mut agent).await;
    let body = json!({
        "target": {"agent": agent.uid.to_string()},
        "opamp": {"endpoint": "wss://b.example/v1/opamp", "headers": {"Authorization": "Bearer b"}},
    });
    set(&world, "move-1", body).await;
    let offer = settings(socket.message().await).opamp.unwrap();
    assert_eq!(offer.destination_endpoint, "wss://b.example/v1/opamp");
    assert_eq!(offer.headers.unwrap().headers[0].value, "Bearer b");
    assert_eq!(offer.heartbeat_interval_seconds, 30, "S084");
    let here = world.agent(&agent).await["connection_settings"].clone();
    assert_eq!((&here["moved_to"], here.get("left_at")), (&json!("wss://b.example/v1/opamp"), None));
    drop(socket);
    let path = format!("/agents/{}", agent.uid);
    let gone = world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert!(gone["connection_settings"]["left_at"].is_string(), "{gone:#}");
    let reason = gone["connection"]["reason"].as_str().unwrap();
    assert!(reason.contains("told to connect to wss://b.example/v1/opamp"), "{reason}");
}

/// S113, S115: rules, offers and answers outlive the server; nothing is offered twice for a restart.
#[tokio::test]
async fn given_settings_that_were_taken_when_the_server_restarts_then_they_still_hold() {
    let world = World::new().await;
    let mut agents = [reporter(1, ACCEPTS | BEATS | ANSWERS), reporter(2, ACCEPTS | BEATS)];
    set(&world, "all", every(10)).await;
    for agent in &mut agents {
        let offer = settings(world.poll(&agent.full()).await);
        if agent.capabilities & ANSWERS != 0 {
            let applied = answer(agent, &offer.hash, ConnectionSettingsStatuses::Applied);
            assert!(world.poll(&applied).await.connection_settings.is_none());
        }
    }
    let world = world.restart().await;
    for (agent, state) in agents.iter_mut().zip(["acknowledged", "offered"]) {
        let shown = world.agent(agent).await["heartbeat"].clone();
        assert_eq!((&shown["state"], &shown["expected_seconds"]), (&json!(state), &json!(10)));
        assert!(world.poll(&agent.heartbeat()).await.connection_settings.is_none());
    }
    set(&world, "all", every(20)).await;
    for agent in &mut agents {
        assert_eq!(interval(world.poll(&agent.heartbeat()).await), 20);
    }
}

/// S083: one agent's rule wins over a selector's, that over the fleet's; what is removed falls back.
#[tokio::test]
async fn given_rules_for_all_some_and_one_then_the_narrowest_holds_and_follows_what_the_agent_is() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS | BEATS);
    let mut socket = world.connected(&mut agent).await;
    set(&world, "all", every(10)).await;
    assert_eq!(interval(socket.message().await), 10);
    let some = json!({"target": {"q": "name:db-*"}, "heartbeat": {"interval_seconds": 20}});
    set(&world, "some", some).await;
    socket.quiet().await;
    let renamed = AgentToServer { agent_description: Some(description("db-1")), ..agent.heartbeat() };
    assert_eq!(interval(socket.exchange(&renamed).await), 20);
    let one = json!({
        "target": {"agent": agent.uid.to_string()}, "priority": -5, "heartbeat": {"interval_seconds": 5},
    });
    set(&world, "one", one).await;
    assert_eq!(interval(socket.message().await), 5);
    assert_eq!(world.agent(&agent).await["heartbeat"]["source"], "one");
    let ring =
        json!({"target": {"q": "label.ring:canary"}, "priority": 9, "heartbeat": {"interval_seconds": 7}});
    set(&world, "ring", ring).await;
    rule(&world, "DELETE", "one", Some(("If-Match", "*")), None).await;
    assert_eq!(interval(socket.message().await), 20);
    let path = format!("/api/v1/agents/{}/labels", agent.uid);
    let label = Request::new("PATCH", &path)
        .header("Authorization", &format!("Bearer {}", world.token))
        .header("Content-Type", "application/merge-patch+json")
        .header("If-Match", "*")
        .body(json!({"ring": "canary"}).to_string());
    assert_eq!(http::call(world.server.operators, &label).await.status, 200);
    assert_eq!(interval(socket.message().await), 7, "a label is a part of what an agent is");
    rule(&world, "DELETE", "ring", Some(("If-Match", "*")), None).await;
    assert_eq!(interval(socket.message().await), 20);
    for (removed, falls_to) in [("some", 10), ("all", 30)] {
        rule(&world, "DELETE", removed, Some(("If-Match", "*")), None).await;
        assert_eq!(interval(socket.message().await), falls_to, "{removed}");
    }
    let shown = world.agent(&agent).await["heartbeat"].clone();
    assert_eq!((&shown["source"], &shown["state"]), (&json!("default"), &json!("default")));
}

/// Ruling A7: a rule for one agent follows it to another uid.
#[tokio::test]
async fn given_a_rule_for_one_agent_when_its_uid_changes_then_the_rule_follows() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS | BEATS);
    let asks = AgentToServer { flags: agent_to_server_flags::REQUEST_INSTANCE_UID, ..agent.full() };
    let given = world.poll(&asks).await.agent_identification.unwrap().new_instance_uid;
    let body = json!({
        "target": {"agent": agent.uid.to_string()}, "heartbeat": {"interval_seconds": 5},
    });
    set(&world, "one", body).await;
    agent.uid = InstanceUid::from_bytes(&given).unwrap();
    assert_eq!(interval(world.poll(&agent.heartbeat()).await), 5);
    assert_eq!(world.agent(&agent).await["heartbeat"]["source"], "one");
    let target = json!({"agent": agent.uid.to_string()});
    assert_eq!(world.get("/connection-settings/one").await.expect(200)["target"], target);
    let world = world.restart().await;
    assert_eq!(world.agent(&agent).await["heartbeat"]["source"], "one");
}

/// S158, S185: a restart stands alone, and one that leaves is told nothing.
#[tokio::test]
async fn given_settings_that_wait_when_an_agent_is_restarted_or_leaves_then_they_wait_on() {
    let world = World::new().await;
    let mut agent = reporter(1, ACCEPTS | BEATS | ANSWERS | 0x400);
    world.poll(&agent.full()).await;
    set(&world, "all", every(10)).await;
    world.command(&agent, json!({"kind": "restart"})).await;
    let restart = world.poll(&agent.heartbeat()).await;
    assert!(restart.command.is_some() && restart.connection_settings.is_none());
    let farewell = AgentToServer { agent_disconnect: Some(AgentDisconnect::default()), ..agent.heartbeat() };
    assert_ack(&world.poll(&farewell).await, &agent);
    assert_eq!(interval(world.poll(&agent.full()).await), 10);
}

/// S083: settings reach every agent of a large fleet, each once.
#[tokio::test]
async fn given_many_agents_on_one_socket_when_an_interval_is_set_then_each_is_offered_it_once() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    let mut agents: Vec<_> = (0..500).map(|index| reporter(index, ACCEPTS | BEATS)).collect();
    for agent in &mut agents {
        socket.exchange(&agent.full()).await;
    }
    set(&world, "all", every(10)).await;
    let mut offered = std::collections::BTreeSet::new();
    for _ in &agents {
        let message = socket.message().await;
        assert_eq!(interval(message.clone()), 10);
        offered.insert(message.instance_uid);
    }
    assert_eq!(offered.len(), agents.len());
    socket.quiet().await;
    let summary = world.get("/connection-settings/all").await.expect(200)["agents"].clone();
    assert_eq!((&summary["total"], &summary["offered"]), (&json!(500), &json!(500)));
}

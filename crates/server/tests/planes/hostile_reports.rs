//! Reports that say too much (decision D9): refused whole, with the reason, and nothing of them is kept.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::json;
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentDescription, AgentToServer, AvailableComponents,
    ComponentDetails, ComponentHealth, CustomCapabilities, CustomMessage, EffectiveConfig, KeyValue,
    RemoteConfigStatus, ServerErrorResponseType,
};

use crate::report::{Reporter, assert_ack, assert_refusal};
use crate::world::World;

const ATTRIBUTE_BYTES: usize = 8 * 1024;
const TEXT_BYTES: usize = 16 * 1024;

fn attributes(count: usize, bytes: usize) -> AgentToServer {
    let pair = |index: usize| KeyValue::text(format!("{index:04}"), "x".repeat(bytes - 4));
    let description = AgentDescription {
        non_identifying_attributes: (0..count).map(pair).collect(),
        ..AgentDescription::default()
    };
    AgentToServer { agent_description: Some(description), ..AgentToServer::default() }
}

fn components(count: usize) -> AgentToServer {
    let leaf =
        |index: usize| (index.to_string(), ComponentHealth { healthy: true, ..ComponentHealth::default() });
    health(ComponentHealth {
        component_health_map: (1..count).map(leaf).collect(),
        ..ComponentHealth::default()
    })
}

fn health(health: ComponentHealth) -> AgentToServer {
    AgentToServer { health: Some(health), ..AgentToServer::default() }
}

fn last_error(bytes: usize) -> AgentToServer {
    health(ComponentHealth { last_error: "e".repeat(bytes), ..ComponentHealth::default() })
}

fn files(count: usize, bytes: usize) -> AgentToServer {
    let file = |index: usize| {
        let body = Bytes::from(vec![b'x'; bytes]);
        (format!("{index:02}"), AgentConfigObject { body, ..AgentConfigObject::default() })
    };
    let config_map = (0..count).map(file).collect();
    let config_map = Some(AgentConfigMap { config_map, ..AgentConfigMap::default() });
    let effective_config = Some(EffectiveConfig { config_map, ..EffectiveConfig::default() });
    AgentToServer { effective_config, ..AgentToServer::default() }
}

fn capabilities(count: usize, bytes: usize) -> AgentToServer {
    let capabilities = vec!["c".repeat(bytes); count];
    let custom_capabilities = Some(CustomCapabilities { capabilities, ..CustomCapabilities::default() });
    AgentToServer { custom_capabilities, ..AgentToServer::default() }
}

fn message(bytes: usize) -> AgentToServer {
    let data = Bytes::from(vec![0; bytes]);
    let custom = CustomMessage { capability: "c".into(), data, ..CustomMessage::default() };
    AgentToServer { custom_message: Some(custom), ..AgentToServer::default() }
}

fn status(hash: usize, error: usize) -> AgentToServer {
    let status = RemoteConfigStatus {
        last_remote_config_hash: Bytes::from(vec![1; hash]),
        error_message: "e".repeat(error),
        ..RemoteConfigStatus::default()
    };
    AgentToServer { remote_config_status: Some(status), ..AgentToServer::default() }
}

fn available(count: usize) -> AgentToServer {
    let components: BTreeMap<_, _> =
        (0..count).map(|index| (index.to_string(), ComponentDetails::default())).collect();
    let available = AvailableComponents { components, ..AvailableComponents::default() };
    AgentToServer { available_components: Some(available), ..AgentToServer::default() }
}

/// At the bound a report is taken; one beyond it, it is refused, the connection lives, and the state is as it was.
#[tokio::test]
async fn given_reports_at_and_beyond_each_bound_when_sent_then_only_those_beyond_are_refused() {
    const MIB: usize = 1024 * 1024;
    let world = World::with(|settings| settings.limits.max_message_bytes = 16 * MIB).await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let cases = [
        ("attributes", attributes(256, 10), attributes(257, 10)),
        ("bytes of an attribute", attributes(1, ATTRIBUTE_BYTES), attributes(1, ATTRIBUTE_BYTES + 1)),
        ("components", components(2_000), components(2_001)),
        ("bytes of last_error", last_error(TEXT_BYTES), last_error(TEXT_BYTES + 1)),
        ("files", files(64, 1), files(65, 1)),
        ("effective_config: bytes", files(8, MIB - 2), files(8, MIB)),
        ("custom_capabilities: names", capabilities(128, 10), capabilities(129, 10)),
        ("bytes of a name", capabilities(1, 512), capabilities(1, 513)),
        ("bytes of data", message(MIB), message(MIB + 1)),
        ("bytes of the hash", status(256, 0), status(257, 0)),
        ("bytes of error_message", status(0, TEXT_BYTES), status(0, TEXT_BYTES + 1)),
        ("available_components", available(4_000), available(4_001)),
    ];
    for (what, within, beyond) in cases {
        let heartbeat = agent.heartbeat();
        let (instance_uid, sequence_num) = (heartbeat.instance_uid, heartbeat.sequence_num);
        let taken = AgentToServer { instance_uid: instance_uid.clone(), sequence_num, ..within };
        assert_ack(&socket.exchange(&taken).await, &agent);
        let before = world.agent(&agent).await;
        let refused = AgentToServer { instance_uid, sequence_num: sequence_num + 1, ..beyond };
        let reply = socket.exchange(&refused).await;
        let reason = assert_refusal(&reply, agent.uid.as_bytes());
        assert!(reason.contains(what), "{what}: {reason}");
        assert_eq!(world.agent(&agent).await, before, "{what}");
    }
}

/// S022: a stranger whose first report is refused is not known afterwards; an agent that was known stays.
#[tokio::test]
async fn given_a_refused_report_when_it_is_the_first_then_nobody_is_known_but_one_who_was_stays_known() {
    let world = World::new().await;
    let (mut stranger, mut known) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.socket().await;
    let too_much = |agent: &mut Reporter| AgentToServer {
        agent_description: None,
        ..agent.health(true, 1, &"e".repeat(TEXT_BYTES + 1))
    };
    assert_refusal(&socket.exchange(&too_much(&mut stranger)).await, stranger.uid.as_bytes());
    world.get(&format!("/agents/{}", stranger.uid)).await.problem(404, "not-found");
    // All that is known of this one is that it spoke; that is in the store before the refusal.
    socket.exchange(&known.heartbeat()).await;
    world.settled().await;
    assert_refusal(&socket.exchange(&too_much(&mut known)).await, known.uid.as_bytes());
    assert_eq!(world.agent(&known).await["connection"]["value"], "connected");
}

/// Texts of agents are shown as they came, and a listing shows a bounded line of them.
#[tokio::test]
async fn given_control_characters_and_long_texts_when_reported_then_they_are_kept_whole_and_shown_bounded() {
    let world = World::new().await;
    let name = "web\u{1b}[2J\r\n\u{0}\u{202e}evil\u{7f}";
    let mut agent = Reporter { name: name.to_owned(), ..Reporter::new(1) };
    let mut socket = world.connected(&mut agent).await;
    assert_eq!(world.agent(&agent).await["name"], name);
    let error = format!("first line {}\nsecond line", "é".repeat(5_000));
    socket.exchange(&agent.health(false, 1, &error)).await;
    let shown = world.agent(&agent).await;
    assert_eq!(shown["health"]["reason"], error);
    let attention = shown["attention"]["reason"].as_str().unwrap();
    let events = world.get("/events").await.expect(200);
    let text = events["items"].as_array().unwrap().last().unwrap()["text"].as_str().unwrap().to_owned();
    for line in [attention, &text] {
        assert!(line.chars().count() < 300 && !line.contains('\n'), "{line}");
        assert!(line.contains("first line"), "{line}");
    }
    let raw = world.get("/agents").await;
    assert!(!raw.body.contains(&0x1B) && !raw.body.contains(&0), "JSON escapes control characters");
}

/// S088, S203: trees deeper than anything real are refused or bounded, and the stack holds.
#[tokio::test]
async fn given_deep_trees_when_reported_then_shallow_ones_are_shown_and_deep_ones_refused() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for (depth, taken) in [(20, true), (1_000, false)] {
        let mut tree = ComponentHealth { healthy: true, ..ComponentHealth::default() };
        for _ in 0..depth {
            let component_health_map = BTreeMap::from([("below".to_owned(), tree)]);
            tree = ComponentHealth { healthy: true, component_health_map, ..ComponentHealth::default() };
        }
        let report = AgentToServer { health: Some(tree), ..agent.heartbeat() };
        let reply = socket.exchange(&report).await;
        assert_eq!(reply.error_response.is_none(), taken, "depth {depth}");
    }
    let mut shown = world.agent(&agent).await["components"].clone();
    for _ in 1..20 {
        shown = shown["below"]["components"].clone();
    }
    assert_eq!(shown, json!({"below": {"healthy": true, "status": ""}}));
}

/// A fleet beyond its bound: newcomers are told to come later, the known ones are served.
#[tokio::test]
async fn given_as_many_agents_as_are_kept_when_another_comes_then_it_is_told_to_come_later() {
    let world = World::with(|settings| settings.limits.max_agents = 2).await;
    let (mut first, mut third) = (Reporter::new(1), Reporter::new(3));
    world.poll(&first.full()).await;
    world.poll(&Reporter::new(2).full()).await;
    let error = world.poll(&third.full()).await.error_response.unwrap();
    assert_eq!(error.kind, ServerErrorResponseType::Unavailable);
    assert!(error.retry_info.unwrap().retry_after_nanoseconds >= 30_000_000_000, "S175");
    assert_eq!(world.poll(&first.heartbeat()).await.error_response, None);
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 2);
}

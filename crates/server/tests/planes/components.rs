//! What builds can run (OpAMP S.O).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::json;
use tidegate_opamp::{
    AgentCapabilities, AgentToServer, AvailableComponents, ComponentDetails,
    server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS,
};

use crate::http;
use crate::report::Reporter;
use crate::world::World;

fn reporter(index: u16) -> Reporter {
    let mut agent = Reporter::new(index);
    agent.capabilities |= AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS.0;
    agent
}

fn with(message: AgentToServer, hash: &'static [u8], depth: usize) -> AgentToServer {
    let mut components = BTreeMap::new();
    for level in 0..depth {
        let details = ComponentDetails { sub_component_map: components, ..ComponentDetails::default() };
        components = BTreeMap::from([(format!("level-{level}"), details)]);
    }
    let available =
        AvailableComponents { hash: Bytes::from_static(hash), components, ..AvailableComponents::default() };
    AgentToServer { available_components: Some(available), ..message }
}

/// S167, S168, S170: a hash that is not known is asked for once; the next agent of the build, a second report and a
/// server that was restarted do not ask again.
#[tokio::test]
async fn given_hashes_of_builds_when_reported_then_each_list_is_asked_for_once() {
    let world = World::new().await;
    let (mut first, mut second, mut silent) = (reporter(1), reporter(2), reporter(3));
    let mut socket = world.socket().await;
    let asked = |reply: tidegate_opamp::ServerToAgent| reply.flags & REPORT_AVAILABLE_COMPONENTS != 0;
    assert!(asked(socket.exchange(&with(first.full(), b"build-1", 0)).await), "S167");
    assert!(!asked(socket.exchange(&with(first.heartbeat(), b"build-1", 3)).await));
    assert!(!asked(socket.exchange(&with(second.full(), b"build-1", 0)).await), "S167: known");
    assert!(asked(world.poll(&with(silent.full(), b"build-2", 0)).await));
    for _ in 0..3 {
        assert!(!asked(world.poll(&with(silent.heartbeat(), b"build-2", 0)).await), "S170");
    }
    let shown = world.agent(&second).await["available_components"].clone();
    assert_eq!(shown["hash"], json!("6275696c642d31"));
    let below = &shown["components"]["level-2"]["components"]["level-1"]["components"];
    assert_eq!(below["level-0"], json!({}), "the list that the first agent of the build sent");

    let world = world.restart().await;
    let mut third = reporter(4);
    assert!(!asked(world.poll(&with(third.full(), b"build-1", 0)).await), "S168");
    assert_eq!(world.agent(&third).await["available_components"], shown);
}

/// S169, S171: heartbeats leave the list as it is; it may be nested, within bounds.
#[tokio::test]
async fn given_nested_components_when_reported_then_they_are_kept_and_bounded() {
    let world = World::new().await;
    let mut agent = reporter(1);
    world.poll(&with(agent.full(), b"deep", 45)).await;
    let before = world.agent(&agent).await["available_components"].clone();
    assert!(before["components"]["level-44"]["components"]["level-43"].is_object(), "S171");
    world.poll(&agent.heartbeat()).await;
    assert_eq!(world.agent(&agent).await["available_components"], before, "S169");
    let refused = http::post(world.server.agents, &with(agent.heartbeat(), b"deeper", 1000)).await;
    assert!(refused.message(400).error_response.unwrap().error_message.contains("deep"));
    assert_eq!(world.agent(&agent).await["available_components"], before);
}

/// S167: an agent without the capability is not asked.
#[tokio::test]
async fn given_an_agent_that_lists_no_components_when_it_reports_a_hash_then_it_is_not_asked() {
    let world = World::new().await;
    let reply = world.poll(&with(Reporter::new(1).full(), b"build-1", 0)).await;
    assert_eq!(reply.flags, 0);
}

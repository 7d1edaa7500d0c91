//! Who is who, and who can what (OpAMP S.A, S.D).

use bytes::Bytes;

use serde_json::json;
use tidegate_opamp::{
    AgentCapabilities, AgentToServer, Message as _, RemoteConfigStatus, RemoteConfigStatuses,
};

use crate::http::{self, Request};
use crate::report::{Reporter, assert_ack, assert_refusal};
use crate::world::World;

/// S004–S007, S162, S163: the first answer to each agent of a socket introduces the server, later ones do not.
#[tokio::test]
async fn given_agents_on_one_socket_when_each_reports_first_then_each_hears_what_the_server_can() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    for index in 1..=3 {
        let mut agent = Reporter::new(index);
        let reply = socket.exchange(&agent.full()).await;
        assert_eq!(reply.capabilities & 0x1, 1, "S004");
        assert_eq!(reply.capabilities & !0x7F, 0, "S006");
        assert_eq!(reply.capabilities & 0x20, 0x20, "S007: connection settings are offered");
        assert_eq!(
            reply.capabilities & 0x58,
            0,
            "S007: neither packages nor requests for credentials are there yet"
        );
        let names = reply.custom_capabilities.expect("S162").capabilities;
        assert!(!names.is_empty());
        for name in names {
            let labels: Vec<_> = name.split('/').next().unwrap().split('.').collect();
            let plain = |label: &&str| {
                !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
            };
            assert!(labels.len() >= 3 && labels.iter().all(plain), "S163: {name}");
        }
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    }
}

/// S005: a new connection is a new introduction.
#[tokio::test]
async fn given_a_known_agent_when_it_comes_back_on_a_new_socket_then_it_is_introduced_again() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    drop(world.connected(&mut agent).await);
    let reply = world.socket().await.exchange(&agent.heartbeat()).await;
    assert_ne!(reply.capabilities, 0);
    assert!(reply.custom_capabilities.is_some(), "S162");
    assert_eq!(reply.flags, 0, "S077");
}

/// S008, S159, S096: what an agent does not say it can, it is not asked, and the API says why.
#[tokio::test]
async fn given_an_agent_that_only_reports_when_operators_ask_for_more_then_nothing_is_sent_and_the_api_says_why()
 {
    let world = World::new().await;
    let mut agent = Reporter { capabilities: 0x1, ..Reporter::new(1) };
    let mut socket = world.socket().await;
    let mut report = agent.full();
    report.custom_capabilities = None;
    socket.exchange(&report).await;
    let push = world.push("name:host-1", "a").await;
    assert_eq!(push["summary"]["refused"], 1);
    assert!(push["agents"][0]["reason"].as_str().unwrap().contains("does not accept remote config"));
    let path = format!("/agents/{}/commands", agent.uid);
    let problem = world.post(&path, json!({"kind": "restart"})).await.problem(409, "unsupported");
    assert!(problem["detail"].as_str().unwrap().contains("restart"));
    let custom = json!({"kind": "custom", "capability": "com.example.x", "type": "t"});
    let problem = world.post(&path, custom).await.problem(409, "unsupported");
    assert!(problem["detail"].as_str().unwrap().contains("com.example.x"));
    socket.quiet().await;
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
}

/// S009: capabilities that change are heeded from then on, both ways.
#[tokio::test]
async fn given_an_agent_that_drops_and_takes_up_remote_config_when_pushed_to_then_offers_follow() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.push("name:host-1", "one").await;
    assert!(socket.message().await.remote_config.is_some());
    let without = agent.capabilities & !AgentCapabilities::ACCEPTS_REMOTE_CONFIG.0;
    let dropped = AgentToServer { capabilities: without, ..agent.heartbeat() };
    assert_eq!(socket.exchange(&dropped).await.remote_config, None);
    assert_eq!(world.push("name:host-1", "two").await["summary"]["refused"], 1);
    socket.quiet().await;
    let again = AgentToServer { capabilities: agent.capabilities, ..agent.heartbeat() };
    assert!(socket.exchange(&again).await.remote_config.is_some(), "the config assigned before is due again");
    world.push("name:host-1", "three").await;
    let offer = socket.message().await.remote_config.unwrap().config.unwrap();
    assert_eq!(&offer.config_map["fluent-bit.yaml"].body[..], b"three");
}

/// S010, ruling A2: a heartbeat without capabilities takes none away.
#[tokio::test]
async fn given_a_heartbeat_without_capabilities_when_it_arrives_then_the_known_ones_stay() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let before = world.agent(&agent).await["capabilities"].clone();
    assert!(before.as_array().unwrap().contains(&json!("AcceptsRemoteConfig")));
    socket.exchange(&agent.heartbeat()).await;
    assert_eq!(world.agent(&agent).await["capabilities"], before);
}

/// S011, S012: fields, bits and values of newer agents are taken, and what can be shown is shown.
#[tokio::test]
async fn given_a_newer_agent_when_it_reports_what_nobody_knows_then_it_is_taken() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    agent.capabilities |= 0x8000_0000;
    let mut report = agent.full();
    report.flags = 0x80;
    report.remote_config_status = Some(RemoteConfigStatus {
        last_remote_config_hash: Bytes::from_static(b"h"),
        status: RemoteConfigStatuses(9),
        ..RemoteConfigStatus::default()
    });
    let mut bytes = report.encode_to_vec();
    // Field 99, a varint, and field 100, bytes.
    bytes.extend([0x98, 0x06, 0x05, 0xA2, 0x06, 0x02, 0xAA, 0xBB]);
    let reply = http::call(world.server.agents, &Request::opamp(bytes)).await.message(200);
    assert_eq!(reply.error_response, None);
    let shown = world.agent(&agent).await;
    assert!(shown["capabilities"].as_array().unwrap().contains(&json!("0x80000000")));
    assert_eq!(shown["config"]["acknowledged"], "68");
}

/// S052–S055, rulings A4 and A19: sixteen bytes, any but zero; whatever came is what the refusal is addressed to.
#[tokio::test]
async fn given_uids_of_all_kinds_when_reported_then_sixteen_bytes_are_taken_and_all_are_echoed() {
    let world = World::new().await;
    let v4 = b"\x9c\x1f\x2a\x10\x7b\x1e\x4c\x0e\x8f\x11\x00\x01\x02\x03\x04\x05";
    let v7 = b"\x01\x8f\x2a\x10\x7b\x1e\x7c\x0e\x8f\x11\x00\x01\x02\x03\x04\x05";
    let ulid = b"\x01\x8f\x2a\x10\x7b\x1e\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff";
    let cases: [(&[u8], bool); 10] = [
        (v4, true),
        (v7, true),
        (ulid, true),
        (&[0; 16], false),
        (b"", false),
        (&[1; 8], false),
        (&[1; 15], false),
        (&[1; 17], false),
        (b"01HX0000000000000000000000", false),
        (b"018f2a10-7b1e-7c0e-8f11-000102030405", false),
    ];
    let mut socket = world.socket().await;
    for (uid, taken) in cases {
        let report = AgentToServer { instance_uid: Bytes::from_static(uid), ..Reporter::new(1).full() };
        let answer = http::post(world.server.agents, &report).await.message(200);
        let reply = socket.exchange(&report).await;
        for reply in [answer, reply] {
            if taken {
                assert_eq!(reply.error_response, None, "{uid:?}");
                assert_eq!(reply.instance_uid, report.instance_uid);
            } else {
                assert!(assert_refusal(&reply, uid).contains("instance_uid"), "{uid:?}");
            }
        }
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 3);
}

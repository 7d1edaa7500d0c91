//! The plain HTTP transport (OpAMP S.C).

use serde_json::json;
use tidegate_opamp::{Message as _, ServerToAgent, body};

use crate::http::{self, Request};
use crate::report::{NULL, Reporter, assert_refusal};
use crate::world::World;

/// S033, S035, S046, S049, S050: every form of the media type is taken; the answer's is exact.
#[tokio::test]
async fn given_media_types_when_posted_then_only_protobuf_is_taken() {
    let world = World::new().await;
    let cases = [
        (Some("application/x-protobuf"), 200),
        (Some("Application/X-Protobuf"), 200),
        (Some("application/x-protobuf; charset=utf-8"), 200),
        (Some("application/json"), 415),
        (Some("application/x-protobuf2"), 415),
        (None, 415),
    ];
    for (index, (kind, status)) in (1..).zip(cases) {
        let mut request = Request::new("POST", "/v1/opamp").body(Reporter::new(index).full().encode_to_vec());
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        let answer = http::call(world.server.agents, &request).await;
        assert_eq!(answer.status, status, "{kind:?}");
        if status == 200 {
            assert_eq!(answer.message(200).error_response, None, "{kind:?}");
        }
    }
}

/// S034, S047: what is neither a POST nor an upgrade, and what is elsewhere.
#[tokio::test]
async fn given_other_requests_when_made_then_the_status_says_what_is_wrong() {
    let world = World::new().await;
    let cases = [
        ("GET", "/v1/opamp", 426, Some(("upgrade", "websocket"))),
        ("PUT", "/v1/opamp", 405, Some(("allow", "GET, POST"))),
        ("DELETE", "/v1/opamp", 405, Some(("allow", "GET, POST"))),
        ("OPTIONS", "/v1/opamp", 405, Some(("allow", "GET, POST"))),
        ("POST", "/v1/opamp/", 404, None),
        ("POST", "/", 404, None),
        ("GET", "/api/v1/agents", 404, None),
        ("GET", "/metrics", 404, None),
    ];
    for (method, path, status, header) in cases {
        let answer = http::call(world.server.agents, &Request::new(method, path)).await;
        assert_eq!(answer.status, status, "{method} {path}");
        if let Some((name, value)) = header {
            assert_eq!(answer.header(name), Some(value), "{method} {path}");
        }
    }
}

/// S036, S037, S038: gzip and identity are the same message, others are named, broken ones change nothing.
#[tokio::test]
async fn given_content_encodings_when_posted_then_gzip_and_identity_are_taken() {
    let world = World::new().await;
    let plain = |index| Reporter::new(index).full().encode_to_vec();
    let zipped = |index| body::gzip(&plain(index));
    let cut = |mut bytes: Vec<u8>| {
        bytes.truncate(bytes.len() - 9);
        bytes
    };
    let cases = [
        (1, "identity", plain(1), 200),
        (2, "gzip", zipped(2), 200),
        (3, "GZIP", zipped(3), 200),
        (4, "deflate", plain(4), 415),
        (5, "br", plain(5), 415),
        (6, "gzip", cut(zipped(6)), 400),
        (7, "gzip", plain(7), 400),
        (8, "gzip", Vec::new(), 400),
    ];
    for (index, encoding, body, status) in cases {
        let request = Request::opamp(body).header("Content-Encoding", encoding);
        let answer = http::call(world.server.agents, &request).await;
        assert_eq!(answer.status, status, "{index}: {encoding}");
        if status == 415 {
            assert_eq!(answer.header("accept-encoding"), Some("gzip"), "S037");
        }
        let known = world.get(&format!("/agents/{}", Reporter::new(index).uid)).await.status;
        assert_eq!(known, if status == 200 { 200 } else { 404 }, "{index}: {encoding}");
    }
}

/// S039: the answer is compressed where the client allows it.
#[tokio::test]
async fn given_accept_encodings_when_a_large_answer_is_due_then_it_is_compressed_only_where_allowed() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.push("name:host-1", &"a".repeat(10_000)).await;
    let cases = [
        (Some("gzip"), true),
        (Some("gzip, deflate, br"), true),
        (Some("*"), true),
        (Some("gzip;q=0.1"), true),
        (Some("gzip;q=0"), false),
        (Some("*;q=0"), false),
        (Some("deflate"), false),
        (None, false),
    ];
    for (accepts, compressed) in cases {
        let mut request = Request::opamp(agent.heartbeat().encode_to_vec());
        if let Some(value) = accepts {
            request = request.header("Accept-Encoding", value);
        }
        let mut answer = http::call(world.server.agents, &request).await;
        let encoding = answer.header("content-encoding");
        assert_eq!(encoding, compressed.then_some("gzip"), "{accepts:?}");
        if compressed {
            assert!(answer.body.len() < 1000, "{accepts:?}");
            let bytes = std::mem::take(&mut answer.body).into();
            answer.body = body::decode(body::Encoding::Gzip, bytes, 1024 * 1024).unwrap().to_vec();
        }
        assert!(answer.message(200).remote_config.is_some(), "{accepts:?}");
    }
}

/// S040, S041, S027: the limit holds for what is sent and for what it inflates to.
#[tokio::test]
async fn given_bodies_over_the_limit_when_posted_then_they_are_refused_with_413() {
    const LIMIT: usize = 64 * 1024;
    let world = World::with(|settings| settings.limits.max_message_bytes = LIMIT).await;
    let bomb = body::gzip(&vec![0; 8 * 1024 * 1024]);
    let slightly = body::gzip(&vec![0; LIMIT + 1]);
    assert!(bomb.len() < LIMIT, "the bomb must pass the first limit: {}", bomb.len());
    let cases = [
        ("plain", None, vec![0; LIMIT + 1]),
        ("plain, many times the limit", None, vec![0; 40 * LIMIT]),
        ("bomb", Some("gzip"), bomb.clone()),
        ("bomb in two members", Some("gzip"), [bomb.clone(), bomb].concat()),
        ("one byte over", Some("gzip"), slightly),
    ];
    for (case, encoding, body) in cases {
        let mut request = Request::opamp(body);
        if let Some(encoding) = encoding {
            request = request.header("Content-Encoding", encoding);
        }
        assert_eq!(http::call(world.server.agents, &request).await.status, 413, "{case}");
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 0);
}

/// S042, S043, S024: an answer above the limit leaves without what is too large.
#[tokio::test]
async fn given_a_config_over_the_limit_when_the_agent_polls_then_it_is_answered_without() {
    let world = World::with(|settings| settings.limits.max_message_bytes = 8 * 1024).await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.push("name:host-1", &"x".repeat(9 * 1024)).await;
    let reply = world.poll(&agent.heartbeat()).await;
    assert_eq!((reply.remote_config, reply.error_response), (None, None));
    assert!(world.metrics().await.contains("tidegate_discarded_offers_total 1"));
    let shown = world.agent(&agent).await["config"].clone();
    assert_eq!(shown["value"], "failed");
    assert!(shown["reason"].as_str().unwrap().contains("was not sent"), "{shown}");
}

/// S024, S166: what is too large takes nothing else with it; a command that is marked as sent was sent.
#[tokio::test]
async fn given_a_config_over_the_limit_and_a_command_when_the_agent_polls_then_the_command_arrives() {
    let world = World::with(|settings| settings.limits.max_message_bytes = 8 * 1024).await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.push("name:host-1", &"x".repeat(9 * 1024)).await;
    world.command(&agent, json!({"kind": "custom", "capability": NULL, "type": "Null Command"})).await;
    let reply = world.poll(&agent.heartbeat()).await;
    assert_eq!(reply.remote_config, None);
    assert_eq!(reply.custom_message.expect("the message was lost").kind, "Null Command");
    assert_ne!(reply.capabilities, 0, "S005");
}

/// S044, S005, S165: everything that waits arrives in the answers to the next polls, each of which says all of itself.
#[tokio::test]
async fn given_a_config_and_messages_when_the_agent_polls_then_all_arrive_over_the_next_answers() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let push = world.push("name:host-1", "a").await;
    for data in ["one", "two"] {
        let order = json!({"kind": "custom", "capability": NULL, "type": "Null Command", "data": data});
        world.command(&agent, order).await;
    }
    let mut heard = Vec::new();
    for _ in 0..3 {
        let reply: ServerToAgent = world.poll(&agent.heartbeat()).await;
        assert_eq!(reply.capabilities & 0x1, 1, "S004");
        assert!(reply.custom_capabilities.is_some(), "S165");
        heard.push((
            reply
                .remote_config
                .map(|config| config.config_hash.iter().map(|b| format!("{b:02x}")).collect::<String>()),
            reply.custom_message.map(|message| message.data.to_vec()),
        ));
    }
    let hash = push["config"].as_str().map(ToOwned::to_owned);
    assert_eq!(heard[0], (hash.clone(), Some(b"one".to_vec())));
    assert_eq!(heard[1], (hash.clone(), Some(b"two".to_vec())));
    assert_eq!(heard[2], (hash, None));
}

/// S045: the header is for routing; one that contradicts the message is a mistake.
#[tokio::test]
async fn given_a_uid_in_the_header_when_it_differs_from_the_messages_then_it_is_refused() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    for (header, taken) in [
        (agent.uid.to_string(), true),
        (agent.uid.to_string().to_uppercase(), true),
        (Reporter::new(2).uid.to_string(), false),
        ("nonsense".to_owned(), false),
    ] {
        let request = Request::opamp(agent.full().encode_to_vec()).header("OpAMP-Instance-UID", &header);
        let reply = http::call(world.server.agents, &request).await.message(200);
        if taken {
            assert_eq!(reply.error_response, None, "{header}");
        } else {
            assert!(assert_refusal(&reply, agent.uid.as_bytes()).contains("OpAMP-Instance-UID"), "{header}");
        }
    }
}

/// S181, S178, S179, ruling A5: undecodable is 400, decodable and wrong is 200; both say why in protobuf.
#[tokio::test]
async fn given_wrong_bodies_when_posted_then_the_status_tells_undecodable_from_invalid() {
    let world = World::new().await;
    let undecodable: [&[u8]; 4] = [&[0xFF; 40], &[0x0A, 0x10, 1], b"not protobuf", &[0x0A]];
    for body in undecodable {
        let answer = http::call(world.server.agents, &Request::opamp(body)).await;
        assert_refusal(&answer.message(400), b"");
    }
    let mut headless = Reporter::new(1).full();
    headless.instance_uid = Default::default();
    let answer = http::post(world.server.agents, &headless).await;
    assert!(assert_refusal(&answer.message(200), b"").contains("instance_uid"));
    let answer = http::call(world.server.agents, &Request::opamp(Vec::new())).await;
    assert!(assert_refusal(&answer.message(200), b"").contains("instance_uid"), "ruling A3");
}

/// S165, S081: a poll that says nothing new is answered without being decoded, by the same words as any other, and
/// what comes to wait for the agent is delivered with its next one.
#[tokio::test]
async fn given_polls_that_say_nothing_new_when_answered_then_they_are_taken_the_short_way_until_something_waits()
 {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let introduced = world.poll(&agent.full()).await;
    for short in 1..=3 {
        assert_eq!(world.poll(&agent.heartbeat()).await, introduced);
        assert!(world.metrics().await.contains(&format!("tidegate_opamp_heartbeats_total {short}\n")));
    }
    world.push("name:host-1", "a").await;
    assert!(world.poll(&agent.heartbeat()).await.remote_config.is_some());
    // A number that was left out is a lost message: it is not taken the short way.
    let _lost = agent.heartbeat();
    world.poll(&agent.heartbeat()).await;
    assert!(world.metrics().await.contains("tidegate_opamp_heartbeats_total 3\n"));
    assert_eq!(world.agent(&agent).await["connection"]["value"], "connected");
}

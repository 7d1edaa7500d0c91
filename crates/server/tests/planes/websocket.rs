//! The WebSocket transport (OpAMP S.B).

use serde_json::Value;
use tidegate_opamp::ws::close_code;
use tidegate_opamp::{KeyValue, Message as _, frame};

use crate::report::{Reporter, assert_ack, assert_refusal};
use crate::socket::{Said, Socket};
use crate::world::World;

/// S001, S013, S014, S049: both transports on one address, binary frames with a zero header.
#[tokio::test]
async fn given_one_address_when_agents_come_by_both_transports_then_both_are_answered() {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.socket().await;
    assert!(socket.head.to_lowercase().contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="));
    let by_socket = socket.exchange(&first.full()).await;
    let by_post = world.poll(&second.full()).await;
    assert_eq!(by_socket.instance_uid, first.uid.to_wire());
    assert_eq!(by_post.instance_uid, second.uid.to_wire());
}

/// S015–S017: the header is a varint however long it is written, and all behind it is the message.
#[tokio::test]
async fn given_headers_of_up_to_ten_bytes_when_they_are_zero_then_the_message_is_taken() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for length in [1, 2, 3, 9, 10] {
        let mut payload = vec![0x80; length - 1];
        payload.push(0);
        payload.extend(agent.heartbeat().encode_to_vec());
        socket.send_payload(&payload).await;
        assert_ack(&socket.message().await, &agent);
    }
}

/// S016, S019, S020, S178, S182: what is no message is refused, and the connection lives.
#[tokio::test]
async fn given_malformed_payloads_when_sent_then_each_is_refused_and_the_next_message_is_taken() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let message = Reporter::new(9).full().encode_to_vec();
    let behind = |header: &[u8]| [header, &message[..]].concat();
    let cases: [(&str, Vec<u8>); 7] = [
        ("S016: header 1", behind(&[1])),
        ("S016: header 128", behind(&[0x80, 1])),
        (
            "S015: header of eleven bytes",
            behind(&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ),
        ("S019: no header", message.clone()),
        ("no bytes at all", Vec::new()),
        ("a header that never ends", vec![0x80]),
        ("cut short", behind(&[0])[..message.len() / 2].to_vec()),
    ];
    for (case, payload) in cases {
        socket.send_payload(&payload).await;
        assert_refusal(&socket.message().await, b"");
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
        let answer = world.get(&format!("/agents/{}", Reporter::new(9).uid)).await;
        assert_eq!(answer.status, 404, "{case}");
    }
    socket.send_text("hello").await;
    assert!(assert_refusal(&socket.message().await, b"").contains("binary"), "S020");
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
}

/// S018, ruling A3: an empty message decodes and is refused for its uid alone.
#[tokio::test]
async fn given_a_header_alone_when_sent_then_the_missing_uid_is_what_is_wrong() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    socket.send_payload(&[0]).await;
    assert!(assert_refusal(&socket.message().await, b"").contains("instance_uid"));
    let mut agent = Reporter::new(1);
    assert_eq!(socket.exchange(&agent.full()).await.error_response, None);
}

/// S182, ruling A5: malformed messages in a row end the connection; one good message between them does not count.
#[tokio::test]
async fn given_malformed_messages_in_a_row_when_they_are_too_many_then_the_connection_is_closed() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for _ in 0..9 {
        socket.send_payload(&[1]).await;
        assert_refusal(&socket.message().await, b"");
    }
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    for _ in 0..10 {
        socket.send_payload(&[1]).await;
        assert_refusal(&socket.message().await, b"");
    }
    let close = socket.closed().await;
    assert_eq!(close.code, close_code::POLICY);
    assert_eq!(socket.answer_close(&close).await, Said::End);
    world
        .eventually(&format!("/agents/{}", agent.uid), |agent| agent["connection"]["value"] == "disconnected")
        .await;
}

/// S021–S023, S027: one byte over the limit is too much, and leaves nothing behind.
#[tokio::test]
async fn given_a_message_over_the_limit_when_sent_then_the_socket_closes_with_1009_and_nothing_changed() {
    const LIMIT: usize = 4096;
    let world = World::with(|settings| settings.limits.max_message_bytes = LIMIT).await;
    let padded = |agent: &mut Reporter, bytes: usize| {
        let mut message = agent.full();
        let bare = 1 + message.encoded_len();
        // A tag and two lengths of two bytes each come with the text.
        let text = "x".repeat(bytes.saturating_sub(bare + 15));
        let description = message.agent_description.as_mut().unwrap();
        description.non_identifying_attributes.push(KeyValue::text("pad", text));
        message
    };
    let mut agent = Reporter::new(1);
    let mut socket = world.socket().await;
    let fits = padded(&mut agent, LIMIT);
    assert!((LIMIT - 15..=LIMIT).contains(&frame::encode(&fits).len()), "{}", frame::encode(&fits).len());
    assert_eq!(socket.exchange(&fits).await.error_response, None);
    for (index, fragment) in [(2, None), (3, Some(500))] {
        let mut agent = Reporter::new(index);
        let mut socket = world.socket().await;
        let message = padded(&mut agent, LIMIT + 64);
        assert!(frame::encode(&message).len() > LIMIT);
        match fragment {
            None => socket.send(&message).await,
            Some(bytes) => socket.send_in_frames(&message, bytes).await,
        }
        assert_eq!(socket.closed().await.code, close_code::TOO_BIG);
        world.get(&format!("/agents/{}", agent.uid)).await.problem(404, "not-found");
    }
}

/// S021, S023: the close arrives although the peer is still writing.
#[tokio::test]
async fn given_a_message_of_many_times_the_limit_when_sent_then_the_close_is_still_read() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    socket.send_payload(&vec![0; 3 * 1024 * 1024]).await;
    assert_eq!(socket.closed().await.code, close_code::TOO_BIG);
}

/// S017: a message in fragments, with a ping between two of them.
#[tokio::test]
async fn given_a_message_in_fragments_when_the_last_arrives_then_it_is_answered() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.socket().await;
    socket.send_in_frames(&agent.full(), 40).await;
    assert_eq!(socket.message().await.error_response, None);
    assert_eq!(world.agent(&agent).await["name"], "host-1");
}

/// S029: a ping is answered with its own payload.
#[tokio::test]
async fn given_a_ping_when_it_arrives_then_the_pong_carries_its_payload() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    for payload in [&b""[..], b"are you there", &[0xFF; 125]] {
        socket.ping(payload).await;
        assert_eq!(socket.next().await, Said::Pong(payload.to_vec()));
    }
}

/// S030, S032, ruling A17: what is offered beside OpAMP is not taken, and the connection works.
#[tokio::test]
async fn given_offers_of_compression_and_subprotocols_when_upgrading_then_none_is_taken() {
    let world = World::new().await;
    let offers: [&[(&str, &str)]; 4] = [
        &[],
        &[(
            "Sec-WebSocket-Extensions",
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        )],
        &[("Sec-WebSocket-Protocol", "opamp, v1")],
        &[("Origin", "https://elsewhere.example")],
    ];
    for (index, offer) in (1..).zip(offers) {
        let mut socket = Socket::connect(world.server.agents, offer).await.unwrap();
        let head = socket.head.to_lowercase();
        assert!(
            !head.contains("sec-websocket-extensions") && !head.contains("sec-websocket-protocol"),
            "{head}"
        );
        assert_eq!(socket.exchange(&Reporter::new(index).full()).await.error_response, None, "{offer:?}");
    }
}

/// S013: a handshake that RFC 6455 does not know is refused with the status it names.
#[tokio::test]
async fn given_wrong_handshakes_when_upgrading_then_they_are_refused() {
    let world = World::new().await;
    for (headers, status) in [
        ([("Sec-WebSocket-Version", "8")], "426"),
        ([("Sec-WebSocket-Key", "short")], "400"),
        ([("Sec-WebSocket-Key", "")], "400"),
    ] {
        let refused = Socket::connect(world.server.agents, &headers).await.err().unwrap().0;
        assert!(refused.starts_with(&format!("HTTP/1.1 {status} ")), "{headers:?}: {refused}");
        assert!(status != "426" || refused.to_lowercase().contains("sec-websocket-version: 13"), "{refused}");
    }
}

/// S013: frames that break RFC 6455 end the connection with the code it names.
#[tokio::test]
async fn given_frames_that_break_the_rfc_when_sent_then_the_close_names_why() {
    let world = World::new().await;
    let cases: [(&str, &[u8], u16); 5] = [
        ("unmasked", &[0x82, 1, 0], close_code::PROTOCOL),
        ("reserved bit", &[0xC2, 0x81, 0, 0, 0, 0, 0], close_code::PROTOCOL),
        ("unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], close_code::PROTOCOL),
        ("continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], close_code::PROTOCOL),
        ("text that is none", &[0x81, 0x81, 0, 0, 0, 0, 0xFF], close_code::INVALID),
    ];
    for (case, bytes, code) in cases {
        let mut socket = world.socket().await;
        socket.write(bytes).await;
        assert_eq!(socket.closed().await.code, code, "{case}");
    }
}

/// S024, S025: a config above the limit is never sent; the agent hears nothing wrong, and metric, event and agent
/// say that it was not sent.
#[tokio::test]
async fn given_a_config_over_the_limit_when_it_is_pushed_then_it_is_never_sent_and_a_smaller_one_is() {
    let world = World::with(|settings| settings.limits.max_message_bytes = 8 * 1024).await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.push("name:host-1", &"x".repeat(9 * 1024)).await;
    for _ in 0..3 {
        assert_eq!(socket.exchange(&agent.heartbeat()).await.remote_config, None);
    }
    assert!(world.metrics().await.contains("tidegate_discarded_offers_total 1"), "discarded once");
    let shown = world.agent(&agent).await["config"].clone();
    assert_eq!(shown["value"], "failed");
    assert!(shown["reason"].as_str().unwrap().contains("limits.max_message_bytes"), "{shown}");
    // Events of agents are written behind.
    let uid = agent.uid.to_string();
    let told = |event: &Value| {
        event["kind"] == "config"
            && event["agent"] == *uid
            && event["text"].as_str().unwrap_or_default().contains("was not sent")
    };
    world.eventually("/events", |events| events["items"].as_array().unwrap().iter().any(told)).await;
    world.push("name:host-1", "small").await;
    let mut offered = None;
    while offered.is_none() {
        offered = socket.message().await.remote_config;
    }
    assert_eq!(&offered.unwrap().config.unwrap().config_map["fluent-bit.yaml"].body[..], b"small");
}

/// S028, S101: what an operator does reaches a silent agent at once.
#[tokio::test]
async fn given_a_silent_agent_when_a_config_is_pushed_then_it_arrives_unasked() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let begun = std::time::Instant::now();
    world.push("name:host-1", "a").await;
    let offer = socket.message().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(1), "{:?}", begun.elapsed());
    assert_eq!(offer.instance_uid, agent.uid.to_wire());
    assert!(offer.remote_config.is_some());
}

/// S031: no frame that leaves is larger than the settings allow, headers included; put together they are the message.
#[tokio::test]
async fn given_a_bound_on_frames_when_a_large_config_is_pushed_then_it_leaves_in_frames_within_it() {
    const MOST: usize = 1024;
    let world = World::with(|settings| settings.agents.max_frame_bytes = Some(MOST)).await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for size in [100, 10_000, 100_000] {
        world.push("name:host-1", &"x".repeat(size)).await;
        let frames = socket.frames().await;
        assert!(frames.iter().all(|frame| frame.len() <= MOST));
        assert!(frames.len() > size / MOST, "{} frames of {size} bytes", frames.len());
        let mut payload = Vec::new();
        for (index, frame) in frames.iter().enumerate() {
            assert_eq!(frame[0] & 0x0F, if index == 0 { 2 } else { 0 });
            let header = if frame[1] < 126 { 2 } else { 4 };
            payload.extend_from_slice(&frame[header..]);
        }
        let offer: tidegate_opamp::ServerToAgent = tidegate_opamp::frame::decode(&payload).unwrap();
        let files = offer.remote_config.unwrap().config.unwrap().config_map;
        assert_eq!(files["fluent-bit.yaml"].body.len(), size);
    }
}

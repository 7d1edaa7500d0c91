use std::time::{Duration, Instant};

use tidegate_opamp::body::gzip;
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentIdentification, AgentRemoteConfig, AgentToServer, InstanceUid,
    Message as _, ServerToAgent,
};
use tidegate_supervisor::agent::AgentCommand;
use tokio::io::AsyncWriteExt as _;

use crate::peer::{Asked, Listener, next};
use crate::world::{Setup, World};

const PROTOBUF: &str = "Content-Type: application/x-protobuf\r\n";

async fn polling(heartbeat: Duration) -> (Listener, World, Asked, AgentToServer) {
    let listener = Listener::new().await;
    let world = Setup { heartbeat, ..Setup::new("http", listener.port()) }.start();
    let mut asked = listener.asked().await;
    let first = asked.message().await;
    assert!(first.agent_description.is_some() && first.sequence_num == 1);
    (listener, world, asked, first)
}

const LONG: Duration = Duration::from_secs(60);

/// C024, C025, C032, C033, C184: the request, and an answer that is compressed.
#[tokio::test]
async fn given_a_server_then_posts_name_the_agent_and_a_gzip_answer_is_understood() {
    let (_listener, mut world, asked, _) = polling(LONG).await;
    assert!(asked.head.starts_with("POST /v1/opamp HTTP/1.1\r\n"), "{}", asked.head);
    assert_eq!(asked.header("Content-Type"), Some("application/x-protobuf"));
    assert_eq!(asked.header("Accept-Encoding"), Some("gzip"));
    assert_eq!(asked.header("Authorization"), Some("Bearer token"));
    assert_eq!(asked.header("OpAMP-Instance-UID"), Some(world.uid.to_string().as_str()));
    let offer = AgentRemoteConfig { config_hash: vec![1; 32].into(), ..AgentRemoteConfig::default() };
    let answer = ServerToAgent { remote_config: Some(offer.clone()), ..ServerToAgent::default() };
    let headers = format!("{PROTOBUF}Content-Encoding: gzip\r\n");
    asked.answer("200 OK", &headers, &gzip(&answer.encode_to_vec())).await;
    assert!(matches!(world.command().await, AgentCommand::Apply(applied) if applied == offer));
}

/// C026, C030, C038: a poll is a message of three fields.
#[tokio::test]
async fn given_empty_answers_then_polls_go_on_and_news_go_at_once() {
    let (_listener, world, asked, first) = polling(Duration::from_secs(2)).await;
    let stream = asked.answer("204 No Content", "", b"").await;
    let answered = Instant::now();
    let mut asked = next(stream).await;
    let poll = asked.message().await;
    assert!(answered.elapsed() >= Duration::from_secs(1));
    assert_eq!(asked.header("Authorization"), Some("Bearer token"));
    let (instance_uid, capabilities) = (world.uid.to_wire(), first.capabilities);
    let bare = AgentToServer { instance_uid, sequence_num: 2, capabilities, ..AgentToServer::default() };
    assert_eq!(poll, bare);
    world.change("degraded");
    let stream = asked.answer("202 Accepted", "", b"").await;
    let answered = Instant::now();
    let news = next(stream).await.message().await;
    assert!(answered.elapsed() < Duration::from_secs(1), "{:?}", answered.elapsed());
    assert_eq!(news.health.unwrap().status, "degraded");
}

/// C037, C057, C076, C170: with its number, and not before it is time.
#[tokio::test]
async fn given_a_failing_server_then_the_same_message_comes_again() {
    let statuses = [
        ("500 Oops", "", 400),
        ("400 Bad Request", "", 400),
        ("404 Not Found", "", 400),
        ("503 Busy", "Retry-After: 1\r\n", 1000),
    ];
    for (status, headers, silent) in statuses {
        let (listener, _world, asked, first) = polling(Duration::from_millis(400)).await;
        drop(asked.answer(status, headers, b"").await);
        let failed = Instant::now();
        let mut asked = listener.asked().await;
        assert!(failed.elapsed() >= Duration::from_millis(silent), "{status}: {:?}", failed.elapsed());
        assert_eq!(asked.message().await, first, "{status}");
    }
}

/// C016, C034: as sent or as inflated.
#[tokio::test]
async fn given_an_answer_beyond_the_limit_then_it_is_not_used_and_the_message_comes_again() {
    let object = AgentConfigObject { body: vec![b'#'; 8 << 20].into(), ..AgentConfigObject::default() };
    let map = AgentConfigMap { config_map: [(String::new(), object)].into(), ..AgentConfigMap::default() };
    let offer = AgentRemoteConfig { config: Some(map), ..AgentRemoteConfig::default() };
    let answer = ServerToAgent { remote_config: Some(offer), ..ServerToAgent::default() }.encode_to_vec();
    let bomb = gzip(&answer);
    assert!(bomb.len() < 1 << 20 && answer.len() > 1 << 20, "the limit is 1 MiB");
    for (headers, body) in [("Content-Encoding: gzip\r\n", bomb), ("", answer)] {
        let (listener, mut world, asked, first) = polling(LONG).await;
        drop(asked.try_answer("200 OK", headers, &body).await);
        let mut asked = listener.asked().await;
        assert_eq!(asked.message().await, first);
        asked.answer("200 OK", "", b"").await;
        assert!(world.commands.try_recv().is_err());
    }
}

/// C034: a body is given up where it passes the limit, not where it ends.
#[tokio::test]
async fn given_an_answer_without_end_then_it_is_given_up_at_the_limit() {
    let (listener, _world, mut asked, first) = polling(LONG).await;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1 << 30);
    let answer = [head.as_bytes(), &vec![0; 2 << 20]].concat();
    // The client may hang up before it has all.
    let _ = asked.stream.write_all(&answer).await;
    let mut again = listener.asked().await;
    assert_eq!(again.message().await, first);
}

/// C029: one request at a time; what changed meanwhile goes with the next one, though that is due as a poll as well.
#[tokio::test]
async fn given_a_slow_answer_then_no_other_request_goes_before_it_came() {
    let (listener, world, asked, _) = polling(Duration::from_millis(100)).await;
    world.change("changed");
    assert!(!listener.is_asked_within(Duration::from_millis(500)).await, "two requests at a time");
    let stream = asked.answer("200 OK", "", b"").await;
    assert_eq!(next(stream).await.message().await.health.unwrap().status, "changed");
}

/// C032, C045, C048: header and message name the agent alike, before and after it got a new uid, which is told at once.
#[tokio::test]
async fn given_a_new_uid_then_the_next_request_comes_at_once_and_names_it_in_header_and_message() {
    let (_listener, _world, asked, first) = polling(LONG).await;
    let named = |asked: &Asked| asked.header("OpAMP-Instance-UID").unwrap().parse::<InstanceUid>().unwrap();
    assert_eq!(named(&asked).to_wire(), first.instance_uid);
    let new = InstanceUid::v7(7, [7; 10]);
    let identification =
        AgentIdentification { new_instance_uid: new.to_wire(), ..AgentIdentification::default() };
    let answer = ServerToAgent { agent_identification: Some(identification), ..ServerToAgent::default() };
    let stream = asked.answer("200 OK", PROTOBUF, &answer.encode_to_vec()).await;
    let answered = Instant::now();
    let mut asked = next(stream).await;
    assert!(answered.elapsed() < Duration::from_secs(1));
    assert_eq!((named(&asked), asked.message().await.instance_uid), (new, new.to_wire()));
}

/// C040: a redirection to the same server is followed with the same message; another server gets nothing, least of all
/// our token.
#[tokio::test]
async fn given_redirections_then_they_are_followed_on_the_same_server_only() {
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        let (listener, mut world, asked, first) = polling(LONG).await;
        drop(asked.answer(status, "Location: /v2/opamp?x=1\r\n", b"").await);
        let mut asked = listener.asked().await;
        assert!(asked.head.starts_with("POST /v2/opamp?x=1 HTTP/1.1\r\n"), "{}", asked.head);
        assert_eq!((asked.message().await, asked.header("Authorization")), (first, Some("Bearer token")));
        let full = format!("Location: http://127.0.0.1:{}/v3\r\n", listener.port());
        drop(asked.answer(status, &full, b"").await);
        let mut asked = listener.asked().await;
        asked.message().await;
        assert!(asked.head.starts_with("POST /v3 HTTP/1.1\r\n"), "{}", asked.head);
        let offer = AgentRemoteConfig { config_hash: vec![5].into(), ..AgentRemoteConfig::default() };
        let answer = ServerToAgent { remote_config: Some(offer), ..ServerToAgent::default() };
        asked.answer("200 OK", "", &answer.encode_to_vec()).await;
        assert!(matches!(world.command().await, AgentCommand::Apply(_)));
    }
    let other = Listener::new().await;
    let away = format!("Location: http://127.0.0.1:{}/v1/opamp\r\n", other.port());
    for (status, headers) in
        [("307 Away", away.as_str()), ("302 Found", "Location: /v2\r\n"), ("308 Nowhere", "")]
    {
        let (listener, _world, asked, first) = polling(Duration::from_millis(300)).await;
        drop(asked.answer(status, headers, b"").await);
        let mut again = listener.asked().await;
        assert!(again.head.starts_with("POST /v1/opamp HTTP/1.1\r\n"), "{}", again.head);
        assert_eq!(again.message().await, first, "nothing is lost");
    }
    assert!(!other.is_asked_within(Duration::from_millis(100)).await);
}

/// C040: a server that redirects for ever is left alone in the end.
#[tokio::test]
async fn given_redirections_without_end_then_the_request_fails() {
    let (listener, _world, mut asked, _) = polling(LONG).await;
    for _ in 0..3 {
        drop(asked.answer("307 Again", "Location: /again\r\n", b"").await);
        asked = listener.asked().await;
        asked.message().await;
    }
    asked.answer("307 Again", "Location: /again\r\n", b"").await;
    assert!(!listener.is_asked_within(Duration::from_millis(300)).await);
}

/// C036: the next poll is small.
#[tokio::test]
async fn given_413_then_that_body_is_never_sent_again() {
    let (listener, _world, asked, first) = polling(Duration::from_millis(300)).await;
    drop(asked.answer("413 Too Large", "", b"").await);
    let poll = listener.asked().await.message().await;
    assert!(poll.agent_description.is_none() && poll.sequence_num == first.sequence_num + 1);
}

/// C178: `agent_disconnect` over plain HTTP.
#[tokio::test]
async fn given_a_stop_then_the_last_post_is_the_farewell() {
    let (_listener, world, asked, _) = polling(LONG).await;
    let stream = asked.answer("200 OK", "", b"").await;
    world.stop();
    let mut asked = next(stream).await;
    let farewell = asked.message().await;
    assert!(farewell.agent_disconnect.is_some());
    asked.answer("200 OK", "", b"").await;
    assert!(world.ended().await.is_ok());
}

/// C180: over plain HTTP.
#[tokio::test]
async fn given_a_stop_while_a_request_hangs_then_it_is_bounded() {
    let (listener, world, _asked, _) = polling(LONG).await;
    world.stop();
    let mut farewell = listener.asked().await;
    assert!(farewell.message().await.agent_disconnect.is_some());
    let began = Instant::now();
    assert!(world.ended().await.is_ok());
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn given_answers_and_refusals_then_the_server_was_heard_and_an_end_without_one_is_silence() {
    for (answer, heard) in [
        (Some("200 OK"), true),
        (Some("429 Slow"), true),
        (Some("401 Unauthorized"), true),
        (Some("502 Bad Gateway"), false),
        (None, false),
    ] {
        let (listener, world, asked, _) = polling(Duration::from_secs(1)).await;
        let begun = Instant::now();
        match answer {
            Some(status) => drop(asked.answer(status, "", b"").await),
            None => drop(asked),
        }
        if heard {
            world.is_heard_since(begun).await;
        } else {
            // The next one comes after whatever was made of this one.
            let _next = listener.asked().await;
            assert!(!world.heard.since(begun), "{answer:?}");
        }
    }
}

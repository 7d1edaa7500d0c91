use std::time::{Duration, Instant};

use tidegate_opamp::body::gzip;
use tidegate_opamp::{AgentRemoteConfig, AgentToServer, Message as _, ServerToAgent};
use tidegate_supervisor::agent::AgentCommand;

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

#[tokio::test]
async fn c026_c030_c038_given_empty_answers_then_polls_go_on_and_news_go_at_once() {
    let (_listener, world, asked, _) = polling(Duration::from_secs(2)).await;
    let stream = asked.answer("204 No Content", "", b"").await;
    let answered = Instant::now();
    let mut asked = next(stream).await;
    let poll = asked.message().await;
    assert!(answered.elapsed() >= Duration::from_secs(1));
    assert_eq!((poll.sequence_num, poll.health.is_some()), (2, false));
    world.change("degraded");
    let stream = asked.answer("200 OK", "", b"").await;
    let answered = Instant::now();
    let news = next(stream).await.message().await;
    assert!(answered.elapsed() < Duration::from_secs(1), "{:?}", answered.elapsed());
    assert_eq!(news.health.unwrap().status, "degraded");
}

#[tokio::test]
async fn c037_c057_given_a_failing_server_then_the_same_message_comes_again() {
    for (status, headers) in [("500 Oops", ""), ("503 Busy", "Retry-After: 1\r\n")] {
        let (listener, _world, asked, first) = polling(LONG).await;
        drop(asked.answer(status, headers, b"").await);
        let mut asked = listener.asked().await;
        assert_eq!(asked.message().await, first, "{status}");
    }
}

#[tokio::test]
async fn c034_given_an_answer_that_inflates_beyond_the_limit_then_it_is_not_used_and_the_message_comes_again()
{
    let (listener, mut world, asked, first) = polling(LONG).await;
    let bomb = gzip(&vec![0; 8 << 20]);
    assert!(bomb.len() < 1 << 20);
    drop(asked.answer("200 OK", "Content-Encoding: gzip\r\n", &bomb).await);
    let mut asked = listener.asked().await;
    assert_eq!(asked.message().await, first);
    asked.answer("200 OK", "", b"").await;
    assert!(world.commands.try_recv().is_err());
}

#[tokio::test]
async fn c036_given_413_then_that_body_is_never_sent_again() {
    let (listener, _world, asked, first) = polling(Duration::from_millis(300)).await;
    drop(asked.answer("413 Too Large", "", b"").await);
    let poll = listener.asked().await.message().await;
    assert!(poll.agent_description.is_none() && poll.sequence_num == first.sequence_num + 1);
}

#[tokio::test]
async fn c178_given_a_stop_then_the_last_post_is_the_farewell() {
    let (_listener, world, asked, _) = polling(LONG).await;
    let stream = asked.answer("200 OK", "", b"").await;
    world.stop();
    let mut asked = next(stream).await;
    let farewell = asked.message().await;
    assert!(farewell.agent_disconnect.is_some());
    asked.answer("200 OK", "", b"").await;
    assert!(world.ended().await.is_ok());
}

#[tokio::test]
async fn c180_given_a_stop_while_a_request_hangs_then_it_is_bounded() {
    let (listener, world, _asked, _) = polling(LONG).await;
    world.stop();
    let mut farewell = listener.asked().await;
    assert!(farewell.message().await.agent_disconnect.is_some());
    let began = Instant::now();
    assert!(world.ended().await.is_ok());
    assert!(began.elapsed() < Duration::from_secs(8));
}

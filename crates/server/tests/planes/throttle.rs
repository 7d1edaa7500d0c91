//! Agents that speak too fast (OpAMP S.P).

use std::time::{Duration, Instant};

use tidegate_opamp::{Message as _, ServerErrorResponseType};
use tidegate_server::settings::Settings;

use crate::http::{self, Request};
use crate::report::{Reporter, assert_ack};
use crate::socket::Said;
use crate::world::World;

fn slow(settings: &mut Settings) {
    settings.limits.messages_per_second = 1;
    settings.limits.message_burst = 5;
}

/// S172, S173, S175: what is over the rate is refused with a time to wait, and the socket is not read for a while, since
/// a known client ignores the refusal; others are served meanwhile, and so is it afterwards.
#[tokio::test]
async fn given_an_agent_that_sends_too_much_when_it_ignores_the_refusal_then_it_is_not_heard_for_a_while() {
    let world = World::with(slow).await;
    let (mut agent, mut other) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut agent).await;
    let burst: Vec<_> = (0..12).map(|_| agent.heartbeat()).collect();
    let begun = Instant::now();
    socket.send_all(&burst).await;
    socket.ping(b"there?").await;
    let mut refused = 0;
    for _ in &burst {
        let reply = socket.message().await;
        let Some(error) = &reply.error_response else {
            assert_ack(&reply, &agent);
            assert_eq!(refused, 0, "it was heard again at once");
            continue;
        };
        assert_eq!(reply.instance_uid, agent.uid.to_wire());
        assert_eq!(error.kind, ServerErrorResponseType::Unavailable);
        let retry = error.retry_info.as_ref().expect("S172: no retry_info");
        let wait = Duration::from_nanos(retry.retry_after_nanoseconds);
        assert!((30..=60).contains(&wait.as_secs()), "S175: {wait:?}");
        refused += 1;
    }
    // Four are what is left of a burst of five; a slow machine may be a second or two behind.
    assert!((6..=8).contains(&refused), "S172: {refused} of 12 were refused");
    // What follows in the same read is still answered.
    let Said::Pong(_) = socket.next().await else { panic!("no pong") };
    socket.ping(b"still there?").await;
    let mut second = world.connected(&mut other).await;
    assert_ack(&second.exchange(&other.heartbeat()).await, &other);
    assert_eq!(socket.next().await, Said::Pong(b"still there?".to_vec()));
    assert!(begun.elapsed() >= Duration::from_secs(1), "S173: it was heard at once");
    // What was not processed leaves a gap, and the agent is asked for everything.
    assert_eq!(socket.exchange(&agent.heartbeat()).await.flags, 1, "S070");
    assert!(world.metrics().await.contains(&format!("tidegate_throttled_messages_total {refused}")));
}

/// S174, S175: over HTTP it is 429 with a time to wait; another agent is not concerned.
#[tokio::test]
async fn given_an_agent_that_polls_too_often_when_it_polls_again_then_the_answer_is_429() {
    let world = World::with(slow).await;
    let (mut agent, mut other) = (Reporter::new(1), Reporter::new(2));
    world.poll(&agent.full()).await;
    let mut taken = 1;
    let answer = loop {
        let request = Request::opamp(agent.heartbeat().encode_to_vec());
        let answer = http::call(world.server.agents, &request).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(taken < 50, "it was never refused");
    };
    assert!(answer.status == 429 && taken >= 5, "{} after {taken}", answer.status);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=60).contains(&seconds), "{seconds}");
    assert_eq!(world.poll(&other.full()).await.error_response, None);
}

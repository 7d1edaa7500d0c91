//! Agents that speak too fast (OpAMP S.P).

use std::time::Duration;

use tidegate_opamp::{Message as _, ServerErrorResponseType};
use tidegate_server::settings::Settings;
use tokio::time::timeout;

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
    socket.send_all(&burst).await;
    for _ in 1..5 {
        assert_ack(&socket.message().await, &agent);
    }
    for _ in 4..12 {
        let reply = socket.message().await;
        assert_eq!(reply.instance_uid, agent.uid.to_wire());
        let error = reply.error_response.expect("S172: more was taken than may be");
        assert_eq!(error.kind, ServerErrorResponseType::Unavailable);
        let wait =
            Duration::from_nanos(error.retry_info.expect("S172: no retry_info").retry_after_nanoseconds);
        assert!((30..=60).contains(&wait.as_secs()), "S175: {wait:?}");
    }
    socket.ping(b"there?").await;
    assert!(timeout(Duration::from_millis(400), socket.next()).await.is_err(), "S173: it was heard");
    let mut second = world.connected(&mut other).await;
    assert_ack(&second.exchange(&other.heartbeat()).await, &other);
    assert_eq!(socket.next().await, Said::Pong(b"there?".to_vec()));
    // What was not processed leaves a gap, and the agent is asked for everything.
    assert_eq!(socket.exchange(&agent.heartbeat()).await.flags, 1, "S069");
    assert!(world.metrics().await.contains("tidegate_throttled_messages_total 8"));
}

/// S174, S175: over HTTP it is 429 with a time to wait; another agent is not concerned.
#[tokio::test]
async fn given_an_agent_that_polls_too_often_when_it_polls_again_then_the_answer_is_429() {
    let world = World::with(slow).await;
    let (mut agent, mut other) = (Reporter::new(1), Reporter::new(2));
    world.poll(&agent.full()).await;
    for _ in 1..5 {
        world.poll(&agent.heartbeat()).await;
    }
    let answer = http::call(world.server.agents, &Request::opamp(agent.heartbeat().encode_to_vec())).await;
    assert_eq!(answer.status, 429);
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((30..=60).contains(&seconds), "{seconds}");
    assert_eq!(world.poll(&other.full()).await.error_response, None);
}

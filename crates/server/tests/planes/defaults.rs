//! What holds without any setting, and what holds on whatever connection an agent comes (OpAMP S.A–S.C).

use std::time::Instant;

use tidegate_opamp::Message as _;
use tidegate_server::settings::{AgentsSettings, LimitSettings};

use crate::http::{self, Request};
use crate::report::Reporter;
use crate::world::{PATIENCE, World};

/// S002, S003, S026, S043: path, port and limit are those that the specification names.
#[test]
fn given_no_settings_when_the_server_is_started_then_it_would_listen_as_the_specification_says() {
    let agents = AgentsSettings::default();
    assert_eq!((agents.listen.port(), agents.path.as_str()), (4320, "/v1/opamp"));
    assert_eq!(LimitSettings::default().max_message_bytes, 64 * 1024 * 1024);
}

/// S002: the path can be set, and then it is the only one.
#[tokio::test]
async fn given_a_path_of_its_own_when_agents_come_then_they_are_served_there_and_nowhere_else() {
    let world = World::with(|settings| settings.agents.path = "/fleet/opamp".to_owned()).await;
    let body = Reporter::new(1).full().encode_to_vec();
    let post = |path: &str| {
        Request::new("POST", path).header("Content-Type", "application/x-protobuf").body(body.clone())
    };
    let answer = http::call(world.server.agents, &post("/fleet/opamp")).await;
    assert_eq!(answer.message(200).error_response, None);
    assert_eq!(http::call(world.server.agents, &post("/v1/opamp")).await.status, 404);
    let refused = crate::socket::Socket::connect(world.server.agents, &[]).await.err().unwrap().0;
    assert!(refused.starts_with("HTTP/1.1 404 "), "{refused}");
}

/// S048: what is known of an agent hangs on its uid alone: each of its messages may come on another connection, by
/// either transport, and nothing is asked again.
#[tokio::test]
async fn given_one_agent_when_each_message_comes_on_another_connection_then_nothing_is_asked_again() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    assert_eq!(world.poll(&agent.full()).await.flags, 0);
    let mut sockets = [world.socket().await, world.socket().await];
    for round in 0..6 {
        let heartbeat = agent.heartbeat();
        let reply = world.poll(&heartbeat).await;
        assert_eq!((reply.flags, reply.error_response), (0, None), "a poll of round {round}");
        let heartbeat = agent.heartbeat();
        let reply = sockets[round % 2].exchange(&heartbeat).await;
        assert_eq!((reply.flags, reply.error_response), (0, None), "a message of round {round}");
        assert!(reply.agent_identification.is_none());
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 1);
}

/// S051: an answer does not wait for something to say, neither when nothing is there nor while much is.
#[tokio::test]
async fn given_polls_when_nothing_waits_and_when_configs_change_then_answers_do_not_wait() {
    let world = World::new().await;
    let mut agents: Vec<_> = (1..=20).map(Reporter::new).collect();
    let mut slowest = std::time::Duration::ZERO;
    for round in 0..3 {
        for agent in &mut agents {
            let report = if round == 0 { agent.full() } else { agent.heartbeat() };
            let begun = Instant::now();
            let reply = world.poll(&report).await;
            slowest = slowest.max(begun.elapsed());
            assert_eq!(reply.remote_config.is_some(), round == 2);
        }
        if round == 1 {
            world.push("name:host-*", &"x".repeat(100_000)).await;
        }
    }
    assert!(slowest < PATIENCE / 2, "an answer took {slowest:?}");
}

//! Sequence numbers (OpAMP S070–S078, rulings A6 and A21).

use tidegate_opamp::{AgentToServer, server_to_agent_flags::REPORT_FULL_STATE};

use crate::http;
use crate::report::{Reporter, assert_ack};
use crate::world::World;

/// What an agent sends: its number, and how much of its state.
#[derive(Clone, Copy)]
enum Sends {
    /// Everything.
    Full(u64),
    /// Uid, number and capabilities.
    Poll(u64),
    /// A new health.
    Health(u64, &'static str),
}

use Sends::{Full, Health, Poll};

/// S070, S072–S076, S078: after each message, whether the server asks for everything.
#[tokio::test]
async fn given_numbers_of_all_kinds_when_reports_arrive_then_one_flag_follows_each_gap() {
    const LAST: u64 = u64::MAX;
    let cases: &[(&str, &[(Sends, bool)])] = &[
        ("S073: a first report at 0", &[(Full(0), false), (Poll(1), false)]),
        ("S073: a first report at 1", &[(Full(1), false), (Poll(2), false)]),
        ("S073: a first report at any number", &[(Full(57), false), (Poll(58), false)]),
        ("S071: a first poll", &[(Poll(57), true), (Full(58), false), (Poll(59), false)]),
        ("S070: a gap", &[(Full(1), false), (Poll(3), true), (Full(4), false), (Poll(5), false)]),
        ("S070: back by one", &[(Full(5), false), (Poll(4), true)]),
        ("S072: asked once a gap", &[(Full(1), false), (Poll(3), true), (Poll(4), false), (Poll(5), false)]),
        ("S072: a second gap is a second flag", &[(Full(1), false), (Poll(3), true), (Poll(5), true)]),
        ("S074: a retry", &[(Full(1), false), (Poll(2), false), (Poll(2), false), (Poll(3), false)]),
        ("S075: a gap with a full report", &[(Full(1), false), (Full(9), false), (Poll(10), false)]),
        (
            "S075: a number burned by each failed attempt",
            &[(Full(1), false), (Poll(4), true), (Full(7), false)],
        ),
        ("S076: starts again at 0", &[(Full(40), false), (Full(0), false), (Poll(1), false)]),
        ("S076: starts again at 1", &[(Full(40), false), (Full(1), false), (Poll(2), false)]),
        ("S078: wraps around", &[(Full(LAST), false), (Poll(0), false), (Poll(1), false)]),
        (
            "A21: the same number with other bytes",
            &[(Full(1), false), (Health(2, "a"), false), (Health(2, "b"), true), (Poll(3), false)],
        ),
        ("A21: unless it is a full report", &[(Health(2, "a"), true), (Full(2), false), (Poll(3), false)]),
    ];
    let world = World::new().await;
    for (index, (case, steps)) in (1..).zip(cases) {
        let (mut by_socket, mut by_http) = (Reporter::new(index), Reporter::new(1000 + index));
        let mut socket = world.socket().await;
        for (step, (sends, asked)) in steps.iter().enumerate() {
            let reply = socket.exchange(&report(&mut by_socket, *sends)).await;
            let answer = world.poll(&report(&mut by_http, *sends)).await;
            let expected = if *asked { REPORT_FULL_STATE } else { 0 };
            assert_eq!(reply.flags, expected, "{case}: step {step} by WebSocket");
            assert_eq!(answer.flags, expected, "{case}: step {step} by HTTP");
            assert_eq!((reply.error_response, answer.error_response), (None, None), "{case}");
        }
    }
}

fn report(agent: &mut Reporter, sends: Sends) -> AgentToServer {
    match sends {
        Full(number) => {
            agent.number = number.wrapping_sub(1);
            agent.full()
        }
        Poll(number) => {
            agent.number = number.wrapping_sub(1);
            AgentToServer { capabilities: agent.capabilities, ..agent.heartbeat() }
        }
        Health(number, error) => {
            agent.number = number.wrapping_sub(1);
            agent.health(false, 1, error)
        }
    }
}

/// S077: numbers go on over sockets; what was reported on the first is known on the second.
#[tokio::test]
async fn given_a_dropped_socket_when_the_agent_comes_back_with_the_next_number_then_nothing_is_asked() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let path = format!("/agents/{}", agent.uid);
    drop(world.connected(&mut agent).await);
    world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    let mut socket = world.socket().await;
    let poll = AgentToServer { capabilities: agent.capabilities, ..agent.heartbeat() };
    let reply = socket.exchange(&poll).await;
    assert_eq!((reply.flags, reply.error_response), (0, None));
    let shown = world.agent(&agent).await;
    assert_eq!((&shown["name"], &shown["connection"]["value"]), (&"host-1".into(), &"connected".into()));
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
}

/// S070, S066: a refused message has no number: the next one is judged by the last that was taken.
#[tokio::test]
async fn given_a_refused_report_when_the_next_follows_then_its_number_is_missing() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let refused = agent.health(false, 1, &"x".repeat(20_000));
    assert!(http::post(world.server.agents, &refused).await.message(200).error_response.is_some());
    assert_eq!(world.poll(&agent.heartbeat()).await.flags, REPORT_FULL_STATE);
}

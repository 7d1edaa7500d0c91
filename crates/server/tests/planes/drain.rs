//! A server that stops with many sockets open.

use std::time::{Duration, Instant};

use tidegate_opamp::ws::{Close, close_code};

use crate::report::Reporter;
use crate::socket::Said;
use crate::world::World;

const SOCKETS: u16 = 300;
const DRAIN: Duration = Duration::from_millis(1_500);

/// S177, S188: sockets are closed one after another over the time that is set, each with 1012 and a handshake; until its
/// turn comes each is served.
#[tokio::test]
async fn given_hundreds_of_sockets_when_the_server_stops_then_they_are_closed_over_time_and_served_until_then()
 {
    let world = World::with(|settings| settings.agents.drain = DRAIN).await;
    let mut sockets = Vec::new();
    for index in 0..SOCKETS {
        let mut agent = Reporter::new(index);
        sockets.push((world.connected(&mut agent).await, agent));
    }
    let World { server, folder, .. } = world;
    let address = server.agents;
    let begun = Instant::now();
    let stopping = tokio::spawn(server.stop());
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        assert!(begun.elapsed() < DRAIN, "it still listens");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let ends: Vec<_> = sockets
        .into_iter()
        .map(|(mut socket, mut agent)| {
            tokio::spawn(async move {
                socket.send(&agent.heartbeat()).await;
                let mut answered = false;
                let close = loop {
                    match socket.next().await {
                        Said::Message(_) => answered = true,
                        Said::Close(Some(close)) => break close,
                        other => panic!("{other:?}"),
                    }
                };
                let at = begun.elapsed();
                assert_eq!(close.code, close_code::RESTART);
                assert_eq!(socket.answer_close(&Close::new(close.code, "")).await, Said::End);
                (at, answered)
            })
        })
        .collect();
    let (mut times, mut answered) = (Vec::new(), 0);
    for end in ends {
        let (at, was_answered) = end.await.unwrap();
        times.push(at);
        answered += usize::from(was_answered);
    }
    stopping.await.unwrap();
    times.sort();
    let quarter = |index: usize| times[index * (times.len() - 1) / 4];
    assert!(quarter(3) - quarter(1) > DRAIN / 4, "S177: not spread: {:?} to {:?}", times[0], quarter(4));
    assert!(answered > times.len() / 2, "only {answered} were served until their turn came");
    drop(folder);
}

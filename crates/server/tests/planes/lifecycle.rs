//! Connections that come and go, and sockets that carry many agents (OpAMP S.R, S.S).

use std::time::Duration;

use serde_json::json;
use tidegate_opamp::ws::{Close, close_code};
use tidegate_opamp::{AgentDisconnect, AgentToServer};

use crate::report::{Reporter, assert_ack};
use crate::socket::Said;
use crate::world::World;

fn farewell(agent: &mut Reporter) -> AgentToServer {
    AgentToServer { agent_disconnect: Some(AgentDisconnect::default()), ..agent.heartbeat() }
}

async fn connection(world: &World, agent: &Reporter) -> String {
    world.agent(agent).await["connection"]["value"].as_str().unwrap().to_owned()
}

/// S185, S187: a farewell counts at once, by either transport, and is answered.
#[tokio::test]
async fn given_a_farewell_when_it_arrives_then_the_agent_has_departed_at_once() {
    let world = World::new().await;
    let (mut by_socket, mut by_http) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut by_socket).await;
    assert_ack(&socket.exchange(&farewell(&mut by_socket)).await, &by_socket);
    assert_eq!(connection(&world, &by_socket).await, "departed");
    world.poll(&by_http.full()).await;
    assert_eq!(connection(&world, &by_http).await, "connected");
    assert_eq!(world.poll(&farewell(&mut by_http)).await.error_response, None);
    assert_eq!(connection(&world, &by_http).await, "departed");
    // What closes afterwards does not make it anything else.
    assert!(matches!(socket.close(close_code::NORMAL).await, Said::Close(_)));
    assert_eq!(connection(&world, &by_socket).await, "departed");
}

/// An agent that leaves is not given what it could no longer carry out: that waits until it is back.
#[tokio::test]
async fn given_a_farewell_when_a_command_waits_then_it_stays_in_the_queue() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.command(&agent, serde_json::json!({"kind": "restart"})).await;
    assert_eq!(world.poll(&farewell(&mut agent)).await.command, None);
    assert!(world.poll(&agent.full()).await.command.is_some());
}

/// S187: a farewell may be the first word ever.
#[tokio::test]
async fn given_a_farewell_as_the_first_message_when_it_arrives_then_it_is_answered() {
    let world = World::new().await;
    let (mut stranger, mut other) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.socket().await;
    let reply = socket.exchange(&farewell(&mut stranger)).await;
    assert_eq!((reply.error_response, reply.instance_uid), (None, stranger.uid.to_wire()));
    assert_eq!(socket.exchange(&other.full()).await.error_response, None);
    assert_eq!(connection(&world, &stranger).await, "departed");
}

/// S185: after a farewell the socket is no way to the agent any more; its next word makes it one again.
#[tokio::test]
async fn given_a_farewell_when_a_config_is_pushed_then_it_waits_for_the_agents_return() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    socket.exchange(&farewell(&mut agent)).await;
    world.push("name:host-1", "a").await;
    socket.quiet().await;
    assert!(socket.exchange(&agent.heartbeat()).await.remote_config.is_some());
    assert_eq!(connection(&world, &agent).await, "connected");
}

/// S186: a transport that is gone takes all its agents with it.
#[tokio::test]
async fn given_a_dropped_socket_when_it_carried_agents_then_all_are_disconnected() {
    let world = World::new().await;
    let mut socket = world.socket().await;
    for index in 1..=3 {
        socket.exchange(&Reporter::new(index).full()).await;
    }
    drop(socket);
    world.eventually("/agents?q=connection:disconnected", |list| list["total"]["value"] == 3).await;
}

/// S188: a client's close is answered with its own code, and the connection ends.
#[tokio::test]
async fn given_a_close_when_the_agent_sends_it_then_the_server_answers_with_its_code() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let socket = world.connected(&mut agent).await;
    assert_eq!(socket.close(1001).await, Said::Close(Some(Close::new(1001, ""))));
    world.eventually(&format!("/agents/{}", agent.uid), |a| a["connection"]["value"] == "disconnected").await;
}

/// A supervisor that opens a socket for each message and closes it in order is there while it keeps its interval, and its
/// comings and goings are no news.
#[tokio::test]
async fn given_a_socket_for_each_message_when_it_closes_in_order_then_the_agent_counts_as_polling() {
    let world = World::with(|settings| settings.agents.heartbeat_interval = Duration::from_millis(700)).await;
    let mut agent = Reporter::new(1);
    for _ in 0..3 {
        let socket = world.connected(&mut agent).await;
        assert_eq!(socket.close(1000).await, Said::Close(Some(Close::new(1000, ""))));
        assert_eq!(connection(&world, &agent).await, "connected");
    }
    let told = world.get("/events").await.expect(200);
    let connections =
        told["items"].as_array().unwrap().iter().filter(|event| event["kind"] == "connection").count();
    assert_eq!(connections, 1, "{told}");
    world.eventually(&format!("/agents/{}", agent.uid), |a| a["connection"]["value"] == "disconnected").await;
}

/// S189: an agent that polls is late, then disconnected, by silence alone, and that is told.
#[tokio::test]
async fn given_an_agent_that_polled_when_it_falls_silent_then_it_is_late_and_then_disconnected() {
    let world = World::with(|settings| settings.agents.heartbeat_interval = Duration::from_millis(700)).await;
    let (mut poller, mut quiet) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut quiet).await;
    world.poll(&poller.full()).await;
    assert_eq!(connection(&world, &poller).await, "connected");
    let path = format!("/agents/{}", poller.uid);
    world.eventually(&path, |agent| agent["connection"]["value"] == "late").await;
    let gone = world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert_eq!(gone["attention"]["level"], "act");
    world
        .eventually("/events", |events| {
            let told =
                |event: &serde_json::Value| event["text"].as_str().unwrap().starts_with("disconnected: ");
            events["items"].as_array().unwrap().iter().any(told)
        })
        .await;
    // S082: an agent on a socket that never promised heartbeats owes none.
    assert_eq!(connection(&world, &quiet).await, "connected");
    assert_ack(&socket.exchange(&quiet.heartbeat()).await, &quiet);
    world.poll(&poller.heartbeat()).await;
    assert_eq!(connection(&world, &poller).await, "connected");
}

/// S190: the late end of an old socket says nothing of an agent that is back already.
#[tokio::test]
async fn given_two_sockets_of_one_agent_when_the_older_closes_then_the_agent_stays_and_hears_on_the_newer() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let old = world.connected(&mut agent).await;
    let mut new = world.socket().await;
    assert_eq!(new.exchange(&agent.heartbeat()).await.flags, 0);
    assert!(matches!(old.close(close_code::NORMAL).await, Said::Close(_)));
    world.eventually("/server", |server| server["connections"] == 1).await;
    assert_eq!(connection(&world, &agent).await, "connected");
    world.push("name:host-1", "a").await;
    assert!(new.message().await.remote_config.is_some());
}

/// S191, S192, S052: a hundred agents on one socket, each with its own config, number and introduction.
#[tokio::test]
async fn given_a_hundred_agents_on_one_socket_when_each_is_pushed_to_then_each_gets_its_own() {
    let world = World::new().await;
    let mut agents: Vec<_> = (0..100).map(Reporter::new).collect();
    let mut socket = world.socket().await;
    let reports: Vec<_> = agents.iter_mut().map(Reporter::full).collect();
    socket.send_all(&reports).await;
    for agent in &agents {
        let reply = socket.message().await;
        assert_eq!(reply.instance_uid, agent.uid.to_wire());
        assert_ne!(reply.capabilities, 0, "S192");
        assert_eq!(reply.flags, 0);
    }
    for agent in &agents {
        world.push(&format!("uid:{}", agent.uid), &agent.name).await;
        let offer = socket.message().await;
        assert_eq!(offer.instance_uid, agent.uid.to_wire());
        let files = offer.remote_config.unwrap().config.unwrap().config_map;
        assert_eq!(&files["fluent-bit.yaml"].body[..], agent.name.as_bytes());
    }
    assert_eq!(world.get("/agents?q=connection:connected").await.expect(200)["total"]["value"], 100);
}

/// S193: the farewell of one agent concerns no other, and the socket stays.
#[tokio::test]
async fn given_three_agents_on_one_socket_when_one_departs_then_the_others_stay() {
    let world = World::new().await;
    let mut agents = [1, 2, 3].map(Reporter::new);
    let mut socket = world.socket().await;
    for agent in &mut agents {
        socket.exchange(&agent.full()).await;
    }
    socket.exchange(&farewell(&mut agents[1])).await;
    let states = [
        connection(&world, &agents[0]).await,
        connection(&world, &agents[1]).await,
        connection(&world, &agents[2]).await,
    ];
    assert_eq!(states, ["connected", "departed", "connected"]);
    let push = world.push("name:host-*", "a").await;
    assert_eq!(push["summary"]["pending"], json!(3));
    let told = [socket.message().await.instance_uid, socket.message().await.instance_uid];
    assert_eq!(told, [agents[0].uid.to_wire(), agents[2].uid.to_wire()]);
    socket.quiet().await;
}

/// S188, S177: a server that stops says so to every socket and waits for the answer.
#[tokio::test]
async fn given_open_sockets_when_the_server_stops_then_each_is_closed_with_1012() {
    let world = World::new().await;
    let (mut first, mut second) = (Reporter::new(1), Reporter::new(2));
    let mut sockets = [world.connected(&mut first).await, world.connected(&mut second).await];
    let World { server, folder, .. } = world;
    let (address, begun) = (server.agents, std::time::Instant::now());
    let stopping = tokio::spawn(server.stop());
    for socket in &mut sockets {
        assert_eq!(socket.closed().await.code, close_code::RESTART);
    }
    for socket in sockets {
        assert_eq!(socket.answer_close(&Close::new(close_code::RESTART, "")).await, Said::End);
    }
    stopping.await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "it still listens");
    drop(folder);
}

/// S185: what waits is sent neither in the answer to a farewell nor after it.
#[tokio::test]
async fn given_messages_that_wait_when_the_agent_says_farewell_then_only_the_answer_is_sent() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    let null = json!({"kind": "custom", "capability": crate::report::NULL, "type": "Null Command"});
    for _ in 0..3 {
        world.command(&agent, null.clone()).await;
    }
    let mut socket = world.socket().await;
    assert_eq!(socket.exchange(&farewell(&mut agent)).await.custom_message, None);
    socket.quiet().await;
    assert_eq!(world.get("/commands?state=queued").await.expect(200)["total"]["value"], 3);
}

//! Agents that are given another uid, and agents that share one (OpAMP S056–S063, rulings A6, A7 and A12).

use serde_json::json;
use tidegate_opamp::{
    AgentToServer, InstanceUid, ServerToAgent, agent_to_server_flags::REQUEST_INSTANCE_UID,
    server_to_agent_flags::REPORT_FULL_STATE,
};

use crate::report::Reporter;
use crate::world::World;

fn new_uid(reply: &ServerToAgent) -> Option<InstanceUid> {
    let identification = reply.agent_identification.as_ref()?;
    Some(InstanceUid::from_bytes(&identification.new_instance_uid).unwrap())
}

fn asking(message: AgentToServer) -> AgentToServer {
    AgentToServer { flags: REQUEST_INSTANCE_UID, ..message }
}

/// S056–S059: an agent that asks for a uid gets one of version 7, the same each time, and is the same agent under it:
/// its number goes on, nothing is asked again, and what waited for it still does.
#[tokio::test]
async fn given_an_agent_that_asks_for_a_uid_when_it_uses_it_then_it_is_the_same_agent() {
    let world = World::new().await;
    for transport in ["websocket", "http"] {
        let mut agent = Reporter::new(if transport == "http" { 1 } else { 2 });
        let old = agent.uid;
        let mut socket = world.socket().await;
        let by_http = transport == "http";
        let first = asking(agent.full());
        let first = if by_http { world.poll(&first).await } else { socket.exchange(&first).await };
        let new = new_uid(&first).expect("S056");
        let bytes = new.as_bytes();
        assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10), "S057: version and variant");
        let again = asking(agent.heartbeat());
        let again = if by_http { world.poll(&again).await } else { socket.exchange(&again).await };
        assert_eq!(new_uid(&again), Some(new), "S058");
        assert_eq!(again.instance_uid, old.to_wire(), "S052");

        agent.uid = new;
        let next = agent.heartbeat();
        let next = if by_http { world.poll(&next).await } else { socket.exchange(&next).await };
        assert_eq!((next.flags, new_uid(&next), next.error_response.clone()), (0, None, None), "S059");
        let shown = world.agent(&agent).await;
        assert_eq!(
            (&shown["name"], &shown["connection"]["value"]),
            (&json!(agent.name), &json!("connected"))
        );
        assert_eq!(world.get(&format!("/agents/{old}")).await.status, 404, "no second agent");

        let late = AgentToServer { instance_uid: old.to_wire(), ..agent.heartbeat() };
        let late = if by_http { world.poll(&late).await } else { socket.exchange(&late).await };
        assert_eq!((late.flags, new_uid(&late)), (0, Some(new)), "A7: the old uid is heard for a while");
        assert_eq!(late.instance_uid, old.to_wire(), "S052");
        let command = world.command(&agent, json!({"kind": "restart"})).await;
        let poll = agent.heartbeat();
        let told = if by_http { world.poll(&poll).await } else { socket.message().await };
        assert!(told.command.is_some());
        assert_eq!(command["agent"], json!(new.to_string()));
    }
    assert_eq!(world.get("/agents").await.expect(200)["total"]["value"], 2);
}

/// S059, A7: the change of a uid survives the server.
#[tokio::test]
async fn given_a_changed_uid_when_the_server_is_restarted_then_the_agent_and_its_config_are_there() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let old = agent.uid;
    let given = new_uid(&world.poll(&asking(agent.full())).await).unwrap();
    world.push("name:host-1", "one").await;
    agent.uid = given;
    assert!(world.poll(&agent.heartbeat()).await.remote_config.is_some());
    let world = world.restart().await;
    assert_eq!(world.get(&format!("/agents/{old}")).await.status, 404);
    let shown = world.agent(&agent).await;
    assert_eq!((&shown["name"], &shown["config"]["value"]), (&json!("host-1"), &json!("pending")));
    let late = AgentToServer { instance_uid: old.to_wire(), ..agent.heartbeat() };
    let reply = world.poll(&late).await;
    assert_eq!((reply.flags, new_uid(&reply)), (0, Some(given)));
}

/// S060, S061, A12: two sockets that both speak under one uid are two agents: the newer is given a uid of its own, the
/// older is left alone, and an event tells.
#[tokio::test]
async fn given_two_live_sockets_under_one_uid_when_both_speak_then_the_newer_gets_a_uid_of_its_own() {
    let world = World::new().await;
    let mut first = Reporter::new(1);
    let mut clone = Reporter { number: 500, ..Reporter::new(1) };
    let mut older = world.connected(&mut first).await;
    older.exchange(&first.heartbeat()).await;
    let mut newer = world.socket().await;
    let met = newer.exchange(&clone.full()).await;
    assert_eq!(new_uid(&met), None, "S063: it may be the same agent come back");

    let reply = older.exchange(&first.heartbeat()).await;
    assert_eq!((new_uid(&reply), reply.error_response.clone()), (None, None), "the first is untouched");
    let told = newer.message().await;
    let own = new_uid(&told).expect("S061");
    assert_eq!(told.instance_uid, clone.uid.to_wire(), "S052");

    // Until it uses it, it is taken for what it is.
    let reply = newer.exchange(&clone.full()).await;
    assert_eq!((new_uid(&reply), reply.instance_uid), (Some(own), clone.uid.to_wire()));
    clone.uid = own;
    let reply = newer.exchange(&clone.heartbeat()).await;
    assert_eq!((reply.flags, new_uid(&reply)), (0, None));
    let reply = older.exchange(&first.heartbeat()).await;
    assert_eq!((reply.flags & !REPORT_FULL_STATE, new_uid(&reply)), (0, None));
    for agent in [&first, &clone] {
        assert_eq!(world.agent(agent).await["connection"]["value"], "connected");
    }
    let events = world.get("/events").await.expect(200);
    let text = format!("another agent speaks under the same instance_uid; it was given {own}");
    assert!(events["items"].as_array().unwrap().iter().any(|event| event["text"] == json!(text)), "S060");

    drop(newer);
    let path = format!("/agents/{own}");
    world.eventually(&path, |agent| agent["connection"]["value"] == "disconnected").await;
    assert_eq!(world.agent(&first).await["connection"]["value"], "connected");
}

/// S063, S194, S195: a new socket with the next number, or a move between two sockets in step, is the same agent.
#[tokio::test]
async fn given_one_agent_when_it_comes_back_or_moves_between_sockets_then_it_keeps_its_uid() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut one = world.connected(&mut agent).await;
    let mut other = world.socket().await;
    let reply = other.exchange(&agent.heartbeat()).await;
    assert_eq!((reply.flags, new_uid(&reply)), (0, None), "S063");
    for _ in 0..3 {
        for socket in [&mut one, &mut other] {
            let reply = socket.exchange(&agent.heartbeat()).await;
            assert_eq!((reply.flags, new_uid(&reply)), (0, None), "S194");
        }
    }
    world.push("name:host-1", "one").await;
    assert!(other.message().await.remote_config.is_some(), "the socket that it spoke through last");
    one.quiet().await;
    let mut gateway = world.socket().await;
    for index in 10..110 {
        assert_eq!(new_uid(&gateway.exchange(&Reporter::new(index).full()).await), None, "S195");
    }
}

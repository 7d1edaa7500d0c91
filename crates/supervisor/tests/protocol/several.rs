//! Several agents of one supervisor on one connection.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_opamp::{
    AgentRemoteConfig, AgentToServer, InstanceUid, Message as _, ServerToAgent, ServerToAgentCommand,
};
use tidegate_supervisor::agent::AgentCommand;
use tidegate_supervisor::run::RunError;

use crate::peer::{Connection, Listener, Said};
use crate::world::{Setup, World, report};

async fn three() -> (Listener, World, Connection) {
    let listener = Listener::new().await;
    let world = Setup { agents: 3, ..Setup::new("ws", listener.port()) }.start();
    let connection = listener.connection().await;
    (listener, world, connection)
}

/// The next messages of a connection, by agent.
async fn messages(connection: &mut Connection, count: usize) -> BTreeMap<Vec<u8>, AgentToServer> {
    let mut all = BTreeMap::new();
    for _ in 0..count {
        let message = connection.message().await;
        assert!(all.insert(message.instance_uid.to_vec(), message).is_none(), "one of each agent");
    }
    all
}

fn uids(world: &World) -> Vec<InstanceUid> {
    [world.uid].into_iter().chain(world.others.iter().map(|other| other.uid)).collect()
}

fn to(uid: InstanceUid, message: ServerToAgent) -> ServerToAgent {
    ServerToAgent { instance_uid: uid.to_wire(), ..message }
}

fn offer(hash: u8) -> AgentRemoteConfig {
    AgentRemoteConfig { config_hash: vec![hash; 32].into(), ..AgentRemoteConfig::default() }
}

/// C181: uid, number, capabilities and farewell are each agent's own.
#[tokio::test]
async fn given_three_agents_on_one_socket_then_each_speaks_for_itself_and_counts_alone() {
    let (_listener, world, mut connection) = three().await;
    let first = messages(&mut connection, 3).await;
    let uids = uids(&world);
    for uid in &uids {
        let message = &first[&uid.as_bytes()[..]];
        assert!(message.agent_description.is_some() && message.health.is_some(), "a full report of each");
        assert_eq!(message.sequence_num, 1);
        assert_ne!(message.capabilities, 0);
        connection.send(&to(*uid, ServerToAgent::default())).await;
    }
    world.others[1].reports.send_replace(report("degraded"));
    let news = connection.message().await;
    assert_eq!((&news.instance_uid[..], news.sequence_num), (&uids[2].as_bytes()[..], 2));
    world.change("degraded");
    let news = connection.message().await;
    assert_eq!((&news.instance_uid[..], news.sequence_num), (&uids[0].as_bytes()[..], 2));
    world.stop();
    let farewells = messages(&mut connection, 3).await;
    assert!(farewells.values().all(|message| message.agent_disconnect.is_some()));
    assert!(matches!(connection.said().await, Said::Close(_)), "the socket is closed after the last");
}

/// C182: what is for one agent reaches no other, and what is for nobody is dropped.
#[tokio::test]
async fn given_messages_for_one_agent_then_no_other_gets_them() {
    let (_listener, mut world, mut connection) = three().await;
    messages(&mut connection, 3).await;
    let uids = uids(&world);
    let offered = |hash| ServerToAgent { remote_config: Some(offer(hash)), ..ServerToAgent::default() };
    connection.send(&to(InstanceUid::v7(9, [9; 10]), offered(1))).await;
    connection.send(&offered(2)).await;
    connection.send(&to(uids[1], offered(3))).await;
    let command = Some(ServerToAgentCommand::default());
    connection.send(&to(uids[0], ServerToAgent { command, ..ServerToAgent::default() })).await;
    let first = world.command().await;
    assert!(matches!(first, AgentCommand::Restart), "{first:?}");
    let other = &mut world.others[0];
    let second = tokio::time::timeout(crate::peer::PATIENCE, other.commands.recv()).await.unwrap().unwrap();
    assert!(matches!(second, AgentCommand::Apply(applied) if applied == offer(3)));
    for other in &mut world.others {
        assert!(other.commands.try_recv().is_err());
    }
}

/// C183: each agent speaks again on the next connection, with its own next number.
#[tokio::test]
async fn given_a_lost_socket_then_every_agent_speaks_again_on_the_next_one() {
    let (listener, world, mut connection) = three().await;
    messages(&mut connection, 3).await;
    connection.send(&to(world.uid, ServerToAgent::default())).await;
    world.change("degraded");
    assert_eq!(connection.message().await.sequence_num, 2);
    drop(connection);
    let mut connection = listener.connection().await;
    let again = messages(&mut connection, 3).await;
    let numbers: Vec<_> = uids(&world).iter().map(|uid| again[&uid.as_bytes()[..]].sequence_num).collect();
    assert_eq!(numbers, [3, 2, 2]);
    for uid in &uids(&world)[1..] {
        assert!(again[&uid.as_bytes()[..]].agent_description.is_some(), "what was not answered goes again");
    }
}

/// C183: the end of one leaves the others, whoever it is.
#[tokio::test]
async fn given_an_agent_whose_supervision_ends_then_it_says_farewell_and_the_others_go_on() {
    let (_listener, world, mut connection) = three().await;
    messages(&mut connection, 3).await;
    let uids = uids(&world);
    for uid in &uids {
        connection.send(&to(*uid, ServerToAgent::default())).await;
    }
    let World { commands, others, told, serving, .. } = world;
    drop(commands);
    let farewell = connection.message().await;
    assert_eq!(&farewell.instance_uid[..], &uids[0].as_bytes()[..]);
    assert!(farewell.agent_disconnect.is_some());
    others[0].reports.send_replace(report("degraded"));
    let news = connection.message().await;
    assert_eq!(&news.instance_uid[..], &uids[1].as_bytes()[..]);
    assert!(news.agent_disconnect.is_none());
    drop((others, told));
    let last = messages(&mut connection, 2).await;
    assert!(last.values().all(|message| message.agent_disconnect.is_some()));
    let ended = tokio::time::timeout(crate::peer::PATIENCE, serving).await.unwrap().unwrap();
    assert!(matches!(ended, Err(RunError::Ended)), "{ended:?}");
}

/// C181, C032: over plain HTTP each request names its agent, and one that is refused does not silence the others.
#[tokio::test]
async fn given_two_agents_that_poll_then_each_post_is_of_one_and_a_refusal_concerns_it_alone() {
    let listener = Listener::new().await;
    let heartbeat = Duration::from_secs(1);
    let setup = Setup { agents: 2, heartbeat, ..Setup::new("http", listener.port()) };
    let world = setup.start();
    let uids = uids(&world);
    let mut counts = BTreeMap::<String, u64>::new();
    let mut stream = None;
    while counts.len() < 2 || counts[&uids[0].to_string()] < 3 {
        let mut asked = match stream.take() {
            Some(stream) => crate::peer::next(stream).await,
            None => listener.asked().await,
        };
        let named = asked.header("OpAMP-Instance-UID").unwrap().to_owned();
        let message = asked.message().await;
        assert_eq!(InstanceUid::from_bytes(&message.instance_uid).unwrap().to_string(), named);
        let count = counts.entry(named.clone()).or_default();
        *count += 1;
        if named == uids[1].to_string() {
            asked.answer("403 Forbidden", "", b"").await;
            continue;
        }
        assert_eq!(message.sequence_num, *count, "its numbers are its own");
        let body = ServerToAgent::default().encode_to_vec();
        stream = Some(asked.answer("200 OK", "Content-Type: application/x-protobuf\r\n", &body).await);
    }
    assert!(counts[&uids[1].to_string()] <= counts[&uids[0].to_string()] + 1, "{counts:?}");
}

/// C056, C007: a supervision that goes over to others goes on with their numbers.
#[tokio::test]
async fn given_an_agent_that_was_spoken_for_before_then_its_numbers_go_on() {
    let listener = Listener::new().await;
    let world = Setup { sequence_num: 41, ..Setup::new("ws", listener.port()) }.start();
    let first = listener.connection().await.message().await;
    assert_eq!(first.sequence_num, 42);
    assert!(first.agent_description.is_some());
    drop(world);
}

//! What survives a stop and a crash (decision D1, OpAMP S080, ruling A16).

use std::time::Duration;

use serde_json::json;
use tidegate_opamp::server_to_agent_flags::REPORT_FULL_STATE;

use crate::http;
use crate::report::{NULL, Reporter};
use crate::world::{World, new_key};

impl World {
    /// A second server over what the store of this one holds now, as after a crash: nothing is flushed, nobody says
    /// goodbye.
    pub(crate) async fn crashed(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_owned();
            // The index of the write-ahead log is made anew from it.
            if !name.to_string_lossy().ends_with("-shm") {
                std::fs::copy(&path, folder.path().join(name)).unwrap();
            }
        }
        Self::at(folder, |_| {}).await
    }
}

/// S080: a stop in order keeps every number, so that nobody is asked for what they missed.
#[tokio::test]
async fn given_a_thousand_agents_when_the_server_is_stopped_and_started_then_none_is_asked_for_its_state() {
    let world = World::new().await;
    let mut agents: Vec<_> = (0..1000).map(Reporter::new).collect();
    let mut socket = world.socket().await;
    let reports: Vec<_> = agents.iter_mut().map(Reporter::full).collect();
    socket.send_all(&reports).await;
    for _ in &reports {
        socket.message().await;
    }
    world.settled().await;
    // Numbers that nothing has written yet.
    let heartbeats: Vec<_> = agents.iter_mut().map(Reporter::heartbeat).collect();
    socket.send_all(&heartbeats).await;
    for _ in &heartbeats {
        socket.message().await;
    }
    drop(socket);
    let world = world.restart().await;
    assert_eq!(world.get("/agents?q=connection:disconnected").await.expect(200)["total"]["value"], 1000);
    let mut socket = world.socket().await;
    for agent in &mut agents {
        let reply = socket.exchange(&agent.heartbeat()).await;
        assert_eq!((reply.flags, reply.error_response), (0, None));
    }
    // A number that is missing is still noticed.
    agents[0].number += 1;
    assert_eq!(socket.exchange(&agents[0].heartbeat()).await.flags, REPORT_FULL_STATE);
}

/// Ruling A16: after a crash a higher number is taken, and the state is asked for once; a lower one is a gap.
#[tokio::test]
async fn given_a_crash_when_agents_go_on_counting_then_each_is_asked_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.settled().await;
    for _ in 0..5 {
        socket.exchange(&agent.heartbeat()).await;
    }
    let crashed = world.crashed().await;
    assert_eq!(crashed.agent(&agent).await["name"], "host-1");
    let mut socket = crashed.socket().await;
    let flags = [
        socket.exchange(&agent.heartbeat()).await.flags,
        socket.exchange(&agent.heartbeat()).await.flags,
        socket.exchange(&agent.full()).await.flags,
        socket.exchange(&agent.heartbeat()).await.flags,
    ];
    assert_eq!(flags, [REPORT_FULL_STATE, 0, 0, 0]);
}

/// Decision D1: what the API has acknowledged is on disk at that moment.
#[tokio::test]
async fn given_acknowledged_acts_when_the_server_crashes_then_none_is_lost() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.settled().await;
    let push = world.push("name:host-1", "a").await;
    let null = json!({"kind": "custom", "capability": NULL, "type": "Null Command"});
    let kept = world.command(&agent, null.clone()).await;
    let withdrawn = world.command(&agent, null).await;
    let path = |command: &serde_json::Value| format!("/commands/{}", command["id"].as_str().unwrap());
    world.call("POST", &format!("{}/actions/cancel", path(&withdrawn)), None).await.expect(200);
    let crashed = world.crashed().await;
    assert_eq!(crashed.agent(&agent).await["config"]["push"], push["id"]);
    assert_eq!(crashed.get(&path(&kept)).await.expect(200)["state"], "queued");
    assert_eq!(crashed.get(&path(&withdrawn)).await.expect(200)["state"], "cancelled");
    let found = crashed.get(&format!("/pushes/{}", push["id"].as_str().unwrap())).await.expect(200);
    assert_eq!(found["config"], push["config"]);
    let reply = crashed.poll(&agent.full()).await;
    assert!(reply.remote_config.is_some() && reply.custom_message.is_some());
    assert_eq!(crashed.poll(&agent.heartbeat()).await.custom_message, None);
}

/// S161: a command is marked as sent before it leaves; a crash afterwards does not send it again.
#[tokio::test]
async fn given_a_command_that_was_sent_when_the_server_crashes_then_it_is_not_sent_again() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.settled().await;
    let command = world.command(&agent, json!({"kind": "restart"})).await;
    assert!(world.poll(&agent.heartbeat()).await.command.is_some());
    let crashed = world.crashed().await;
    let path = format!("/commands/{}", command["id"].as_str().unwrap());
    assert_eq!(crashed.get(&path).await.expect(200)["state"], "sent");
    assert_eq!(crashed.poll(&agent.full()).await.command, None);
}

/// Events keep their numbers over a stop, and never give one twice after a crash.
#[tokio::test]
async fn given_events_when_the_server_comes_back_then_numbers_only_rise() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    world.settled().await;
    let numbers = async |world: &World| -> Vec<u64> {
        let events = world.get("/events?limit=500").await.expect(200);
        events["items"].as_array().unwrap().iter().map(|event| event["number"].as_u64().unwrap()).collect()
    };
    let before = numbers(&world).await;
    assert_eq!(before, [1, 2]);
    let crashed = world.crashed().await;
    crashed.poll(&agent.health(false, 1, "broken")).await;
    let after_crash = numbers(&crashed).await;
    assert_eq!(after_crash[..2], before);
    assert!(after_crash[2] > 100, "the last numbers before the crash may not have been written");
    let restarted = world.restart().await;
    assert_eq!(numbers(&restarted).await, before);
}

/// Two servers over one data directory would undo each other's work.
#[tokio::test]
async fn given_a_running_server_when_another_is_started_over_its_data_then_it_refuses() {
    let world = World::new().await;
    let second = tidegate_server::run::start(crate::world::settings(world.folder.path())).await;
    let error = second.err().expect("two servers share a data directory").to_string();
    assert!(error.contains("another server uses the data directory"), "{error}");
    world.get("/agents").await.expect(200);
}

/// Decision D1: an intent for an agent that was heard of a moment ago survives a crash with its agent.
#[tokio::test]
async fn given_an_act_for_a_fresh_agent_when_the_server_crashes_at_once_then_both_are_known() {
    let world = World::new().await;
    let (mut pushed, mut commanded) = (Reporter::new(1), Reporter::new(2));
    world.poll(&pushed.full()).await;
    world.poll(&commanded.full()).await;
    world.push(&format!("uid:{}", pushed.uid), "pipeline: {}").await;
    world.command(&commanded, json!({"kind": "restart"})).await;
    let world = world.crashed().await;
    assert_eq!(world.agent(&pushed).await["config"]["value"], "pending");
    let commands = world.get(&format!("/commands?agent={}", commanded.uid)).await.expect(200);
    assert_eq!(commands["items"][0]["state"], "queued");
}

/// A caller that leaves before the answer leaves nothing half done: what is stored is in force.
#[tokio::test]
async fn given_callers_that_leave_at_once_when_they_pushed_then_memory_and_store_agree() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    for round in 0..20 {
        let body = json!({"q": "name:*", "files": [{"name": "a.yaml", "body": format!("round: {round}")}]});
        let request = http::Request::new("POST", "/api/v1/pushes")
            .header("Authorization", &format!("Bearer {}", world.token))
            .header("Idempotency-Key", &new_key())
            .header("Content-Type", "application/json")
            .body(body.to_string());
        // Some leave before it has begun, some in the middle, the last when it is done.
        http::send_and_leave(world.server.operators, &request, Duration::from_millis(round * 2)).await;
    }
    let path = format!("/agents/{}", agent.uid);
    let mut now = world.eventually(&path, |agent| agent["config"]["desired"].is_string()).await;
    // Those who left in the middle may still be at it.
    loop {
        world.settled().await;
        let later = world.get(&path).await.expect(200);
        if later["config"]["desired"] == now["config"]["desired"] {
            break;
        }
        now = later;
    }
    let now = now["config"]["desired"].clone();
    let world = world.crashed().await;
    assert_eq!(world.agent(&agent).await["config"]["desired"], now);
}

/// Pushes at one time: the last one in the store is the last one in force. Several rounds on several threads, since only
/// some of them meet.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn given_pushes_at_one_time_when_the_server_crashes_then_every_agent_keeps_its_config() {
    let world = World::new().await;
    let mut agents: Vec<_> = (0..100).map(Reporter::new).collect();
    for agent in &mut agents {
        world.poll(&agent.full()).await;
    }
    for round in 0..8 {
        let push = |number: u32| {
            let world = &world;
            async move { world.push("name:*", &format!("round: {round}{number}")).await }
        };
        tokio::join!(push(1), push(2), push(3), push(4), push(5), push(6));
        let before = desired(&world).await;
        let after = desired(&world.crashed().await).await;
        assert_eq!(before, after, "round {round}");
    }
}

/// What each agent should run, by uid.
async fn desired(world: &World) -> std::collections::BTreeMap<String, String> {
    let agents = world.get("/agents?limit=500").await.expect(200);
    let pair = |agent: &serde_json::Value| {
        (agent["uid"].as_str().unwrap().to_owned(), agent["config"]["desired"].as_str().unwrap().to_owned())
    };
    agents["items"].as_array().unwrap().iter().map(pair).collect()
}

//! Agents that go back from a config (OpAMP S108, ruling A10).

use tidegate_opamp::RemoteConfigStatuses;

use crate::report::{Reporter, assert_ack};
use crate::world::World;

/// S108, A10: an agent that takes a config, goes back to another and says so again and again is offered it three
/// times; the config counts as failed, and another one is offered as ever.
#[tokio::test]
async fn given_an_agent_that_goes_back_to_its_old_config_when_it_reports_so_then_there_is_no_loop() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.push("name:host-1", "old").await;
    let old = socket.message().await.remote_config.unwrap().config_hash;
    socket.exchange(&agent.status(&old, RemoteConfigStatuses::Applied)).await;
    world.push("name:host-1", "new").await;
    let new = socket.message().await.remote_config.unwrap().config_hash;
    let mut offers = 1;
    for _ in 0..6 {
        assert_ack(&socket.exchange(&agent.status(&new, RemoteConfigStatuses::Applying)).await, &agent);
        let reply = socket.exchange(&agent.status(&old, RemoteConfigStatuses::Applied)).await;
        offers += u32::from(reply.remote_config.is_some());
    }
    assert_eq!(offers, 3, "one stale report is no refusal (S098), going back again and again is");
    assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    let shown = world.agent(&agent).await["config"].clone();
    assert_eq!(shown["value"], "failed");
    assert!(shown["reason"].as_str().unwrap().contains("went back"), "{shown}");
    world.push("name:host-1", "newer").await;
    assert!(socket.message().await.remote_config.is_some());
}

/// S098: an agent that is busy with a config tells its end after the next one was offered; that is no refusal of it.
#[tokio::test]
async fn given_an_agent_that_ends_an_earlier_config_when_the_next_is_on_its_way_then_that_still_waits() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.push("name:host-1", "first").await;
    let first = socket.message().await.remote_config.unwrap().config_hash;
    socket.exchange(&agent.status(&first, RemoteConfigStatuses::Applying)).await;
    world.push("name:host-1", "second").await;
    let second = socket.message().await.remote_config.unwrap().config_hash;
    socket.exchange(&agent.status(&first, RemoteConfigStatuses::Applied)).await;
    let shown = world.agent(&agent).await["config"].clone();
    assert_eq!(shown["value"], "pending", "{shown}");
    assert_ack(&socket.exchange(&agent.status(&second, RemoteConfigStatuses::Applying)).await, &agent);
    assert_eq!(world.agent(&agent).await["config"]["value"], "applying");
}

/// S098: an agent that has several configs to answer yet tells of each that it applies it and how that ended; none of
/// that is a refusal of the newest, which has a status of its own in the end. An agent that says more than that has
/// refused it.
#[tokio::test]
async fn given_an_agent_that_answers_several_earlier_configs_when_the_newest_waits_then_it_is_not_failed() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let mut hashes = Vec::new();
    for body in ["first", "second", "third", "newest"] {
        world.push("name:host-1", body).await;
        hashes.push(socket.message().await.remote_config.unwrap().config_hash);
    }
    let newest = hashes.pop().unwrap();
    for hash in &hashes {
        for status in [RemoteConfigStatuses::Applying, RemoteConfigStatuses::Failed] {
            let reply = socket.exchange(&agent.status(hash, status)).await;
            assert_eq!(reply.remote_config.map(|offer| offer.config_hash), Some(newest.clone()));
            let shown = world.agent(&agent).await["config"].clone();
            assert_eq!(shown["value"], "pending", "{shown}");
        }
    }
    for status in [RemoteConfigStatuses::Applying, RemoteConfigStatuses::Failed].into_iter().cycle().take(3) {
        socket.exchange(&agent.status(&hashes[0], status)).await;
    }
    let shown = world.agent(&agent).await["config"].clone();
    assert_eq!(shown["value"], "failed", "{shown}");
    assert!(shown["reason"].as_str().unwrap().contains("answers with others"), "{shown}");
    assert_ack(&socket.exchange(&agent.status(&newest, RemoteConfigStatuses::Applying)).await, &agent);
    assert_eq!(world.agent(&agent).await["config"]["value"], "applying");
}

//! Offers of config as agents see them (OpAMP S.I).

use serde_json::{Value, json};
use tidegate_opamp::{
    AgentCapabilities, AgentRemoteConfig, AgentToServer, ConfigHash, RemoteConfigStatus,
    RemoteConfigStatuses, config_hash,
};

use crate::report::{Reporter, assert_ack};
use crate::world::World;

/// S096: without the capability nothing is offered, by push or by answer.
#[tokio::test]
async fn given_an_agent_that_takes_no_config_when_one_is_pushed_then_only_the_other_agent_hears_of_it() {
    let world = World::new().await;
    let mut takes = Reporter::new(1);
    let mut refuses = Reporter::new(2).without(AgentCapabilities::ACCEPTS_REMOTE_CONFIG);
    let mut socket = world.connected(&mut takes).await;
    socket.exchange(&refuses.full()).await;
    let push = world.push("name:host-*", "a").await;
    assert_eq!((&push["summary"]["total"], &push["summary"]["refused"]), (&json!(2), &json!(1)));
    let offer = socket.message().await;
    assert_eq!(offer.instance_uid, takes.uid.to_wire());
    socket.quiet().await;
    assert_ack(&socket.exchange(&refuses.heartbeat()).await, &refuses);
    assert_eq!(world.agent(&refuses).await["config"]["value"], "unmanaged");
}

/// S097–S100, rulings A11 and A15: the hash alone decides whether a config is offered.
#[tokio::test]
async fn given_reported_hashes_when_they_differ_from_the_assigned_one_then_and_only_then_it_is_offered() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let blank = |agent: &mut Reporter| AgentToServer {
        remote_config_status: Some(RemoteConfigStatus::default()),
        ..agent.heartbeat()
    };
    assert_ack(&socket.exchange(&blank(&mut agent)).await, &agent);
    let other = socket.exchange(&agent.status(b"elsewhere", RemoteConfigStatuses::Applied)).await;
    assert_ack(&other, &agent);
    world.push("name:host-1", "a").await;
    let hash = socket.message().await.remote_config.expect("S098: the hash differs").config_hash;
    assert!(socket.exchange(&agent.heartbeat()).await.remote_config.is_some(), "not acknowledged yet");
    assert!(socket.exchange(&blank(&mut agent)).await.remote_config.is_some(), "S100");
    for status in [
        RemoteConfigStatuses::Applying,
        RemoteConfigStatuses::Applied,
        RemoteConfigStatuses::Failed,
        RemoteConfigStatuses::Unset,
        RemoteConfigStatuses(9),
    ] {
        let reply = socket.exchange(&agent.status(&hash, status)).await;
        assert_eq!(reply.remote_config, None, "S099: {status:?}");
        assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
    }
    let stale = socket.exchange(&agent.status(b"older", RemoteConfigStatuses::Applied)).await;
    assert_eq!(stale.remote_config.expect("S098: stale").config_hash, hash);
}

/// S093, S102–S104, S205: the hash stands for names, bodies, types and roles, in whatever order they come.
#[tokio::test]
async fn given_files_when_pushed_then_equal_content_has_one_hash_and_any_change_another() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let file = |name: &str, body: &str, role: &str, kind: &str| json!({"name": name, "body": body, "role": role, "content_type": kind});
    let (main, parsers) =
        (file("main.yaml", "a", "main", "text/yaml"), file("p.conf", "b", "parsers", "text/plain"));
    let first = json!([main, parsers]);
    let variants: [(&str, Value, bool); 7] = [
        ("the same again", first.clone(), true),
        ("in another order", json!([parsers, main]), true),
        ("another body", json!([file("main.yaml", "A", "main", "text/yaml"), parsers]), false),
        ("another name", json!([file("main.yml", "a", "main", "text/yaml"), parsers]), false),
        ("another role", json!([file("main.yaml", "a", "other", "text/yaml"), parsers]), false),
        ("another type", json!([file("main.yaml", "a", "main", "text/x-yaml"), parsers]), false),
        ("a file less", json!([main]), false),
    ];
    let mut offered = Vec::new();
    let push = |files: Value| json!({"q": "name:host-1", "files": files});
    let hash = world.post("/pushes", push(first)).await.expect(201)["config"].clone();
    offered.push(offer(&mut socket).await);
    for (case, files, same) in variants {
        let other = world.post("/pushes", push(files)).await.expect(201)["config"].clone();
        assert_eq!(other == hash, same, "{case}");
        offered.push(offer(&mut socket).await);
    }
    for config in &offered {
        let map = config.config.as_ref().unwrap();
        assert_eq!(config.config_hash.len(), 32, "S104");
        assert_eq!(ConfigHash::from_bytes(&config.config_hash), Some(config_hash(map)));
    }
    let main = &offered[0].config.as_ref().unwrap().config_map["main.yaml"];
    assert_eq!((&main.body[..], &*main.role, &*main.content_type), (&b"a"[..], "main", "text/yaml"));
    let shown = world.agent(&agent).await;
    assert_eq!(shown["desired_config"][0]["role"], "main", "S205");
}

async fn offer(socket: &mut crate::socket::Socket) -> AgentRemoteConfig {
    socket.message().await.remote_config.unwrap()
}

/// S109: what is out of date does not queue up.
#[tokio::test]
async fn given_an_agent_that_is_away_when_configs_change_many_times_then_it_is_offered_the_last_once() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    drop(world.connected(&mut agent).await);
    world.eventually(&format!("/agents/{}", agent.uid), |a| a["connection"]["value"] == "disconnected").await;
    for number in 0..100 {
        world.push("name:host-1", &format!("config {number}")).await;
    }
    let mut socket = world.socket().await;
    let offer = socket.exchange(&agent.heartbeat()).await.remote_config.unwrap();
    assert_eq!(&offer.config.unwrap().config_map["fluent-bit.yaml"].body[..], b"config 99");
    let reply = socket.exchange(&agent.status(&offer.config_hash, RemoteConfigStatuses::Applied)).await;
    assert_ack(&reply, &agent);
    socket.quiet().await;
}

/// S110: an agent that runs what it should is told nothing but that it was heard, whatever it reports of what it runs.
#[tokio::test]
async fn given_an_applied_config_when_reports_and_heartbeats_follow_then_each_is_only_acknowledged() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    world.push("name:host-1", "a").await;
    let hash = offer(&mut socket).await.config_hash;
    for status in [RemoteConfigStatuses::Applying, RemoteConfigStatuses::Applied] {
        assert_ack(&socket.exchange(&agent.status(&hash, status)).await, &agent);
    }
    for body in [&b"a"[..], b"edited by hand", b"a"] {
        let running = Some(crate::report::effective([("fluent-bit.yaml", body)]));
        let report = AgentToServer { effective_config: running, ..agent.heartbeat() };
        assert_ack(&socket.exchange(&report).await, &agent);
        for _ in 0..10 {
            assert_ack(&socket.exchange(&agent.heartbeat()).await, &agent);
        }
        socket.quiet().await;
    }
}

/// S097, S101: how far the agent has come is what a push shows, step by step.
#[tokio::test]
async fn given_a_push_when_the_agent_reports_its_progress_then_the_push_shows_each_step() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let push = world.push("name:host-1", "a").await;
    let path = format!("/pushes/{}", push["id"].as_str().unwrap());
    let hash = offer(&mut socket).await.config_hash;
    let state = async || world.get(&path).await.expect(200)["agents"][0]["state"].clone();
    assert_eq!(state().await, "pending");
    socket.exchange(&agent.status(&hash, RemoteConfigStatuses::Applying)).await;
    assert_eq!(state().await, "applying");
    let failed = RemoteConfigStatus {
        last_remote_config_hash: hash.clone(),
        status: RemoteConfigStatuses::Failed,
        error_message: "no such plugin".to_owned(),
        ..RemoteConfigStatus::default()
    };
    socket.exchange(&AgentToServer { remote_config_status: Some(failed), ..agent.heartbeat() }).await;
    assert_eq!(state().await, "failed");
    assert_eq!(world.get(&path).await.expect(200)["agents"][0]["reason"], "no such plugin");
    let running = crate::report::effective([("fluent-bit.yaml", &b"a"[..]), ("tidegate/rendered", b"r")]);
    let applied = agent.status(&hash, RemoteConfigStatuses::Applied);
    socket.exchange(&AgentToServer { effective_config: Some(running), ..applied }).await;
    assert_eq!(state().await, "proven");
    world.push("name:host-1", "b").await;
    assert_eq!(state().await, "superseded");
    assert_ne!(offer(&mut socket).await.config_hash, hash);
}

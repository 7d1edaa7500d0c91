//! Digests of metrics: what agents count, as it comes in and as it is told.

use serde_json::{Value, json};
use tidegate_custom::metrics::{Counters, Digest, Life};
use tidegate_opamp::{AgentToServer, CustomCapabilities, CustomMessage};

use crate::report::{Reporter, assert_ack};
use crate::world::World;

fn digest(records: u64) -> Digest {
    let counters = Counters { records, bytes: records * 100, ..Counters::default() };
    let lost = Counters { retries: 3, dropped: 2, ..counters };
    let components = [("input:app", Counters { backlog: 4, ..counters }), ("output:sink", lost)];
    let components = components.map(|(name, counters)| (name.to_owned(), counters));
    Digest { uptime: 500, every: 60, left_out: 1, ..Digest::new(Life { pid: 42, reloads: 1 }, components) }
}

fn with(message: AgentToServer, digest: &Digest) -> AgentToServer {
    AgentToServer { custom_message: Some(digest.to_message().unwrap()), ..message }
}

fn path(agent: &Reporter, query: &str) -> String {
    format!("/agents/{}/metrics{query}", agent.uid)
}

/// The number of a metric of the server.
async fn counted(world: &World, name: &str) -> u64 {
    let text = world.metrics().await;
    let line = text.lines().find(|line| line.starts_with(&format!("tidegate_{name} "))).unwrap();
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

/// C159: the server lists the capability, without which no supervisor sends a digest.
#[tokio::test]
async fn given_an_agent_when_it_comes_then_the_server_lists_the_capability_of_metrics() {
    let world = World::new().await;
    let reply = world.poll(&Reporter::new(1).full()).await;
    let listed = reply.custom_capabilities.unwrap().capabilities;
    assert!(listed.contains(&"io.tidegate.metrics".to_owned()), "{listed:?}");
}

#[tokio::test]
async fn given_digests_when_they_come_by_either_transport_then_they_are_told_and_leave_no_other_trace() {
    let world = World::new().await;
    let (mut by_socket, mut by_http) = (Reporter::new(1), Reporter::new(2));
    let mut socket = world.connected(&mut by_socket).await;
    world.poll(&by_http.full()).await;
    world.settled().await;
    let events = world.get("/events").await.expect(200);
    let before = world.write_behind().await["last"]["at"].clone();

    assert_ack(&socket.exchange(&with(by_socket.heartbeat(), &digest(50))).await, &by_socket);
    let reply = world.poll(&with(by_http.heartbeat(), &digest(60))).await;
    assert_eq!((reply.error_response, reply.flags), (None, 0));

    for (agent, records) in [(&by_socket, 50), (&by_http, 60)] {
        let told = world.get(&path(agent, "")).await.expect(200);
        assert_eq!(told["agent"], agent.uid.to_string());
        assert_eq!((&told["pid"], &told["reloads"], &told["left_out"]), (&json!(42), &json!(1), &json!(1)));
        assert_eq!((&told["uptime_seconds"], &told["every_seconds"]), (&json!(500), &json!(60)));
        let sink = &told["components"]["output:sink"];
        let total =
            json!({"records": records, "bytes": records * 100, "errors": 0, "retries": 3, "dropped": 2});
        assert_eq!(sink, &json!({"total": total, "backlog": 0}));
        assert_eq!(told["components"]["input:app"]["backlog"], 4);
        assert!(told["reason"].as_str().unwrap().contains("second digest"), "{told}");
        assert_eq!(told.get("history"), None);
    }
    let one = world.get(&path(&by_http, "?component=input:app")).await.expect(200);
    assert_eq!(one["components"].as_object().unwrap().keys().collect::<Vec<_>>(), ["input:app"]);
    assert_eq!(counted(&world, "metrics_digests_total").await, 2);
    assert_eq!(world.get("/events").await.expect(200), events);
    world
        .eventually("/server", |server| crate::world::task(server, "write-behind")["last"]["at"] != before)
        .await;
    assert_eq!(world.write_behind().await["last"]["result"], "0 rows written");
}

#[tokio::test]
async fn given_digests_that_are_wrong_or_in_a_hurry_when_they_come_then_they_are_counted_and_nothing_else() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let message =
        |data: &[u8]| CustomMessage { data: data.to_vec().into(), ..digest(1).to_message().unwrap() };
    let large = format!(r#"{{"pid": 1, "components": {{"{}": []}}}}"#, "x".repeat(70_000));
    let wrong: [&[u8]; 5] =
        [b"", b"\xFF\xFE", b"[]", br#"{"pid": 1, "components": {"a": [-1]}}"#, large.as_bytes()];
    for data in wrong {
        let report = AgentToServer { custom_message: Some(message(data)), ..agent.heartbeat() };
        assert_ack(&socket.exchange(&report).await, &agent);
    }
    assert_eq!(counted(&world, "metrics_digests_refused_total").await, 5);
    assert_eq!(world.get(&path(&agent, "")).await.expect(200)["components"], json!({}));
    for records in [10, 20, 30] {
        assert_ack(&socket.exchange(&with(agent.heartbeat(), &digest(records))).await, &agent);
    }
    assert_eq!(counted(&world, "metrics_digests_refused_total").await, 7);
    let told = world.get(&path(&agent, "")).await.expect(200);
    assert_eq!(told["components"]["input:app"]["total"]["records"], 10, "the first one counts");
    let events = world.get("/events?q=name:host-1").await.expect(200);
    assert!(!events.to_string().contains("io.tidegate.metrics"), "{events}");
}

/// Sends digests until a second one is taken, which has 600 records more; gives what is told then.
async fn two_digests(world: &World, agent: &mut Reporter) -> Value {
    world.poll(&agent.full()).await;
    world.poll(&with(agent.heartbeat(), &digest(1000))).await;
    let begun = std::time::Instant::now();
    loop {
        world.poll(&with(agent.heartbeat(), &digest(1600))).await;
        let told = world.get(&path(agent, "?step=60s")).await.expect(200);
        if told["seconds"].is_u64() {
            return told;
        }
        assert!(begun.elapsed() < crate::world::PATIENCE, "{told}");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

/// Rates of now, and a point of the past that outlives the server.
#[tokio::test]
async fn given_two_digests_when_asked_then_rates_are_told_and_the_past_is_there_after_a_restart() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let told = two_digests(&world, &mut agent).await;
    let seconds = told["seconds"].as_f64().unwrap();
    assert_eq!(told["reason"], "");
    let rates = &told["components"]["input:app"]["per_second"];
    assert_eq!(rates["records"].as_f64().unwrap(), 600.0 / seconds);
    assert_eq!(rates["bytes"].as_f64().unwrap(), 60_000.0 / seconds);
    assert_eq!(told["components"]["output:sink"]["per_second"]["dropped"], 0.0);
    let known = |told: &Value| -> Vec<Value> {
        let steps = told["history"]["components"]["input:app"]["records"].as_array().cloned();
        steps.unwrap_or_default().into_iter().filter(|step| !step.is_null()).collect()
    };
    assert_eq!(known(&told), [json!(600.0 / seconds)]);
    let steps = told["history"]["steps"].as_u64().unwrap();
    assert!((60..=61).contains(&steps), "{steps}");
    let all = told["history"]["components"]["input:app"]["backlog"].as_array().unwrap().len();
    assert_eq!(all as u64, steps, "a number or null for each step");

    let world = world.restart().await;
    let after = world.get(&path(&agent, "?step=60s")).await.expect(200);
    assert_eq!(known(&after), [json!(600.0 / seconds)]);
    assert!(after["reason"].as_str().unwrap().starts_with("this agent does not send metrics"), "{after}");
    let other = world.get(&path(&agent, "?step=60s&component=output:sink")).await.expect(200);
    assert_eq!(other["history"]["components"].as_object().unwrap().len(), 1);
    let task = crate::world::task(&world.get("/server").await.expect(200), "metrics-history");
    assert_eq!(task["period_ms"], 5000);
}

#[tokio::test]
async fn given_an_agent_that_sends_none_when_asked_then_the_reason_is_told() {
    let world = World::new().await;
    let (mut silent, mut able) = (Reporter::new(1), Reporter::new(2));
    world.poll(&silent.full()).await;
    let capabilities = vec!["io.tidegate.metrics".to_owned()];
    let custom_capabilities = Some(CustomCapabilities { capabilities, ..CustomCapabilities::default() });
    world.poll(&AgentToServer { custom_capabilities, ..able.full() }).await;
    for (agent, part) in [(&silent, "does not send metrics"), (&able, "no digest has come")] {
        let told = world.get(&path(agent, "")).await.expect(200);
        assert!(told["reason"].as_str().unwrap().contains(part), "{told}");
    }
    world.get(&path(&Reporter::new(9), "")).await.problem(404, "not-found");
    let order = json!({"kind": "custom", "capability": "io.tidegate.metrics", "type": "digest", "data": {}});
    let refused = world.post(&format!("/agents/{}/commands", able.uid), order).await.problem(422, "invalid");
    assert!(refused["detail"].as_str().unwrap().contains("it has none"), "{refused}");
}

#[tokio::test]
async fn given_spans_that_cannot_be_told_when_asked_then_the_parameter_is_named() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    world.poll(&agent.full()).await;
    for (query, status, code) in [
        ("?from=yesterday", 400, "parameters"),
        ("?since=1", 400, "parameters"),
        ("?step=soon", 422, "invalid"),
        ("?step=30s", 422, "invalid"),
        ("?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", 422, "invalid"),
        ("?from=2020-01-01T00:00:00Z&step=60s", 422, "invalid"),
    ] {
        world.get(&path(&agent, query)).await.problem(status, code);
    }
    let told =
        world.get(&path(&agent, "?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z")).await.expect(200);
    assert_eq!((&told["history"]["steps"], &told["history"]["step_seconds"]), (&json!(120), &json!(720)));
    assert_eq!(told["history"]["components"], json!({}));
}

#[tokio::test]
async fn given_a_history_that_is_damaged_or_none_when_the_server_starts_then_it_runs_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("metrics.db"),
        "no database at all, and longer than a header of one is: \
        these are more than a hundred bytes of it",
    )
    .unwrap();
    let world = World::at(folder, |_| {}).await;
    let mut agent = Reporter::new(1);
    assert_eq!(two_digests(&world, &mut agent).await["history"]["components"].as_object().unwrap().len(), 2);
    let World { folder, server, .. } = world;
    server.stop().await;
    let world = World::at(folder, |settings| settings.metrics.history_bytes = 0).await;
    let told = world.get(&path(&agent, "?step=60s")).await.expect(200);
    assert!(told["reason"].as_str().unwrap().contains("keeps no history"), "{told}");
    assert_eq!(told["history"]["components"], json!({}));
}

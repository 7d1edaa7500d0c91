//! How often one credential may call.

use std::time::Instant;

use serde_json::json;

use crate::http::{self, Request};
use crate::watch::Watch;
use crate::world::{PATIENCE, World};

#[tokio::test]
async fn given_a_burst_of_reads_when_it_is_used_up_then_429_says_when_to_return_and_writes_are_served() {
    let world = World::with(|settings| {
        // One comes back after many seconds: no machine is too slow for the test.
        (settings.limits.reads_per_second, settings.limits.read_burst) = (1, 3);
        (settings.limits.writes_per_second, settings.limits.write_burst) = (1, 50);
    })
    .await;
    let begun = Instant::now();
    // Who shows no token spends nobody's calls.
    for _ in 0..10 {
        let stranger = Request::new("GET", "/api/v1/agents").header("Authorization", "Bearer wrong");
        let answer = http::call(world.server.operators, &stranger).await;
        answer.problem(401, "unauthenticated");
        assert_eq!(answer.header("ratelimit"), None);
    }
    let first = world.get("/agents").await;
    first.expect(200);
    assert_eq!(first.header("ratelimit-policy"), Some("\"reads\";q=3;w=3"));
    assert_eq!(first.header("ratelimit"), Some("\"reads\";r=2;t=1"));
    let mut taken = 1;
    let refused = loop {
        // A search is a read, though it is a POST.
        let answer = world.post("/agents/search", json!({})).await;
        if answer.status != 200 {
            break answer;
        }
        taken += 1;
        assert!(begun.elapsed() < PATIENCE, "it was never refused");
    };
    assert!(taken >= 3, "{taken}");
    let problem = refused.problem(429, "rate-limited");
    assert_eq!((refused.header("retry-after"), &problem["retry_after"]), (Some("1"), &json!(1)));
    assert!(refused.header("ratelimit").unwrap().starts_with("\"reads\";r=0;t="));
    // The other bucket is whole, and what is wrong with a call counts as a call.
    let write = world.post("/bulk-operations", json!({})).await;
    write.problem(400, "json");
    assert_eq!(write.header("ratelimit-policy"), Some("\"writes\";q=50;w=50"));
    assert_eq!(write.header("ratelimit"), Some("\"writes\";r=49;t=1"));
    // After the time that was told there is a call again.
    let again = loop {
        let answer = world.get("/fleet/summary").await;
        if answer.status == 200 {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it never came back");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    assert!(again.header("ratelimit").unwrap().starts_with("\"reads\";r="));
}

#[tokio::test]
async fn given_as_many_streams_as_may_be_open_when_another_is_opened_then_it_waits_for_one_to_close() {
    let world = World::with(|settings| settings.limits.max_watches = 1).await;
    let mut watch = Watch::open(&world, "", None).await;
    watch.expect("bookmark").await;
    let refused = world.get("/watch").await;
    let problem = refused.problem(429, "too-many-streams");
    assert_eq!((refused.header("retry-after"), &problem["retry_after"]), (Some("5"), &json!(5)));
    assert!(refused.header("ratelimit-policy").unwrap().starts_with("\"watches\";q="));
    drop(watch);
    let begun = Instant::now();
    // A query that cannot be read shows whether there is a place without taking it.
    while world.get("/watch?q=foo:bar").await.status == 429 {
        assert!(begun.elapsed() < PATIENCE, "its place was never given back");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    Watch::open(&world, "", None).await.expect("bookmark").await;
}

#[tokio::test]
async fn given_streams_that_are_opened_too_fast_when_the_burst_is_used_up_then_429_and_reads_are_served() {
    let world = World::with(|settings| {
        (settings.limits.watches_per_second, settings.limits.watch_burst) = (1, 2);
    })
    .await;
    let begun = Instant::now();
    while world.get("/watch?q=foo:bar").await.status != 429 {
        assert!(begun.elapsed() < PATIENCE, "it was never refused");
    }
    world.get("/agents").await.expect(200);
    assert!(world.metrics().await.contains("tidegate_throttled_calls_total 1"));
}

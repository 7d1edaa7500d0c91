//! Health as agents report it (OpAMP S.G).

use std::collections::BTreeMap;

use serde_json::json;
use tidegate_opamp::{AgentCapabilities, AgentToServer, ComponentHealth};

use crate::report::{Reporter, assert_ack};
use crate::world::World;

/// S089: who never said how it fares is not healthy but unknown, and stays what it said last when it says nothing.
#[tokio::test]
async fn given_no_health_when_an_agent_reports_then_it_is_unknown_and_never_healthy() {
    let world = World::new().await;
    let mut mute = Reporter::new(1).without(AgentCapabilities::REPORTS_HEALTH);
    let mut agent = Reporter::new(2);
    let mut socket = world.connected(&mut mute).await;
    socket.exchange(&agent.full()).await;
    for (reporter, reason) in [(&mute, "does not report health"), (&agent, "has not reported")] {
        let health = world.agent(reporter).await["health"].clone();
        assert_eq!(health["value"], "unknown");
        assert!(health["reason"].as_str().unwrap().contains(reason), "{health}");
    }
    socket.exchange(&agent.health(false, 0, "broken")).await;
    socket.exchange(&agent.full()).await;
    assert_eq!(world.agent(&agent).await["health"]["value"], "unhealthy", "no health is no news");
}

/// S088, S090: times are nanoseconds, 0 is "not running", and clocks may be centuries off.
#[tokio::test]
async fn given_times_of_all_sizes_when_reported_then_they_are_shown_and_nothing_fails() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    let year_2500 = 16_725_225_600_000_000_000;
    let cases = [
        (0, None),
        (1_700_000_000_000_000_000, Some("2023-11-14T22:13:20Z")),
        (year_2500, Some("2500-01-01T00:00:00Z")),
        (u64::MAX, Some("2554-07-21T23:34:33.709551615Z")),
    ];
    for (nanoseconds, shown) in cases {
        let below = ComponentHealth { status_time_unix_nano: nanoseconds, ..ComponentHealth::default() };
        let health = ComponentHealth {
            healthy: true,
            start_time_unix_nano: nanoseconds,
            component_health_map: BTreeMap::from([("below".to_owned(), below)]),
            ..ComponentHealth::default()
        };
        let report = AgentToServer { health: Some(health), ..agent.heartbeat() };
        assert_ack(&socket.exchange(&report).await, &agent);
        let agent = world.agent(&agent).await;
        let times = [&agent["started_at"], &agent["components"]["below"]["observed_at"]];
        assert_eq!(times.map(|time| time.as_str()), [shown; 2], "{nanoseconds}");
    }
}

/// S091: an agent's words for its state are its own.
#[tokio::test]
async fn given_words_of_the_agents_own_when_reported_then_they_are_shown_as_they_came() {
    let world = World::new().await;
    let mut agent = Reporter::new(1);
    let mut socket = world.connected(&mut agent).await;
    for word in ["StatusPermanentError", "läuft ✓", "動作中", "a\u{202e}b\u{0}c"] {
        let below = ComponentHealth { healthy: true, status: word.to_owned(), ..ComponentHealth::default() };
        let health = ComponentHealth {
            status: word.to_owned(),
            component_health_map: BTreeMap::from([("below".to_owned(), below)]),
            ..ComponentHealth::default()
        };
        let report = AgentToServer { health: Some(health), ..agent.heartbeat() };
        assert_ack(&socket.exchange(&report).await, &agent);
        let shown = world.agent(&agent).await;
        assert_eq!(
            (&shown["components"]["below"]["status"], &shown["health"]["reason"]),
            (&json!(word), &json!(word))
        );
        assert_eq!(shown["health"]["value"], "unhealthy", "whatever it calls it");
    }
}

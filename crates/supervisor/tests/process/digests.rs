//! Digests of metrics of a real agent.

use std::time::Duration;

use crate::world::{World, offer, yaml};

/// One digest an interval, with counters that rise, and another life after a reload.
#[tokio::test]
async fn given_an_agent_that_works_when_watched_then_digests_count_and_tell_a_reload() {
    let config = yaml("gen", "").replace(
        "  outputs:",
        "  filters:\n    - name: grep\n      alias: all\n      match: \"*\"\n  outputs:",
    );
    let Some(mut world) = World::new(&config) else { return };
    world.settings.metrics_interval = Some(Duration::from_secs(1));
    let mut agent = world.start().await;
    let counted = |report: &tidegate_supervisor::agent::AgentReport, name: &str| {
        let digest = report.digest.as_ref()?;
        digest.components.get(name).map(|counters| counters.records)
    };
    let first = agent
        .until("a digest that counts", |report| {
            counted(report, "output:sink").is_some_and(|records| records > 0)
        })
        .await;
    let digest = first.digest.clone().unwrap();
    let names: Vec<_> = digest.components.keys().map(String::as_str).collect();
    assert_eq!(names, ["filter:all", "input:gen", "output:sink"]);
    assert_eq!(i64::from(digest.pid), crate::world::pid(&first));
    assert_eq!((digest.every, digest.left_out), (1, 0));
    assert!(digest.components["input:gen"].bytes > 0, "{digest:?}");
    let before = counted(&first, "input:gen");
    let later = agent.until("more records", |report| counted(report, "input:gen") > before).await;
    assert_eq!(later.digest.unwrap().life(), digest.life());

    let other = yaml("other", "");
    assert_eq!(agent.apply(offer("h", &[("fluent-bit.yaml", &other)])).await.error_message, "");
    let reloaded = agent.until("other components", |report| counted(report, "input:other").is_some()).await;
    let digest = reloaded.digest.clone().unwrap();
    assert_ne!(Some(digest.life()), first.digest.map(|digest| digest.life()), "{digest:?}");
    agent.stop().await;
}

//! Configs that are to be confirmed by hearing the server, which the test plays.

use std::time::Duration;

use tidegate_opamp::RemoteConfigStatuses;

use crate::again::succeed;
use crate::world::{World, names, offer, pid, yaml};

#[tokio::test]
async fn given_an_applied_config_when_the_server_is_heard_then_it_stays_and_when_not_it_is_taken_back() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.confirm = Some(Duration::from_secs(3));
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let applied = agent.apply(offer("first", &[("", &yaml("first", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied);
    tokio::time::sleep(Duration::from_secs(2)).await;
    agent.handle.heard.note();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let report = agent.until("the config", |report| names(&report.health).contains(&"input:first")).await;
    assert_eq!(report.remote_config_status.unwrap().status, RemoteConfigStatuses::Applied);

    let applied = agent.apply(offer("second", &[("", &yaml("second", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied);
    // What is heard at once says nothing: a line fills up, and then it is silent.
    agent.handle.heard.note();
    let report = agent
        .until("the way back", |report| {
            let status = report.remote_config_status.as_ref().unwrap();
            status.status == RemoteConfigStatuses::Failed && names(&report.health).contains(&"input:first")
        })
        .await;
    let status = report.remote_config_status.clone().unwrap();
    assert_eq!(status.last_remote_config_hash, "second".as_bytes());
    assert!(status.error_message.starts_with("confirm proof failed"), "{}", status.error_message);
    assert_eq!(pid(&before), pid(&report), "back by a reload");
    agent.handle.heard.note();
    tokio::time::sleep(Duration::from_secs(4)).await;
    let report = agent.until("the config", |report| names(&report.health).contains(&"input:first")).await;
    assert_eq!(report.remote_config_status.unwrap().status, RemoteConfigStatuses::Failed, "it stays so");
    let again = agent.apply(offer("second", &[("", &yaml("second", ""))])).await;
    assert_eq!(again.status, RemoteConfigStatuses::Applied, "it is not remembered against the config");
    agent.stop().await;
}

#[tokio::test]
async fn given_an_unconfirmed_config_when_the_supervisor_is_followed_by_another_then_that_one_takes_it_back()
{
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.confirm = Some(Duration::from_secs(3600));
    let mut first = world.start().await;
    first.healthy().await;
    let applied = first.apply(offer("remote", &[("", &yaml("remote", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied);
    world.settings.confirm = Some(Duration::from_secs(2));
    let mut second = succeed(&world, first).await;
    let report = second.until("the host's own config", |r| names(&r.health).contains(&"input:gen")).await;
    let status = report.remote_config_status.unwrap();
    assert_eq!(status.status, RemoteConfigStatuses::Failed, "{}", status.error_message);
    // Nobody is heard: it was not the config, which runs again in the end.
    let report = second
        .until("the config again", |report| {
            let status = report.remote_config_status.as_ref().unwrap();
            status.status == RemoteConfigStatuses::Applied && names(&report.health).contains(&"input:remote")
        })
        .await;
    assert!(report.health.component_health_map["config"].last_error.contains("nor after it was taken back"));
    second.stop().await;
}

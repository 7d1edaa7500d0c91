//! The agent's own telemetry, sent to a receiver of the test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tidegate_opamp::{
    ConnectionSettingsStatus, ConnectionSettingsStatuses as Status, Header, Headers, InstanceUid,
    RemoteConfigStatuses, TelemetryConnectionSettings,
};
use tidegate_supervisor::agent::{AgentCommand, AgentReport, OwnOffer};
use tidegate_supervisor::supervise::start_patiently;

use crate::otlp::Sink;
use crate::world::{Agent, PATIENCE, World, names, offer, pid, read, yaml};

/// Longer than two samples of metrics are apart.
const SAMPLES: Duration = Duration::from_secs(40);

fn to(endpoint: &str) -> TelemetryConnectionSettings {
    let header = Header { key: "X-Token".into(), value: "for the sink".into(), ..Header::default() };
    TelemetryConnectionSettings {
        destination_endpoint: endpoint.to_owned(),
        headers: Some(Headers { headers: vec![header], ..Headers::default() }),
        ..TelemetryConnectionSettings::default()
    }
}

fn own(hash: &'static str, metrics: Option<&str>, logs: Option<&str>) -> OwnOffer {
    OwnOffer { hash: hash.into(), metrics: metrics.map(to), logs: logs.map(to) }
}

fn status(report: &AgentReport) -> Option<&ConnectionSettingsStatus> {
    report.own_telemetry.as_ref()?.status.as_ref()
}

/// The files in a folder whose names begin so.
fn files_like(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    all.filter(|entry| entry.file_name().to_string_lossy().starts_with(begin))
        .map(|entry| entry.path())
        .collect()
}

/// Offers destinations and waits for what becomes of it.
async fn offered(agent: &mut Agent, offer: OwnOffer) -> (Status, String) {
    let hash = offer.hash.clone();
    agent.send(AgentCommand::OwnTelemetry(Box::new(offer))).await;
    settled(agent, hash).await
}

async fn settled(agent: &mut Agent, hash: bytes::Bytes) -> (Status, String) {
    let report = agent
        .until("an answer", |report| {
            status(report).is_some_and(|said| {
                said.last_connection_settings_hash == hash && said.status != Status::Applying
            })
        })
        .await;
    let said = status(&report).unwrap();
    (said.status, said.error_message.clone())
}

const APPLIED: (Status, String) = (Status::Applied, String::new());

/// A world whose agent can send all of its own, with an output that matches everything.
async fn sending() -> Option<(World, Agent)> {
    let mut world = World::new("")?;
    let folder = world.settings.config.parent().unwrap().display().to_string();
    let all = format!(
        "    - name: file\n      alias: all\n      match: \"*\"\n      path: {folder}\n      file: all.txt\n"
    );
    fs::write(&world.settings.config, yaml("gen", "") + &all).unwrap();
    world.settings.probation = Duration::ZERO;
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    if report.own_telemetry.as_ref().is_some_and(|own| own.metrics && own.logs) {
        return Some((world, agent));
    }
    println!("skipped: this fluent-bit has not all plugins that own telemetry needs");
    // What it cannot do it does not take.
    let (status, why) = offered(&mut agent, own("h", Some("http://127.0.0.1:9/"), None)).await;
    assert_eq!(status, Status::Failed);
    assert!(why.contains("opentelemetry_envelope"), "{why}");
    agent.stop().await;
    None
}

/// C067, C118, C120, C122: metrics and logs arrive with the header that was offered, the first every ten seconds, from
/// a resource with what identifies the agent. It is seen neither by an output that matches everything nor in health
/// nor in the effective config.
#[tokio::test]
async fn given_destinations_when_offered_then_own_telemetry_arrives_there_and_shows_nowhere_else() {
    let Some((world, mut agent)) = sending().await else { return };
    let before = agent.healthy().await;
    let mut sink = Sink::start().await;
    let (metrics, logs) = (sink.url("/v1/metrics"), sink.url("/v1/logs"));
    assert_eq!(offered(&mut agent, own("h", Some(&metrics), Some(&logs))).await, APPLIED);
    let first = sink.next("/v1/metrics", SAMPLES).await;
    let report = agent.healthy().await;
    let identity: Vec<String> = report
        .description
        .identifying_attributes
        .iter()
        .map(|pair| format!("{}={}", pair.key, pair.value.as_ref().unwrap()))
        .collect();
    assert_eq!(first.resource, identity);
    assert_eq!(first.headers["x-token"], "for the sink");
    assert!(first.items.contains(&"fluentbit_uptime".to_owned()), "{:?}", first.items);
    // The first is sent at the start, the second with the first tick.
    let second = sink.next("/v1/metrics", SAMPLES).await;
    let third = sink.next("/v1/metrics", SAMPLES).await;
    let apart = third.at.duration_since(second.at);
    assert!((8..=14).contains(&apart.as_secs()), "{apart:?}");

    // A reload is logged, and the log goes out.
    let status = agent.apply(offer("next", &[("a.yaml", &read(&world.settings.config))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied);
    let log = sink.next("/v1/logs", SAMPLES).await;
    assert_eq!((&log.resource, log.headers["x-token"].as_str()), (&identity, "for the sink"));

    let after = agent.healthy().await;
    assert_eq!(names(&after.health), names(&before.health));
    let shown = format!("{:?}", after.effective_config);
    assert!(!shown.contains("opamp_") && !shown.contains("own-telemetry"), "{shown}");
    let caught = read(&world.settings.config.with_file_name("all.txt"));
    assert!(caught.contains("dummy.0") && !caught.contains("opamp"), "{caught}");
    assert_eq!(pid(&after), pid(&before), "reloads alone");
    agent.stop().await;
}

/// C119, C123: what is left out goes on, what is empty ends, and with the last one nothing is left behind.
#[tokio::test]
async fn given_a_signal_that_is_withdrawn_when_the_other_is_left_out_then_only_that_one_goes_on() {
    let Some((world, mut agent)) = sending().await else { return };
    let mut sink = Sink::start().await;
    let (metrics, logs) = (sink.url("/v1/metrics"), sink.url("/v1/logs"));
    assert_eq!(offered(&mut agent, own("1", Some(&metrics), Some(&logs))).await, APPLIED);
    sink.next("/v1/metrics", SAMPLES).await;
    assert_eq!(offered(&mut agent, own("2", None, Some(""))).await, APPLIED);
    sink.rest();
    sink.next("/v1/metrics", SAMPLES).await;
    assert!(sink.rest().iter().all(|received| received.path != "/v1/logs"));
    let includes = || files_like(&world.settings.state_dir.join("run"), "own-telemetry-");
    let [include] = &includes()[..] else { panic!("one file is in force: {:?}", includes()) };
    assert!(read(include).contains("for the sink"));

    assert_eq!(offered(&mut agent, own("3", Some(""), None)).await, APPLIED);
    assert!(includes().is_empty(), "credentials are not left behind");
    let run = read(&world.settings.state_dir.join("run/fluent-bit.yaml"));
    assert!(!run.contains("own-telemetry"), "{run}");
    agent.stop().await;
}

/// C048, C067: own telemetry follows the agent's uid.
#[tokio::test]
async fn given_another_uid_when_the_server_gives_it_then_own_telemetry_is_sent_under_it() {
    let Some((_world, mut agent)) = sending().await else { return };
    let mut sink = Sink::start().await;
    let url = sink.url("/v1/metrics");
    assert_eq!(offered(&mut agent, own("h", Some(&url), None)).await, APPLIED);
    sink.next("/v1/metrics", SAMPLES).await;
    let uid = InstanceUid::v7(7, [7; 10]);
    agent.send(AgentCommand::Renamed(uid)).await;
    let named = format!("service.instance.id={uid}");
    while !sink.next("/v1/metrics", SAMPLES).await.resource.contains(&named) {}
    agent.stop().await;
}

/// C108, C120, C193: what was taken is kept across a restart of the supervisor, which does not disturb the agent.
#[tokio::test]
async fn given_a_supervisor_that_starts_again_when_it_adopts_the_agent_then_own_telemetry_goes_on() {
    let Some((world, mut agent)) = sending().await else { return };
    let mut sink = Sink::start().await;
    let url = sink.url("/v1/metrics");
    assert_eq!(offered(&mut agent, own("h", Some(&url), None)).await, APPLIED);
    let process = pid(&agent.healthy().await);
    agent.release().await;
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert_eq!(pid(&report), process, "the same process goes on");
    assert_eq!(status(&report).map(|said| said.status), Some(Status::Applied));
    sink.rest();
    sink.next("/v1/metrics", SAMPLES).await;
    agent.stop().await;
    let mut agent = world.start().await;
    agent.healthy().await;
    sink.rest();
    sink.next("/v1/metrics", SAMPLES).await;
    agent.stop().await;
}

/// C120: a config that cannot carry it wins, and that is told; the next one carries it again.
#[tokio::test]
async fn given_a_classic_config_when_it_is_applied_then_own_telemetry_is_told_as_failed_until_yaml_is_back() {
    let Some((_world, mut agent)) = sending().await else { return };
    let sink = Sink::start().await;
    let url = sink.url("/v1/metrics");
    assert_eq!(offered(&mut agent, own("h", Some(&url), None)).await, APPLIED);
    let classic = "[SERVICE]\n    Flush 1\n    Grace 1\n[INPUT]\n    Name dummy\n[OUTPUT]\n    Name null\n    Match *\n";
    let applied = agent.apply(offer("classic", &[("a.conf", classic)])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied, "{}", applied.error_message);
    let report = agent.until("a failure", |report| status(report).unwrap().status == Status::Failed).await;
    assert!(status(&report).unwrap().error_message.contains("classic"), "{report:?}");
    let applied = agent.apply(offer("yaml", &[("a.yaml", &yaml("gen", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied, "{}", applied.error_message);
    agent.until("success", |report| status(report).unwrap().status == Status::Applied).await;
    agent.stop().await;
}

/// C120, C121: what is refused leaves what was in force, and says why.
#[tokio::test]
async fn given_a_destination_that_is_refused_when_offered_then_the_former_one_stays() {
    let Some((_world, mut agent)) = sending().await else { return };
    let mut sink = Sink::start().await;
    let url = sink.url("/v1/metrics");
    assert_eq!(offered(&mut agent, own("good", Some(&url), None)).await, APPLIED);
    let process = pid(&agent.healthy().await);
    for (hash, endpoint, expect) in [
        ("clear", "http://otlp.example:4318/v1/metrics", "own-telemetry-http"),
        ("variable", "http://127.0.0.1:9/${HOME}", "variable"),
    ] {
        let (status, why) = offered(&mut agent, own(hash, Some(endpoint), None)).await;
        assert_eq!(status, Status::Failed);
        assert!(why.contains(expect), "{why}");
    }
    sink.rest();
    sink.next("/v1/metrics", PATIENCE).await;
    assert_eq!(pid(&agent.healthy().await), process);
    agent.stop().await;
}

/// C048, C120: what came while the agent could not be supervised yet counts once it is.
#[tokio::test]
async fn given_a_uid_and_an_offer_before_supervision_can_begin_when_it_does_then_both_count() {
    let Some((world, agent)) = sending().await else { return };
    agent.stop().await;
    let mut sink = Sink::start().await;
    let url = sink.url("/v1/metrics");
    let (config, aside) = (&world.settings.config, world.settings.config.with_extension("aside"));
    fs::rename(config, &aside).unwrap();
    let mut agent = Agent { handle: start_patiently(world.settings.clone()) };
    agent.until("a failure", |report| !report.health.last_error.is_empty()).await;
    let uid = InstanceUid::v7(8, [8; 10]);
    agent.send(AgentCommand::OwnTelemetry(Box::new(own("h", Some(&url), None)))).await;
    agent.send(AgentCommand::Renamed(uid)).await;
    fs::rename(&aside, config).unwrap();
    assert_eq!(settled(&mut agent, "h".into()).await, APPLIED);
    let named = format!("service.instance.id={uid}");
    while !sink.next("/v1/metrics", SAMPLES).await.resource.contains(&named) {}
    agent.stop().await;
}

/// C008, C098: a host that does not allow it sends nothing anywhere, whatever comes.
#[tokio::test]
async fn given_a_host_that_does_not_allow_it_when_offered_then_nothing_is_sent_and_nothing_announced() {
    let Some((mut world, agent)) = sending().await else { return };
    agent.stop().await;
    world.settings.own_telemetry = None;
    let mut agent = world.start().await;
    agent.send(AgentCommand::OwnTelemetry(Box::new(own("h", Some("http://127.0.0.1:9/"), None)))).await;
    let applied = agent.apply(offer("next", &[("a.yaml", &yaml("next", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied, "{}", applied.error_message);
    assert_eq!(agent.healthy().await.own_telemetry, None);
    let run = read(&world.settings.state_dir.join("run/fluent-bit.yaml"));
    assert!(run.contains("next") && !run.contains("own-telemetry"), "{run}");
    agent.stop().await;
}

/// A destination that does not answer holds neither the agent up nor the next config.
#[tokio::test]
async fn given_a_destination_that_is_down_when_a_config_is_applied_then_it_is_loaded_in_time_and_all_is_well()
{
    let Some((world, mut agent)) = sending().await else { return };
    let nobody = "http://127.0.0.1:9/v1/x";
    assert_eq!(offered(&mut agent, own("h", Some(nobody), Some(nobody))).await, APPLIED);
    let log = world.settings.state_dir.join("agent.log");
    while !read(&log).contains("[output:opentelemetry:opamp_metrics]") {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let begun = std::time::Instant::now();
    let applied = agent.apply(offer("next", &[("a.yaml", &yaml("next", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied, "{}", applied.error_message);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let report = agent.healthy().await;
    assert_eq!(report.health.last_error, "");
    agent.stop().await;
}

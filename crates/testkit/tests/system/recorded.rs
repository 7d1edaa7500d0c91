//! What a supervisor says on the wire while its agent lives through good and bad days.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tidegate_opamp::{AgentToServer, RemoteConfigStatuses};
use tidegate_testkit::fleet::{
    Agent, SOON, Scene, Stage, Supervisor, Wish, alive, bad_regex, eventually, on_each, unknown_property,
    yaml,
};
use tokio::net::TcpListener;

use crate::peer::{Listener, Said};
use crate::recorder::{Recorder, recorded};
use crate::steps::says;

const APPLIED: RemoteConfigStatuses = RemoteConfigStatuses::Applied;
const APPLYING: RemoteConfigStatuses = RemoteConfigStatuses::Applying;
const FAILED: RemoteConfigStatuses = RemoteConfigStatuses::Failed;

fn now_unix_nano() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}

/// C051, C056, C062, C066, C077, C080, C082: the first message is a report of everything, and each has the next number;
/// the times in it are those of what it tells.
#[tokio::test]
async fn given_an_agent_when_its_supervisor_speaks_first_then_all_is_told_but_what_never_was() {
    on_each("first words", async |stage: Stage| {
        let begun = now_unix_nano();
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        let first = recorder.said[0].clone();
        let described = first.agent_description.unwrap();
        let keys = |pairs: &[tidegate_opamp::KeyValue]| {
            pairs.iter().map(|pair| pair.key.clone()).collect::<Vec<_>>().join(" ")
        };
        let identity = keys(&described.identifying_attributes);
        assert_eq!(identity, "service.name service.version service.instance.id");
        says(&keys(&described.non_identifying_attributes), &["host.arch", "host.name", "os.type"]);
        assert!(first.health.is_some() && first.effective_config.is_some());
        assert!(first.remote_config_status.is_none() && first.package_statuses.is_none());
        let running = recorder.runs("input:own").await;
        assert!((begun..now_unix_nano()).contains(&running.started_unix_nano), "{running:?}");
        let health = recorder.state.health.clone().unwrap();
        for health in health.component_health_map.values().chain([&health]) {
            assert!((begun..now_unix_nano()).contains(&health.status_time_unix_nano), "{health:?}");
        }
        let shown = recorder.effective();
        assert_eq!(shown[0], ("own.yaml".to_owned(), yaml("own", "")));
        recorder.heartbeats(2).await;
        for (index, message) in recorder.said.iter().enumerate() {
            assert_eq!(message.sequence_num, index as u64 + 1);
        }
    })
    .await;
}

/// C055, C082, C083, C087–C089: each offer is answered under its own hash, whatever bytes that has, and what runs is
/// shown; an offer of what runs already touches nothing.
#[tokio::test]
async fn given_good_offers_when_made_then_each_ends_applied_under_its_hash_and_no_report_goes_in_vain() {
    on_each("good offers", async |stage: Stage| {
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        recorder.runs("input:own").await;
        let (first, third) = ([0], [[0xFF; 32], [0; 32]].concat());
        let content = yaml("one", "");
        recorder.offer(&first, &[("a.yaml", &content)]).await;
        let offered = Instant::now();
        let hash = recorder.until("a status", |state| state.remote_config_status.clone()).await;
        assert!(offered.elapsed() < Duration::from_secs(3), "{:?}", offered.elapsed());
        assert_eq!((hash.status, &hash.last_remote_config_hash[..]), (APPLYING, &first[..]));
        assert_eq!(recorder.settled(&first).await.status, APPLIED);
        let before = recorder.runs("input:one").await;
        let shown = recorder.effective();
        assert_eq!(shown[0], ("a.yaml".to_owned(), content.clone()));
        assert_eq!(recorder.statuses(0, &first), [APPLYING, APPLIED]);

        let again = recorder.said.len();
        recorder.offer(&first, &[("a.yaml", &content)]).await;
        recorder.heartbeats(3).await;
        let reports = recorder.said[again..].iter();
        let statuses = reports.clone().filter(|message| message.remote_config_status.is_some()).count();
        let configs = reports.filter(|message| message.effective_config.is_some()).count();
        assert!(statuses <= 1 && configs == 0, "{statuses} statuses, {configs} configs");

        recorder.offer(&third, &[("a.yaml", &content)]).await;
        assert_eq!(recorder.settled(&third).await.status, APPLIED);
        recorder.heartbeats(1).await;
        assert_eq!(recorder.runs("input:one").await, before, "the agent was not touched");
        assert!(recorder.said[again..].iter().all(|message| message.effective_config.is_none()));
    })
    .await;
}

/// C081, C088, C090, C092–C094: what fails says so under its hash with the reason, the former config runs and is shown;
/// what was seen to be bad beforehand leaves the agent untouched, and an empty map does (A20).
#[tokio::test]
async fn given_bad_offers_when_made_then_each_ends_failed_with_its_reason_and_the_former_config_is_shown() {
    on_each("bad offers", async |stage: Stage| {
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        recorder.runs("input:own").await;
        recorder.offer(b"good", &[("a.yaml", &yaml("good", ""))]).await;
        assert_eq!(recorder.settled(b"good").await.status, APPLIED);
        let before = recorder.runs("input:good").await;
        let broken = "pipeline:\n  inputs: [\n";
        let unknown = unknown_property("bad");
        for (files, reason) in [
            (vec![], "the offered config is empty"),
            (vec![("a.yaml", broken)], "the config is broken"),
            (vec![("a.yaml", unknown.as_str())], "dry-run proof failed"),
        ] {
            let hash = reason.as_bytes();
            recorder.offer(hash, &files).await;
            let status = recorder.settled(hash).await;
            assert_eq!(status.status, FAILED, "{reason}");
            says(&status.error_message, &[reason]);
            assert_eq!(recorder.runs("input:good").await, before, "the agent was not touched: {reason}");
        }
        let from = recorder.said.len();
        recorder.offer(b"deadly", &[("a.yaml", &bad_regex("bad"))]).await;
        let status = recorder.settled(b"deadly").await;
        assert_eq!(status.status, FAILED);
        says(&status.error_message, &["reload proof failed", "could not compile regex", "exited with code"]);
        recorder
            .until("another process", |state| {
                let health = state.health.as_ref().filter(|health| health.healthy)?;
                (health.start_time_unix_nano > before.started_unix_nano).then_some(())
            })
            .await;
        let is_green_and_bad = |message: &AgentToServer| {
            let health = message.health.as_ref().filter(|health| health.healthy);
            health.is_some_and(|health| health.component_health_map.contains_key("input:bad"))
        };
        assert!(!recorder.said[from..].iter().any(is_green_and_bad));
        recorder.heartbeats(2).await;
        assert_eq!(recorder.statuses(from, b"deadly"), [APPLYING, FAILED], "and no other afterwards");
        assert!(recorder.statuses(from, b"good").is_empty());
        let rendered = recorder.effective().pop().unwrap();
        assert_eq!(rendered.0, "tidegate/rendered");
        says(&rendered.1, &["alias: good"]);
    })
    .await;
}

/// C063, C096: of offers in a row the newest runs, and its status is the last one.
#[tokio::test]
async fn given_offers_in_a_row_when_made_then_the_newest_runs_and_its_status_is_the_last() {
    on_each("offers in a row", async |stage: Stage| {
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        recorder.runs("input:own").await;
        for name in ["r1", "r2", "r3"] {
            recorder.offer(name.as_bytes(), &[("a.yaml", &yaml(name, ""))]).await;
        }
        assert_eq!(recorder.settled(b"r3").await.status, APPLIED);
        recorder.runs("input:r3").await;
        recorder.heartbeats(2).await;
        let statuses = recorder.said.iter().filter_map(|message| message.remote_config_status.as_ref());
        let last = statuses.last().unwrap();
        assert_eq!((&last.last_remote_config_hash[..], last.status), (&b"r3"[..], APPLIED));
    })
    .await;
}

/// C078, C079, C190: while nothing runs there is no start time, and the reason is told; then there is a new one.
#[tokio::test]
async fn given_an_agent_that_is_killed_then_its_death_is_told_with_the_reason_and_without_a_start_time() {
    on_each("death told", async |stage: Stage| {
        let (mut recorder, supervisor) = recorded(&stage, |wish| wish).await;
        let before = recorder.runs("input:own").await;
        let killed = now_unix_nano();
        supervisor.kill_agent();
        let down =
            recorder.until("death", |state| state.health.clone().filter(|health| !health.healthy)).await;
        assert_eq!((down.start_time_unix_nano, down.status.as_str()), (0, "crashed"));
        says(&down.last_error, &["SIGKILL"]);
        assert!(down.status_time_unix_nano >= killed);
        let after = recorder.runs("input:own").await;
        assert!(after.started_unix_nano > killed && after.pid != before.pid, "{before:?} {after:?}");
    })
    .await;
}

/// C056, C156, C157: ten restarts in a second are one, and another at most; the supervisor's uid and number go on.
#[tokio::test]
async fn given_ten_restarts_in_a_second_when_commanded_then_the_agent_restarts_once_or_twice() {
    on_each("restarts", async |stage: Stage| {
        let (mut recorder, _supervisor) = recorded(&stage, |wish| wish).await;
        let before = recorder.runs("input:own").await;
        for _ in 0..10 {
            recorder.restart().await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Another restart would come five seconds after the first.
        recorder.heartbeats(8).await;
        let after = recorder.runs("input:own").await;
        assert!(after.pid != before.pid && after.started_unix_nano > before.started_unix_nano);
        let starts = recorder.said.iter().filter_map(|message| message.health.as_ref());
        let mut starts: Vec<_> = starts.map(|health| health.start_time_unix_nano).collect();
        starts.retain(|start| *start > before.started_unix_nano);
        starts.dedup();
        assert!((1..=2).contains(&starts.len()), "{starts:?}");
        for (index, message) in recorder.said.iter().enumerate() {
            assert_eq!(message.sequence_num, index as u64 + 1);
            assert_eq!(message.instance_uid, recorder.said[0].instance_uid);
        }
    })
    .await;
}

/// C043, C091, C176, C177, C180, C189: the farewell is the last word; the next supervisor runs the applied config without
/// waiting for a server, and says so under its hash in its first message, without applying it anew.
#[tokio::test]
async fn given_no_server_when_a_supervisor_starts_again_then_the_applied_config_runs_and_is_told_later() {
    on_each("started alone", async |stage: Stage| {
        let (mut recorder, mut supervisor) = recorded(&stage, |wish| wish).await;
        recorder.runs("input:own").await;
        recorder.offer(b"kept", &[("a.yaml", &yaml("kept", ""))]).await;
        assert_eq!(recorder.settled(b"kept").await.status, APPLIED);
        recorder.runs("input:kept").await;
        let uid = recorder.state.instance_uid.clone();
        let (status, ()) = tokio::join!(supervisor.stop(), hear_out(&mut recorder));
        assert!(status.success());
        let Recorder { listener, connection, .. } = recorder;
        let port = listener.port();
        drop((listener, connection));

        let dead = supervisor.agent_pid();
        assert!(!alive(dead));
        supervisor.start_again();
        eventually("agent without a server", SOON, async || {
            let pid = supervisor.agent_pid();
            if pid != dead && alive(pid) { Ok(()) } else { Err(pid.to_string()) }
        })
        .await;
        let listener = Listener(TcpListener::bind(("127.0.0.1", port)).await.unwrap());
        let mut recorder = Recorder::on(listener, AgentToServer::default()).await;
        let first = recorder.said[0].clone();
        assert_eq!((first.sequence_num, first.instance_uid), (1, uid));
        let status = first.remote_config_status.unwrap();
        assert_eq!((status.status, &status.last_remote_config_hash[..]), (APPLIED, &b"kept"[..]));
        recorder.runs("input:kept").await;
        recorder.heartbeats(1).await;
        assert_eq!(recorder.statuses(0, b"kept"), [APPLIED]);
    })
    .await;
}

/// Records until the farewell, and closes as it does.
async fn hear_out(recorder: &mut Recorder) {
    while recorder.next().await.agent_disconnect.is_none() {}
    match recorder.connection.said().await {
        Said::Close(Some(close)) => assert_eq!(close.code, 1000),
        other => unreachable!("{other:?} behind the farewell"),
    }
    recorder.connection.close(1000).await;
    assert_eq!(recorder.connection.said().await, Said::End);
}

/// C193: whichever file of the state is cut to nothing, the next supervisor starts, and its agent with it; no file is
/// open to other users.
#[tokio::test]
async fn given_a_state_file_that_was_cut_to_nothing_when_a_supervisor_starts_then_its_agent_runs() {
    let stage = Stage { scene: Scene::new("cut files"), agent: Agent::fake() };
    let (mut recorder, mut supervisor) = recorded(&stage, |wish| wish).await;
    recorder.runs("input:own").await;
    recorder.offer(b"kept", &[("fluent-bit.yaml", &yaml("kept", "")), ("p.conf", "[PARSER]\n")]).await;
    assert_eq!(recorder.settled(b"kept").await.status, APPLIED);
    let (status, ()) = tokio::join!(supervisor.stop(), hear_out(&mut recorder));
    assert!(status.success());
    let (state, kept) = (supervisor.folder().join("state"), supervisor.folder().join("kept"));
    copy(&state, &kept);
    let files = files_in(&state);
    assert!(files.len() >= 6, "{files:?}");
    for file in files {
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o077, 0, "{}", file.display());
        fs::remove_dir_all(&state).unwrap();
        copy(&kept, &state);
        fs::File::options().write(true).truncate(true).open(&file).unwrap();
        supervisor.start_again();
        let mut next = Recorder::on(recorder.listener, AgentToServer::default()).await;
        next.until(&file.display().to_string(), |state| state.health.clone().filter(|health| health.healthy))
            .await;
        let (status, ()) = tokio::join!(supervisor.stop(), hear_out(&mut next));
        assert!(status.success());
        recorder = next;
    }
}

/// C185: a header with a credential is in the requests, and neither in the log, be it of everything, nor in a report or
/// in the state.
#[tokio::test]
async fn given_a_token_in_the_settings_when_all_is_logged_then_it_stands_in_the_requests_alone() {
    const SECRET: &str = "s3cret-t0ken";
    let stage = Stage { scene: Scene::new("secrets"), agent: Agent::fake() };
    let listener = Listener::new().await;
    let endpoint = format!("ws://127.0.0.1:{}/v1/opamp", listener.port());
    let settings = format!("server:\n  headers:\n    Authorization: Bearer {SECRET}\n");
    let wish = Wish { settings, log: "trace".to_owned(), ..Wish::new("a", endpoint) };
    let mut supervisor = Supervisor::start(&stage, wish);
    let asked = listener.asked().await;
    assert_eq!(asked.header("Authorization"), Some(format!("Bearer {SECRET}").as_str()));
    drop(asked.answer("500 Oops", "", b"").await);
    let mut recorder = Recorder::on(listener, AgentToServer::default()).await;
    recorder.runs("input:own").await;
    let (status, ()) = tokio::join!(supervisor.stop(), hear_out(&mut recorder));
    assert!(status.success());
    says(&supervisor.log(), &["DEBUG", "HTTP status 500", "connected"]);
    for file in files_in(&supervisor.folder().join("state"))
        .iter()
        .chain([&supervisor.folder().join("supervisor.log")])
    {
        let text = String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned();
        assert!(!text.contains(SECRET), "{}", file.display());
    }
    assert!(recorder.said.iter().all(|message| !format!("{message:?}").contains(SECRET)));
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

/// Copies a folder with the modes of what is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

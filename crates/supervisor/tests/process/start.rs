//! Starting, stopping, adopting.

use std::fs;

use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::agent::AgentCommand;

use crate::world::{World, alive, ask, file_names, names, offer, pid, yaml};

/// C062, C066, C077, C082, C192: the first reports.
#[tokio::test]
async fn given_a_config_when_started_then_the_agent_is_healthy_and_described_within_five_seconds() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let begun = std::time::Instant::now();
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert_eq!(names(&report.health), ["config", "http_api", "input:gen", "output:sink", "storage"]);
    assert!(report.health.start_time_unix_nano > 0);
    let said: Vec<String> = report
        .description
        .identifying_attributes
        .iter()
        .map(|pair| format!("{}={}", pair.key, pair.value.as_ref().unwrap()))
        .collect();
    assert_eq!(said[0], "service.name=fluent-bit");
    assert!(said[1].starts_with("service.version=") && said[1].contains('.'), "{said:?}");
    assert_eq!(file_names(&report), ["own.yaml", "tidegate/rendered"]);
    assert_eq!(report.remote_config_status, None);
    let process = pid(&report);
    agent.stop().await;
    assert!(!alive(process));
    assert_eq!(
        fs::read_to_string(&world.settings.config).unwrap(),
        yaml("gen", ""),
        "the user's file is untouched"
    );
}

#[tokio::test]
async fn given_a_config_with_includes_when_started_then_its_files_are_shown_under_their_own_names() {
    let Some(world) = World::new("") else { return };
    let folder = world.settings.config.parent().unwrap();
    fs::create_dir(folder.join("d")).unwrap();
    fs::write(folder.join("d/service.yaml"), "service:\n  flush: 1\n  grace: 1\n").unwrap();
    let main = yaml("gen", "").replace("service:\n  flush: 1\n  grace: 1\n", "includes:\n  - d/*.yaml\n");
    fs::write(&world.settings.config, main).unwrap();
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert_eq!(file_names(&report), ["d/service.yaml", "own.yaml", "tidegate/rendered"]);
    agent.stop().await;
}

#[tokio::test]
async fn given_a_running_agent_when_nothing_happens_then_no_report_goes_out() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    // Records flow and counters rise for several looks; a report would be a counter in a text.
    let changed =
        tokio::time::timeout(std::time::Duration::from_secs(4), agent.handle.reports.changed()).await;
    assert!(changed.is_err(), "{:#?}", agent.handle.reports.borrow());
    agent.stop().await;
}

/// C156: of several restarts as of one.
#[tokio::test]
async fn given_a_restart_command_when_carried_out_then_start_time_and_process_are_new() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    for _ in 0..5 {
        agent.send(AgentCommand::Restart).await;
    }
    let start = before.health.start_time_unix_nano;
    let after = agent
        .until("a new start", |report| report.health.healthy && report.health.start_time_unix_nano > start)
        .await;
    assert_ne!(pid(&before), pid(&after));
    assert!(!alive(pid(&before)));
    agent.stop().await;
}

#[tokio::test]
async fn given_a_supervisor_that_goes_when_the_next_comes_then_it_adopts_the_agent() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    let before = first.healthy().await;
    drop(first);
    let mut second = loop {
        // The former task lets go of the state folder a moment after its handle is gone.
        match world.try_start().await {
            Ok(handle) => break crate::world::Agent { handle },
            Err(error) => assert!(error.to_string().contains("in use by another supervisor"), "{error}"),
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    let after = second.healthy().await;
    assert_eq!(pid(&before), pid(&after));
    assert_eq!(before.health.start_time_unix_nano, after.health.start_time_unix_nano);
    let locked = world.try_start().await.unwrap_err().to_string();
    assert!(locked.contains("in use by another supervisor"), "{locked}");
    second.stop().await;
    assert!(!alive(pid(&after)));
}

/// C091: in the first report.
#[tokio::test]
async fn given_an_applied_offer_when_the_supervisor_starts_again_then_the_offer_runs_and_its_status_is_there()
{
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    first.healthy().await;
    let status = first.apply(offer("h1", &[("fluent-bit.yaml", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    first.stop().await;
    let mut second = world.start().await;
    let seen = second.handle.reports.borrow().remote_config_status.clone();
    assert_eq!(seen.as_deref(), Some(&status), "told at once, before anything else");
    let report = second.healthy().await;
    assert!(names(&report.health).contains(&"input:remote"));
    assert_eq!(file_names(&report), ["fluent-bit.yaml", "tidegate/rendered"]);
    second.stop().await;
}

#[tokio::test]
async fn given_a_port_that_another_holds_when_started_then_another_port_is_used() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().port();
    let config =
        yaml("gen", "").replace("flush: 1", &format!("flush: 1\n  http_server: on\n  http_port: {taken}"));
    let Some(world) = World::new(&config) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    assert_ne!(world.port(), taken);
    agent.stop().await;
}

#[tokio::test]
async fn given_a_port_in_the_config_when_it_is_free_then_it_is_used_and_kept_over_a_restart() {
    let wanted = tidegate_supervisor::child::free_port().unwrap();
    let config =
        yaml("gen", "").replace("flush: 1", &format!("flush: 1\n  http_server: on\n  http_port: {wanted}"));
    let Some(world) = World::new(&config) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    assert_eq!(world.port(), wanted);
    assert!(ask(wanted, "/api/v1/uptime").await.contains("uptime_sec"));
    agent.stop().await;
    let mut again = world.start().await;
    again.healthy().await;
    assert_eq!(world.port(), wanted);
    again.stop().await;
}

#[tokio::test]
async fn given_settings_that_cannot_work_when_started_then_one_sentence_says_why() {
    let Some(mut world) = World::new("pipeline:\n  inputs: [\n") else { return };
    let own = world.settings.config.display().to_string();
    let said = world.try_start().await.unwrap_err().to_string();
    assert!(
        said.starts_with(&format!("cannot use the agent's config {own}: the config is broken: own.yaml:")),
        "{said}"
    );
    for (config, expect) in [
        ("", "nothing to run"),
        (&yaml("gen", "      nosuch: 1\n"), "unknown configuration property 'nosuch'"),
    ] {
        fs::write(&world.settings.config, config).unwrap();
        let said = world.try_start().await.unwrap_err().to_string();
        assert!(said.contains(expect), "{said}");
    }
    for (binary, expect) in [
        ("/no/such/fluent-bit", "cannot find the agent's binary /no/such/fluent-bit"),
        ("no-such-fluent-bit", "it is not on PATH"),
        (&own, "it is not an executable file"),
        ("/bin/sleep", "is not fluent-bit"),
    ] {
        world.settings.binary = binary.into();
        let said = world.try_start().await.unwrap_err().to_string();
        assert!(said.contains(expect), "{said}");
    }
    world.settings.binary = crate::world::binary().unwrap();
    fs::remove_file(&world.settings.config).unwrap();
    let said = world.try_start().await.unwrap_err().to_string();
    assert!(said.contains("cannot read the agent's config") && said.contains("no such file"), "{said}");
}

/// Relative paths of data mean what they mean when the agent is started by hand from its config's folder: for the own
/// config, and for an offered one in its place, over a reload and over a restart.
#[tokio::test]
async fn given_relative_paths_of_data_when_configs_come_and_go_then_all_find_the_data_beside_the_hosts_config()
 {
    let with_data = |alias: &str| {
        format!(
            "service:\n  flush: 1\n  grace: 1\npipeline:\n  inputs:\n    - name: tail\n      alias: {alias}\n      path: in*.log\n      \
             db: tail.db\n      read_from_head: on\n      refresh_interval: 1\n  outputs:\n    - name: file\n      alias: sink\n      match: \"*\"\n      \
             path: out\n      file: lines\n      mkdir: on\n      format: plain\n"
        )
    };
    let Some(world) = World::new(&with_data("own")) else { return };
    let folder = world.settings.config.parent().unwrap();
    let write =
        |number: u8| fs::write(folder.join(format!("in{number}.log")), format!("line {number}\n")).unwrap();
    let lines = async |count: usize| {
        let all = async {
            while crate::world::read(&folder.join("out/lines")).lines().count() < count {
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(crate::world::PATIENCE, all).await.unwrap();
    };
    write(1);
    let mut agent = world.start().await;
    agent.healthy().await;
    lines(1).await;
    let status = agent.apply(offer("h", &[("", &with_data("remote"))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    write(2);
    lines(2).await;
    agent.stop().await;
    let mut agent = world.start().await;
    agent.healthy().await;
    write(3);
    lines(3).await;
    agent.stop().await;
    let read: std::collections::BTreeSet<_> =
        fs::read_to_string(folder.join("out/lines")).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(read.len(), 3, "one database for all: none was read twice: {read:?}");
    assert!(folder.join("tail.db").is_file() && !world.settings.state_dir.join("run/tail.db").exists());
}

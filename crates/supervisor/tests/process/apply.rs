//! Offers that are applied, and offers that are not.

use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::agent::AgentCommand;

use crate::world::{World, ask, file_names, names, offer, pid, yaml};

/// C082, C088: what runs is what is shown.
#[tokio::test]
async fn given_a_good_offer_when_applied_then_it_is_reloaded_proven_and_reported_within_three_seconds() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let begun = std::time::Instant::now();
    let status = agent.apply(offer("h1", &[("fluent-bit.yaml", &yaml("remote", ""))])).await;
    println!("offer to APPLIED: {:?}", begun.elapsed());
    assert_eq!((status.status, status.error_message.as_str()), (RemoteConfigStatuses::Applied, ""));
    assert!(begun.elapsed().as_secs_f32() < 3.0, "{:?}", begun.elapsed());
    let report = agent.until("the new input", |report| names(&report.health).contains(&"input:remote")).await;
    assert_eq!(pid(&report), pid(&before), "by a reload, not by a restart");
    assert_eq!(file_names(&report), ["fluent-bit.yaml", "tidegate/rendered"]);
    let map = &report.effective_config.config_map.as_ref().unwrap().config_map;
    assert_eq!(map["fluent-bit.yaml"].body, yaml("remote", ""));
    assert!(String::from_utf8_lossy(&map["tidegate/rendered"].body).contains("http_server: on"));
    assert_eq!(map["tidegate/rendered"].content_type, "text/yaml");
    agent.stop().await;
}

/// C089: under its own hash.
#[tokio::test]
async fn given_the_same_content_again_when_offered_then_it_is_applied_without_touching_the_agent() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    let files = [("fluent-bit.yaml", yaml("remote", ""))];
    let files = files.each_ref().map(|(name, text)| (*name, text.as_str()));
    for (hash, reloads) in [("h1", 1), ("h1", 1), ("another hash of the same", 1)] {
        let status = agent.apply(offer(hash, &files)).await;
        assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
        assert_eq!(status.last_remote_config_hash, hash.as_bytes());
        agent.healthy().await;
        let count = ask(world.port(), "/api/v2/reload").await;
        assert_eq!(count, format!("{{\"hot_reload_count\":{reloads}}}"));
    }
    agent.stop().await;
}

/// C088, C092, C094: A20, an empty map among them.
#[tokio::test]
async fn given_offers_that_are_refused_before_the_swap_then_the_agent_never_hears_of_them() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let unknown = yaml("x", "      nosuch: 1\n");
    let none = "service:\n  flush: 1\n";
    for (hash, files, expect) in [
        ("empty map", vec![], "offer proof failed: the offered config is empty"),
        ("empty file", vec![("a.yaml", "")], "offer proof failed: the offered config is empty"),
        ("no pipeline", vec![("a.yaml", none)], "pipeline proof failed: the config has nothing to run"),
        (
            "syntax",
            vec![("a.yaml", "pipeline:\n  inputs: [\n")],
            "readable proof failed: the config is broken: a.yaml:",
        ),
        (
            "property",
            vec![("a.yaml", unknown.as_str())],
            "dry-run proof failed: the check exited with code 1",
        ),
        (
            "hostile",
            vec![("../../a.yaml", none)],
            "offer proof failed: the offered file name \"../../a.yaml\"",
        ),
    ] {
        let status = agent.apply(offer(hash, &files)).await;
        assert_eq!(status.status, RemoteConfigStatuses::Failed);
        assert!(status.error_message.starts_with(expect), "{hash}: {}", status.error_message);
    }
    assert_eq!(ask(world.port(), "/api/v2/reload").await, "{\"hot_reload_count\":0}");
    let after =
        agent.until("a config fault", |report| !report.health.component_health_map["config"].healthy).await;
    assert_eq!(pid(&before), pid(&after));
    assert!(after.health.healthy, "the agent itself is well");
    agent.stop().await;
}

/// C090, C093: A10, FAILED with the last lines of the log.
#[tokio::test]
async fn given_an_offer_that_kills_the_agent_then_the_last_good_config_runs_again_and_it_is_not_tried_twice()
{
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    assert_eq!(
        agent.apply(offer("good", &[("", &yaml("good", ""))])).await.status,
        RemoteConfigStatuses::Applied
    );
    let before = agent.healthy().await;
    let bad = yaml("bad", "  filters:\n    - name: grep\n      match: \"*\"\n      regex: log (\n");
    let status = agent.apply(offer("bad", &[("", &bad)])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.starts_with("reload proof failed: "), "{}", status.error_message);
    assert!(status.error_message.contains("could not compile regex pattern"), "{}", status.error_message);
    assert!(status.error_message.contains("exited with code 255"), "{}", status.error_message);
    assert!(status.error_message.len() <= 4096);
    let start = before.health.start_time_unix_nano;
    let healed = agent
        .until("healing", |report| report.health.healthy && report.health.start_time_unix_nano > start)
        .await;
    assert!(names(&healed.health).contains(&"input:good"));
    let rendered = &healed.effective_config.config_map.as_ref().unwrap().config_map["tidegate/rendered"].body;
    assert!(String::from_utf8_lossy(rendered).contains("alias: good"));
    let again = agent.apply(offer("bad", &[("", &bad)])).await;
    assert_eq!(again, status, "answered from memory");
    let now = agent.healthy().await;
    assert_eq!(pid(&now), pid(&healed), "the agent was not touched");
    agent.stop().await;
}

#[tokio::test]
async fn given_an_offer_in_the_other_format_then_a_new_process_runs_it() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let classic = "[SERVICE]\n    flush 1\n    grace 1\n    parsers_file parsers.conf\n[INPUT]\n    name dummy\n    alias c\n\
                   @INCLUDE d/*.conf\n";
    let files = [
        ("main.conf", classic),
        ("parsers.conf", "[PARSER]\n    name p\n    format json\n"),
        ("d/out.conf", "[OUTPUT]\n    name null\n    alias sink\n    match *\n"),
    ];
    let status = agent.apply(offer("classic", &files)).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    let after = agent.until("the new input", |report| names(&report.health).contains(&"input:c")).await;
    assert_ne!(pid(&before), pid(&after));
    assert_eq!(file_names(&after), ["d/out.conf", "main.conf", "parsers.conf", "tidegate/rendered"]);
    let changed = classic.replace("alias c", "alias c2");
    let files = [("main.conf", changed.as_str()), files[1], files[2]];
    let status = agent.apply(offer("classic 2", &files)).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "relative paths hold over a reload: {status:?}");
    agent.stop().await;
}

/// C089, C096: the newest wins, and whoever reads the reports sees one end of each.
#[tokio::test]
async fn given_offers_faster_than_reloads_then_the_newest_runs_and_each_ends_in_one_status() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    for number in 1..4 {
        let text = yaml(&format!("r{number}"), "");
        agent.send(AgentCommand::Apply(offer(&format!("h{number}"), &[("", &text)]))).await;
    }
    let mut ended = Vec::new();
    loop {
        let status = agent.handle.reports.borrow_and_update().remote_config_status.clone();
        if let Some(status) = status.filter(|status| status.status != RemoteConfigStatuses::Applying) {
            let hash = String::from_utf8_lossy(&status.last_remote_config_hash).into_owned();
            ended.push((hash, status.status));
        }
        if ended.last().is_some_and(|(hash, _)| hash == "h3") {
            break;
        }
        tokio::time::timeout(crate::world::PATIENCE, agent.handle.reports.changed()).await.unwrap().unwrap();
    }
    ended.dedup();
    let of = |hash: &str| ended.iter().filter(|(h, _)| h == hash).map(|(_, s)| *s).collect::<Vec<_>>();
    assert_eq!(of("h1"), [RemoteConfigStatuses::Applied], "{ended:?}");
    assert_eq!(of("h2"), [RemoteConfigStatuses::Failed], "{ended:?}");
    assert_eq!(of("h3"), [RemoteConfigStatuses::Applied], "{ended:?}");
    let report = agent.until("the newest", |report| names(&report.health).contains(&"input:r3")).await;
    assert!(!names(&report.health).contains(&"input:r1"));
    agent.stop().await;
}

#[tokio::test]
async fn given_a_host_that_allows_no_remote_config_then_an_offer_fails_and_changes_nothing() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.allow_remote_config = false;
    let mut agent = world.start().await;
    agent.healthy().await;
    let status = agent.apply(offer("h", &[("", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert_eq!(status.error_message, "this host's settings do not allow remote config");
    assert_eq!(ask(world.port(), "/api/v2/reload").await, "{\"hot_reload_count\":0}");
    agent.stop().await;
}

#[tokio::test]
async fn given_a_probation_when_an_output_loses_records_in_it_then_the_former_config_comes_back() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.probation = std::time::Duration::from_secs(8);
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let dead = tidegate_supervisor::child::free_port().unwrap();
    let lossy = format!(
        "{}    - name: http\n      alias: lossy\n      match: \"*\"\n      host: 127.0.0.1\n      port: {dead}\n      retry_limit: no_retries\n",
        yaml("remote", "")
    );
    let status = agent.apply(offer("lossy", &[("", &lossy)])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(
        status.error_message.starts_with("health proof failed: output:lossy"),
        "{}",
        status.error_message
    );
    let after = agent
        .until("the former input", |r| r.health.healthy && names(&r.health).contains(&"input:gen"))
        .await;
    assert_eq!(pid(&before), pid(&after), "back by a reload");
    agent.stop().await;
}

/// C091: the status outlives the supervisor.
#[tokio::test]
async fn given_a_supervisor_that_is_stopped_in_an_apply_then_the_next_one_finishes_it() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.probation = std::time::Duration::from_secs(3600);
    let mut agent = world.start().await;
    agent.healthy().await;
    agent.send(AgentCommand::Apply(offer("long", &[("", &yaml("remote", ""))]))).await;
    let report = agent.until("the probation", |report| names(&report.health).contains(&"input:remote")).await;
    let status = report.remote_config_status.unwrap();
    assert_eq!(status.status, RemoteConfigStatuses::Applying);
    agent.stop().await;
    world.settings.probation = std::time::Duration::ZERO;
    let mut next = world.start().await;
    let report = next
        .until("the end of the apply", |report| {
            report.remote_config_status.as_ref().is_some_and(|s| s.status == RemoteConfigStatuses::Applied)
        })
        .await;
    assert_eq!(report.remote_config_status.unwrap().last_remote_config_hash, "long".as_bytes());
    next.stop().await;
}

#[tokio::test]
async fn given_an_offer_that_names_a_port_when_applied_then_the_api_moves_and_an_adoption_finds_it() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let wanted = tidegate_supervisor::child::free_port().unwrap();
    let text = yaml("remote", "")
        .replace("flush: 1", &format!("flush: 1\n  http_server: on\n  http_port: {wanted}"));
    let status = agent.apply(offer("port", &[("", &text)])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    assert_eq!(world.port(), wanted);
    let after = agent
        .until("the new input", |r| r.health.healthy && names(&r.health).contains(&"input:remote"))
        .await;
    assert_eq!(pid(&before), pid(&after));
    agent.stop().await;
}

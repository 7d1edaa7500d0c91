//! What others do on the host: they edit files, replace programs, reload by hand.

use std::fs;

use rustix::process::Signal;
use tidegate_opamp::RemoteConfigStatuses;

use crate::world::{World, file_names, names, offer, pid, signal, yaml};

/// A file that was edited by hand and loaded: it is told as what runs, and does not run for long.
#[tokio::test]
async fn given_the_agents_file_edited_and_loaded_by_hand_then_it_is_told_and_the_config_that_counts_comes_back()
 {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let path = world.settings.state_dir.join("run/fluent-bit.yaml");
    let rendered = fs::read_to_string(&path).unwrap();
    fs::write(&path, rendered.replace("alias: gen", "alias: by_hand")).unwrap();
    signal(pid(&before), Signal::HUP);
    let edited = agent
        .until("the edit", |report| report.health.component_health_map["config"].status == "edited")
        .await;
    assert_eq!(file_names(&edited), ["tidegate/rendered"]);
    let map = &edited.effective_config.config_map.as_ref().unwrap().config_map;
    assert!(String::from_utf8_lossy(&map["tidegate/rendered"].body).contains("alias: by_hand"));
    let after = agent
        .until("the way back", |report| {
            report.health.healthy
                && report.health.component_health_map["config"].status == "running"
                && names(&report.health).contains(&"input:gen")
        })
        .await;
    assert_eq!(pid(&before), pid(&after), "by a reload");
    let config = &after.health.component_health_map["config"];
    assert!(config.healthy && config.last_error.contains("changed by somebody on this host"), "{config:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), rendered);
    assert_eq!(file_names(&after), ["own.yaml", "tidegate/rendered"]);
    agent.stop().await;
}

/// A reload by hand that changes nothing is nobody's fault.
#[tokio::test]
async fn given_a_reload_by_hand_of_the_same_file_then_nothing_is_made_of_it() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    signal(pid(&before), Signal::HUP);
    let reloaded = async {
        while crate::world::ask(world.port(), "/api/v2/reload").await != "{\"hot_reload_count\":1}" {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, reloaded).await.unwrap();
    let status = agent.apply(offer("h", &[("", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    assert_eq!(crate::world::ask(world.port(), "/api/v2/reload").await, "{\"hot_reload_count\":2}");
    assert_eq!(agent.healthy().await.health.component_health_map["config"].last_error, "");
    agent.stop().await;
}

/// Hard case 20: replaced, removed, and there again.
#[tokio::test]
async fn given_a_program_file_that_is_replaced_or_removed_then_it_is_told_and_a_restart_takes_up_the_new_one()
{
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let folder = world.settings.config.parent().unwrap().to_owned();
    let (binary, copy) = (folder.join("agent"), folder.join("copy"));
    fs::copy(&world.settings.binary, &binary).unwrap();
    world.settings.binary = binary.clone();
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    fs::copy(&binary, &copy).unwrap();
    fs::rename(&copy, &binary).unwrap();
    let replaced = agent.until("the new file", |report| names(&report.health).contains(&"binary")).await;
    let said = &replaced.health.component_health_map["binary"];
    assert!(said.healthy && replaced.health.healthy, "the agent works: {said:?}");
    assert_eq!((said.status.as_str(), pid(&replaced)), ("replaced", pid(&before)));
    agent.send(tidegate_supervisor::agent::AgentCommand::Restart).await;
    let after = agent
        .until("the restart", |report| report.health.healthy && !names(&report.health).contains(&"binary"))
        .await;
    assert_ne!(pid(&before), pid(&after));
    fs::rename(&binary, &copy).unwrap();
    signal(pid(&after), Signal::KILL);
    let gone = agent.until("the missing file", |report| report.health.status == "failed").await;
    assert!(
        gone.health.last_error.contains("there is no such file; install it"),
        "{}",
        gone.health.last_error
    );
    fs::rename(&copy, &binary).unwrap();
    agent.healthy().await;
    agent.stop().await;
}

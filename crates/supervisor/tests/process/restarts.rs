//! Orders that would end the process, and what is made of them where that would be wrong.

use std::{fs, time::Duration};

use rustix::process::Signal;
use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::{agent::AgentCommand, supervise::OnSilence};

use crate::world::{World, alive, names, offer, pid, read, signal, yaml};

/// A world whose program file may come and go, and where it is while it is gone.
fn with_a_program() -> Option<(World, std::path::PathBuf)> {
    let mut world = World::new(&yaml("gen", ""))?;
    let binary = world.settings.config.with_file_name("agent");
    fs::copy(&world.settings.binary, &binary).unwrap();
    world.settings.binary = binary;
    let aside = world.settings.config.with_file_name("aside");
    Some((world, aside))
}

/// Hard case 20, C154: what runs is worth more than an order that would end it.
#[tokio::test]
async fn given_a_program_that_is_gone_or_broken_when_a_restart_is_commanded_then_the_agent_runs_on_and_the_reason_is_told()
 {
    let Some((world, aside)) = with_a_program() else { return };
    let binary = &world.settings.binary;
    let mut agent = world.start().await;
    let before = pid(&agent.healthy().await);
    fs::rename(binary, &aside).unwrap();
    for (text, expect) in
        [(None, "there is no such file"), (Some("#!/bin/sh\nexit 127\n"), "is not fluent-bit")]
    {
        if let Some(text) = text {
            // The mode of the former file is kept.
            fs::copy(&aside, binary).unwrap();
            fs::write(binary, text).unwrap();
            tokio::time::sleep(Duration::from_secs(5)).await;
        }
        agent.send(AgentCommand::Restart).await;
        let refused = agent
            .until("the refusal", |report| {
                let said = report.health.component_health_map.get("restart");
                said.is_some_and(|said| said.last_error.contains(expect))
            })
            .await;
        assert!(!refused.health.healthy && refused.health.last_error.contains("restart was refused"));
        assert_eq!(pid(&refused), before);
        assert!(alive(before) && names(&refused.health).contains(&"input:gen"), "it goes on collecting");
    }
    fs::rename(&aside, binary).unwrap();
    agent.send(AgentCommand::Restart).await;
    let after = agent.until("the restart", |report| report.health.healthy && pid(report) != before).await;
    assert!(!names(&after.health).contains(&"restart") && !alive(before));
    agent.stop().await;
}

/// Hard cases 18 and 20.
#[tokio::test]
async fn given_a_program_that_is_gone_when_its_agent_is_silent_then_it_is_not_killed_before_the_program_is_back()
 {
    let Some((mut world, aside)) = with_a_program() else { return };
    world.settings.patience.on_silence = OnSilence::RestartStopped;
    world.settings.patience.silence = Duration::from_secs(3);
    let mut agent = world.start().await;
    let before = pid(&agent.healthy().await);
    fs::rename(&world.settings.binary, &aside).unwrap();
    signal(before, Signal::STOP);
    let kept = agent.until("the refusal", |report| names(&report.health).contains(&"restart")).await;
    assert_eq!((kept.health.status.as_str(), alive(before)), ("degraded", true));
    fs::rename(&aside, &world.settings.binary).unwrap();
    let after = agent.until("a new process", |report| report.health.healthy && pid(report) != before).await;
    assert!(!names(&after.health).contains(&"restart") && !alive(before));
    agent.stop().await;
}

/// Hard case 16: settings that are read again do not wait for a long apply, nor is it held against the config.
#[tokio::test]
async fn given_a_long_apply_when_the_agent_is_released_then_the_apply_is_broken_off_and_taken_up_again() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.probation = Duration::from_secs(3600);
    let mut first = world.start().await;
    first.healthy().await;
    first.send(AgentCommand::Apply(offer("h1", &[("", &yaml("remote", ""))]))).await;
    first.until("the new config on trial", |report| names(&report.health).contains(&"input:remote")).await;
    first.release().await;
    let journal: serde_json::Value =
        serde_json::from_str(&read(&world.settings.state_dir.join("journal.json"))).unwrap();
    assert_eq!((journal["begun"].as_u64(), journal["candidate"].is_null()), (Some(0), false), "{journal}");
    world.settings.probation = Duration::ZERO;
    let mut second = world.start().await;
    let applied = second
        .until("the end of the apply", |report| {
            let status = report.remote_config_status.as_ref();
            status.is_some_and(|status| status.status != RemoteConfigStatuses::Applying)
        })
        .await;
    let status = applied.remote_config_status.unwrap();
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    second.stop().await;
}

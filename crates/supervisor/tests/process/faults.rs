//! Agents that crash, freeze or hang.

use rustix::process::Signal;
use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::agent::{AgentCommand, Question};

use crate::world::{World, alive, names, offer, pid, read, signal, yaml};

/// C078, C079, C190: no start time while nothing runs.
#[tokio::test]
async fn given_a_killed_agent_then_the_report_names_the_cause_and_a_new_one_is_started() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    signal(pid(&before), Signal::KILL);
    let down = agent.until("the crash", |report| !report.health.healthy).await;
    assert!(down.health.last_error.contains("SIGKILL"), "{}", down.health.last_error);
    assert_eq!((down.health.start_time_unix_nano, down.health.status.as_str()), (0, "crashed"));
    let healed = agent.healthy().await;
    assert!(healed.health.start_time_unix_nano > before.health.start_time_unix_nano);
    assert_ne!(pid(&before), pid(&healed));
    agent.stop().await;
}

/// C079, C081, C190: never green.
#[tokio::test]
async fn given_an_agent_that_cannot_start_then_it_is_tried_ever_less_often_and_the_error_line_is_told() {
    // Passes the dry run and fails at the start.
    let config = yaml("gen", "  filters:\n    - name: grep\n      match: \"*\"\n      regex: log (\n");
    let Some(world) = World::new(&config) else { return };
    let mut agent = world.start().await;
    let down = agent.until("the crash loop", |report| report.health.status == "crash_loop").await;
    assert!(down.health.last_error.contains("exited with code 255"), "{}", down.health.last_error);
    assert!(down.health.last_error.contains("[error]"), "{}", down.health.last_error);
    let status = agent.apply(offer("cure", &[("", &yaml("cured", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    let healed = agent.healthy().await;
    assert!(names(&healed.health).contains(&"input:cured"));
    agent.stop().await;
}

#[tokio::test]
async fn given_a_frozen_agent_then_it_is_degraded_until_it_thaws() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    signal(pid(&before), Signal::STOP);
    let frozen = agent.until("the freeze", |report| !report.health.healthy).await;
    assert_eq!(frozen.health.status, "degraded");
    assert!(frozen.health.last_error.contains("SIGSTOP"), "{}", frozen.health.last_error);
    assert!(!frozen.health.component_health_map["http_api"].healthy);
    signal(pid(&before), Signal::CONT);
    let thawed = agent.healthy().await;
    assert_eq!(pid(&before), pid(&thawed));
    agent.stop().await;
}

/// Hard case 18: whoever looks at it again and again in the meantime does not hide that.
#[tokio::test]
async fn given_a_frozen_agent_that_is_asked_about_without_end_then_it_is_degraded_all_the_same() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    signal(pid(&before), Signal::STOP);
    let commands = agent.handle.commands.clone();
    let asking = async {
        loop {
            let (reply, answer) = tokio::sync::oneshot::channel();
            let _ = commands.send(AgentCommand::Ask(Question::Logs(1, reply))).await;
            let _ = answer.await;
            tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        }
    };
    tokio::select! {
        () = asking => {}
        frozen = agent.until("the freeze", |report| !report.health.healthy) => {
            assert!(frozen.health.last_error.contains("SIGSTOP"), "{}", frozen.health.last_error);
        }
    }
    signal(pid(&before), Signal::CONT);
    agent.healthy().await;
    agent.stop().await;
}

/// C089: what was proven once is proven again before it is called applied.
#[tokio::test]
async fn given_a_frozen_agent_when_its_config_is_offered_again_then_it_is_applied_to_one_that_works() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    let text = yaml("remote", "");
    assert_eq!(agent.apply(offer("one", &[("", &text)])).await.status, RemoteConfigStatuses::Applied);
    let before = agent.healthy().await;
    let again = agent.apply(offer("two", &[("", &text)])).await;
    assert_eq!(again.status, RemoteConfigStatuses::Applied, "{again:?}");
    assert_eq!(pid(&before), pid(&agent.healthy().await), "an agent that works is left alone");

    signal(pid(&before), Signal::STOP);
    agent.until("the freeze", |report| !report.health.healthy).await;
    let again = agent.apply(offer("three", &[("", &text)])).await;
    assert_eq!(again.status, RemoteConfigStatuses::Applied, "{again:?}");
    let after = agent.healthy().await;
    assert_ne!(pid(&before), pid(&after));
    assert!(!alive(pid(&before)));
    agent.stop().await;
}

/// A config with an output that nobody serves, and the world in which its first records wait already: until then a
/// reload would succeed.
async fn with_a_dead_output() -> Option<(World, crate::world::Agent)> {
    let dead = tidegate_supervisor::child::free_port().unwrap();
    let stuck = format!(
        "{}    - name: http\n      alias: dead\n      match: \"*\"\n      host: 127.0.0.1\n      port: {dead}\n      retry_limit: no_limits\n",
        yaml("gen", "")
    );
    let world = World::new(&stuck)?;
    let agent = world.start().await;
    Some((world, agent))
}

async fn records_wait(world: &World) {
    let retried = async {
        while !crate::world::ask(world.port(), "/api/v1/metrics").await.contains("\"retries\":1") {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, retried).await.unwrap();
}

/// Hard case 5: the new config passed its check, and it may be the cure.
#[tokio::test]
async fn given_a_reload_that_hangs_on_a_dead_output_then_it_is_cut_short_and_the_new_config_is_proven_anew() {
    let Some((world, mut agent)) = with_a_dead_output().await else { return };
    let before = agent.healthy().await;
    records_wait(&world).await;
    let status = agent.apply(offer("new", &[("", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{}", status.error_message);
    assert!(!alive(pid(&before)), "the hung process is gone");
    let after = agent.healthy().await;
    assert!(names(&after.health).contains(&"input:remote") && !names(&after.health).contains(&"output:dead"));
    let config = &after.health.component_health_map["config"];
    assert!(config.healthy && config.last_error.contains("collection stood still for 1"), "{config:?}");
    agent.stop().await;
}

/// Hard case 5: the new config is no better, so the former one comes back.
#[tokio::test]
async fn given_a_reload_that_hangs_when_the_new_config_cannot_start_then_the_former_one_runs() {
    let Some((world, mut agent)) = with_a_dead_output().await else { return };
    agent.healthy().await;
    records_wait(&world).await;
    let bad = yaml("bad", "  filters:\n    - name: grep\n      match: \"*\"\n      regex: log (\n");
    let status = agent.apply(offer("bad", &[("", &bad)])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    for part in
        ["process proof failed: the reload hung for", "collection stood still for", "could not compile regex"]
    {
        assert!(status.error_message.contains(part), "{}", status.error_message);
    }
    let after = agent.healthy().await;
    assert!(names(&after.health).contains(&"output:dead"));
    agent.stop().await;
}

/// Hard case 5, by the host's own choice.
#[tokio::test]
async fn given_a_host_that_keeps_the_former_config_when_a_reload_hangs_then_that_runs_and_the_offer_failed() {
    let Some((mut world, agent)) = with_a_dead_output().await else { return };
    agent.stop().await;
    world.settings.patience.on_hang = tidegate_supervisor::apply::OnHang::Old;
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    records_wait(&world).await;
    let status = agent.apply(offer("new", &[("", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.contains("did not come to its end within"), "{}", status.error_message);
    assert!(status.error_message.contains("collection stood still"), "{}", status.error_message);
    assert!(!alive(pid(&before)), "the hung process is gone");
    let after = agent.healthy().await;
    assert!(names(&after.health).contains(&"output:dead"));
    agent.stop().await;
}

/// Hard case 18: where the host says so, whoever stopped it.
#[tokio::test]
async fn given_a_host_that_restarts_stopped_agents_when_one_is_stopped_then_a_new_one_works_in_its_place() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.patience.on_silence = tidegate_supervisor::supervise::OnSilence::RestartStopped;
    world.settings.patience.silence = std::time::Duration::from_secs(4);
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    signal(pid(&before), Signal::STOP);
    let start = before.health.start_time_unix_nano;
    let after = agent
        .until("a new process", |report| report.health.healthy && report.health.start_time_unix_nano > start)
        .await;
    assert_ne!(pid(&before), pid(&after));
    assert!(!alive(pid(&before)));
    agent.stop().await;
}

#[tokio::test]
async fn given_an_input_port_that_another_holds_then_the_offer_fails_and_the_former_config_runs() {
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap().port();
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    let more = format!("    - name: tcp\n      listen: 127.0.0.1\n      port: {taken}\n");
    let status = agent.apply(offer("taken", &[("", &yaml("remote", &more))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.contains("could not bind address"), "{}", status.error_message);
    let after = agent.healthy().await;
    assert!(names(&after.health).contains(&"input:gen"));
    assert!(read(&world.settings.state_dir.join("run/fluent-bit.yaml")).contains("alias: gen"));
    agent.stop().await;
}

//! What the next supervisor makes of what the last one left.

use std::fs;

use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::agent::{AgentCommand, Question};

use crate::world::{Agent, World, ask, names, offer, pid, yaml};

/// Another supervisor takes the place of this one, which goes without a word.
pub(crate) async fn succeed(world: &World, agent: Agent) -> Agent {
    drop(agent);
    let taken_over = async {
        loop {
            // The former task lets go of the state folder a moment after its handle is gone.
            match world.try_start().await {
                Ok(handle) => return Agent { handle },
                Err(error) => assert!(error.to_string().contains("in use by another supervisor"), "{error}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(crate::world::PATIENCE, taken_over).await.unwrap()
}

/// Changes the journal while no supervisor runs.
fn edit_journal(world: &World, edit: impl FnOnce(&mut serde_json::Value)) {
    let path = world.settings.state_dir.join("journal.json");
    let mut journal = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    edit(&mut journal);
    fs::write(&path, journal.to_string()).unwrap();
}

#[tokio::test]
async fn given_an_include_that_changed_meanwhile_when_adopted_then_the_agent_is_started_on_it() {
    let Some(world) = World::new("") else { return };
    let folder = world.settings.config.parent().unwrap();
    let include = folder.join("inputs.yaml");
    let input = |alias: &str| format!("pipeline:\n  inputs:\n    - name: dummy\n      alias: {alias}\n");
    fs::write(&include, input("one")).unwrap();
    let main = "includes:\n  - inputs.yaml\nservice:\n  flush: 1\n  grace: 1\npipeline:\n  outputs:\n    - name: \"null\"\n      match: \"*\"\n";
    fs::write(&world.settings.config, main).unwrap();
    let mut first = world.start().await;
    let before = first.healthy().await;
    let mut second = succeed(&world, first).await;
    let same = second.healthy().await;
    assert_eq!(pid(&before), pid(&same), "nothing changed");
    fs::write(&include, input("two")).unwrap();
    let mut third = succeed(&world, second).await;
    let after = third.until("the new input", |report| names(&report.health).contains(&"input:two")).await;
    assert_ne!(pid(&before), pid(&after));
    third.stop().await;
}

#[tokio::test]
async fn given_a_config_that_was_broken_meanwhile_when_adopted_then_the_agent_runs_on_and_the_fault_is_told()
{
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    let before = first.healthy().await;
    fs::write(&world.settings.config, "pipeline:\n  inputs: [\n").unwrap();
    let mut second = succeed(&world, first).await;
    let after = second.healthy().await;
    assert_eq!(pid(&before), pid(&after));
    assert!(names(&after.health).contains(&"input:gen"));
    let config = &after.health.component_health_map["config"];
    assert!(!config.healthy && config.last_error.contains("the config is broken"), "{config:?}");
    world.settings.binary = "/no/such/fluent-bit".into();
    let mut third = succeed(&world, second).await;
    let after = third.healthy().await;
    assert_eq!(pid(&before), pid(&after));
    let config = &after.health.component_health_map["config"];
    assert!(config.last_error.contains("cannot find the agent's binary"), "{config:?}");
    third.stop().await;
}

#[tokio::test]
async fn given_an_offer_that_two_supervisors_did_not_survive_then_the_third_reports_it_and_leaves_it() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    first.healthy().await;
    assert_eq!(
        first.apply(offer("h", &[("", &yaml("remote", ""))])).await.status,
        RemoteConfigStatuses::Applied
    );
    first.stop().await;
    edit_journal(&world, |journal| {
        journal["candidate"] = journal["current"].take();
        journal["begun"] = 2.into();
        journal["status"]["state"] = RemoteConfigStatuses::Applying.0.into();
    });
    let mut next = world.start().await;
    let report = next.healthy().await;
    let status = report.remote_config_status.unwrap();
    assert_eq!(
        (status.status, status.error_message.as_str(), status.last_remote_config_hash.as_ref()),
        (RemoteConfigStatuses::Failed, "the supervisor did not survive applying it twice", b"h".as_ref())
    );
    assert!(names(&report.health).contains(&"input:gen"));
    assert_eq!(ask(world.port(), "/api/v2/reload").await, "{\"hot_reload_count\":0}");
    next.stop().await;
    edit_journal(&world, |journal| assert!(journal["candidate"].is_null(), "{journal}"));
}

#[tokio::test]
async fn given_an_applied_offer_that_cannot_run_any_more_then_it_is_not_called_applied() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    assert_eq!(
        agent.apply(offer("h", &[("", &yaml("remote", ""))])).await.status,
        RemoteConfigStatuses::Applied
    );
    agent.stop().await;

    world.settings.allow_remote_config = false;
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert!(names(&report.health).contains(&"input:gen"));
    assert_eq!(report.remote_config_status, None, "this host takes no offers");
    agent.stop().await;

    world.settings.allow_remote_config = true;
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert!(names(&report.health).contains(&"input:remote"));
    assert_eq!(report.remote_config_status.unwrap().status, RemoteConfigStatuses::Applied);
    agent.stop().await;

    fs::remove_dir_all(world.settings.state_dir.join("configs")).unwrap();
    let mut agent = world.start().await;
    let report = agent.healthy().await;
    assert!(names(&report.health).contains(&"input:gen"));
    let status = report.remote_config_status.unwrap();
    assert_eq!(
        (status.status, status.last_remote_config_hash.as_ref()),
        (RemoteConfigStatuses::Failed, b"h".as_ref())
    );
    assert!(status.error_message.contains("manifest.json is missing"), "{}", status.error_message);
    agent.stop().await;
}

/// C085: what the log says of a config that ran before is not told either, by this supervisor or the next.
#[tokio::test]
async fn given_a_log_that_quotes_the_hosts_own_secret_when_another_config_runs_then_it_is_not_told() {
    let own = format!("env:\n  API_TOKEN: host-s3cret\n{}", yaml("own", ""));
    let Some(world) = World::new(&own) else { return };
    let mut agent = world.start().await;
    agent.healthy().await;
    let applied = agent.apply(offer("remote", &[("", &yaml("remote", ""))])).await;
    assert_eq!(applied.status, RemoteConfigStatuses::Applied);
    let mut log =
        fs::OpenOptions::new().append(true).open(world.settings.state_dir.join("agent.log")).unwrap();
    for _ in 0..2 {
        std::io::Write::write_all(&mut log, b"[error] the token host-s3cret is wrong\n").unwrap();
        let (reply, answer) = tokio::sync::oneshot::channel();
        agent.send(AgentCommand::Ask(Question::Logs(5, reply))).await;
        let told = answer.await.unwrap().unwrap().join("\n");
        assert!(told.contains("the token (secret) is wrong") && !told.contains("host-s3cret"), "{told}");
        agent = succeed(&world, agent).await;
        agent.until("the config", |report| names(&report.health).contains(&"input:remote")).await;
    }
    agent.stop().await;
}

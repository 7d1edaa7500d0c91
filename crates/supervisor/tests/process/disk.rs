//! Files that cannot be written while an offer is on trial.

use std::{fs, time::Duration};

use tidegate_opamp::RemoteConfigStatuses;

use crate::world::{World, names, offer, pid, yaml};

#[tokio::test]
async fn given_an_offer_that_fails_while_nothing_can_be_written_then_the_former_config_comes_back_all_the_same()
 {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.probation = Duration::from_secs(8);
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let dead = tidegate_supervisor::child::free_port().unwrap();
    let lossy = format!(
        "{}    - name: http\n      alias: lossy\n      match: \"*\"\n      host: 127.0.0.1\n      port: {dead}\n      retry_limit: no_retries\n",
        yaml("remote", "")
    );
    let run = world.settings.state_dir.join("run");
    let block = async {
        // The new config's file is in place as soon as the former one has its second name and another content.
        while !fs::read_to_string(run.join("fluent-bit.yaml")).unwrap().contains("remote") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // A folder where the temporary file would go makes each write fail, as on a full disk.
        fs::create_dir(run.join("fluent-bit.yaml.tmp")).unwrap();
    };
    let (status, ()) = tokio::join!(agent.apply(offer("lossy", &[("", &lossy)])), block);
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.starts_with("health proof failed"), "{}", status.error_message);
    let after = agent
        .until("the former input", |r| r.health.healthy && names(&r.health).contains(&"input:gen"))
        .await;
    assert_eq!(pid(&before), pid(&after), "it was not killed");
    agent.stop().await;
}

#[tokio::test]
async fn given_a_proven_offer_that_cannot_be_written_down_then_it_fails_and_is_not_kept() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    world.settings.probation = Duration::from_secs(2);
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let block = async {
        let run = world.settings.state_dir.join("run/fluent-bit.yaml");
        while !fs::read_to_string(&run).unwrap().contains("remote") {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        fs::create_dir(world.settings.state_dir.join("journal.json.tmp")).unwrap();
    };
    let (status, ()) = tokio::join!(agent.apply(offer("h", &[("", &yaml("remote", ""))])), block);
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.starts_with("disk proof failed: cannot write"), "{}", status.error_message);
    let after = agent
        .until("the former input", |r| r.health.healthy && names(&r.health).contains(&"input:gen"))
        .await;
    assert_eq!(pid(&before), pid(&after));
    let rendered = &after.effective_config.config_map.as_ref().unwrap().config_map["tidegate/rendered"].body;
    assert!(String::from_utf8_lossy(rendered).contains("alias: gen"));
    agent.stop().await;
}

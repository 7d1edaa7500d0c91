//! What an earlier supervisor left, and a later one that cannot read of it.

use std::fs;

use tidegate_opamp::RemoteConfigStatuses;
use tidegate_supervisor::child::Identity;

use crate::again::succeed;
use crate::world::{World, alive, names, offer, pid, yaml};

/// Puts a folder, which nobody can read as a file, in the place of a state file, and gives the way back.
fn unreadable(world: &World, name: &str) -> impl FnOnce() + use<> {
    let path = world.settings.state_dir.join(name);
    let aside = world.settings.config.with_file_name("aside");
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    move || {
        fs::remove_dir(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
}

/// Hard case 8: it may name an agent that runs.
#[tokio::test]
async fn given_a_record_of_the_child_that_cannot_be_read_when_started_then_no_second_agent_comes() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    let before = pid(&first.healthy().await);
    first.release().await;
    let readable = unreadable(&world, "child.json");
    let said = world.try_start().await.unwrap_err().to_string();
    assert!(said.contains("cannot read") && said.contains("child.json"), "{said}");
    assert!(alive(before));
    readable();
    let mut second = world.start().await;
    assert_eq!(pid(&second.healthy().await), before, "the very one is taken over");
    second.stop().await;
}

/// Changes the record of the child while no supervisor runs.
fn edit_record(world: &World, edit: impl FnOnce(&mut serde_json::Value)) {
    let path = world.settings.state_dir.join("child.json");
    let mut record = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    edit(&mut record);
    fs::write(&path, record.to_string()).unwrap();
}

/// Hard case 8: as a supervisor leaves it that is killed between the start of its agent and the record of it.
#[tokio::test]
async fn given_a_start_that_was_only_announced_when_started_then_the_agent_is_found_and_no_second_one_comes()
{
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    let before = first.healthy().await;
    first.release().await;
    edit_record(&world, |record| record["identity"] = serde_json::to_value(Identity::unborn()).unwrap());
    let mut second = world.start().await;
    let after = second.healthy().await;
    assert_eq!(pid(&before), pid(&after));
    assert_eq!(before.health.start_time_unix_nano, after.health.start_time_unix_nano);
    let mut third = succeed(&world, second).await;
    assert_eq!(pid(&third.healthy().await), pid(&before), "it is written down by now");
    third.stop().await;
}

/// Hard case 8: where all that was written down is lost, damaged or of a former process.
#[tokio::test]
async fn given_no_word_of_an_agent_that_runs_when_started_then_it_is_found_and_started_anew() {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut agent = world.start().await;
    for lost in ["gone", "damaged", "former"] {
        let before = pid(&agent.healthy().await);
        agent.release().await;
        let path = world.settings.state_dir.join("child.json");
        match lost {
            "gone" => fs::remove_file(&path).unwrap(),
            "damaged" => fs::write(&path, "{").unwrap(),
            _ => edit_record(&world, |record| record["identity"]["start_ticks"] = 1.into()),
        }
        agent = world.start().await;
        assert_ne!(pid(&agent.healthy().await), before, "{lost}");
        assert!(!alive(before), "{lost}: two do not run");
    }
    agent.stop().await;
}

/// Hard case 16: an applied config is not forgotten for a fault of the disk.
#[tokio::test]
async fn given_a_journal_that_cannot_be_read_when_started_then_the_start_waits_and_the_applied_config_runs_later()
 {
    let Some(world) = World::new(&yaml("gen", "")) else { return };
    let mut first = world.start().await;
    first.healthy().await;
    let status = first.apply(offer("h1", &[("", &yaml("remote", ""))])).await;
    assert_eq!(status.status, RemoteConfigStatuses::Applied, "{status:?}");
    first.stop().await;
    let readable = unreadable(&world, "journal.json");
    let said = world.try_start().await.unwrap_err().to_string();
    assert!(said.contains("cannot read") && said.contains("journal.json"), "{said}");
    readable();
    let mut second = world.start().await;
    let report = second.healthy().await;
    assert!(names(&report.health).contains(&"input:remote"));
    second.stop().await;
}

//! What an earlier supervisor left, and a later one that cannot read of it.

use std::fs;

use tidegate_opamp::RemoteConfigStatuses;

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

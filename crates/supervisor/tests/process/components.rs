//! What the agent's binary can run.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

use tidegate_supervisor::agent::AgentReport;

use crate::world::{World, yaml};

/// A program that hands on to the agent's binary, and notes each time that it is asked for its components.
fn noting(world: &World, asked: &Path, extra: &str) -> std::path::PathBuf {
    let path = asked.with_extension("sh");
    let mut options = fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o755).open(&path).unwrap();
    let (real, asked) = (world.settings.binary.display(), asked.display());
    writeln!(
        file,
        "#!/bin/sh\nif [ \"$1\" = -J ]; then echo asked >> {asked}; {extra}fi\nexec {real} \"$@\""
    )
    .unwrap();
    path
}

fn count(asked: &Path) -> usize {
    fs::read_to_string(asked).unwrap_or_default().lines().count()
}

fn plugins<'a>(report: &'a AgentReport, group: &str) -> Vec<&'a str> {
    let all = report.available_components.as_ref().unwrap();
    all.components[group].sub_component_map.keys().map(String::as_str).collect()
}

/// C162, C163, C192: the binary is asked once; a supervisor that starts again knows its answer.
#[tokio::test]
async fn given_a_binary_when_supervised_again_and_again_then_it_is_asked_for_its_components_once() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let asked = world.settings.config.with_file_name("asked");
    world.settings.binary = noting(&world, &asked, "");
    let mut first = None;
    for _ in 0..2 {
        let mut agent = world.start().await;
        let report = agent.healthy().await;
        assert!(plugins(&report, "inputs").contains(&"dummy"));
        assert!(plugins(&report, "outputs").contains(&"null"));
        assert_eq!(report.available_components.as_ref().unwrap().hash.len(), 32);
        let known = first.get_or_insert_with(|| report.available_components.clone());
        assert_eq!(*known, report.available_components);
        agent.stop().await;
    }
    assert_eq!(count(&asked), 1);
    let kept = world.settings.state_dir.join("components.json");
    let bytes = fs::metadata(&kept).unwrap().len();
    assert!(bytes < 64 * 1024, "{bytes} bytes for what should be names and descriptions");
}

/// C163: a binary that cannot tell is supervised all the same, without the part, and is asked once as well.
#[tokio::test]
async fn given_a_binary_without_a_list_when_supervised_then_the_part_is_absent_and_the_agent_runs() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let asked = world.settings.config.with_file_name("asked");
    world.settings.binary = noting(&world, &asked, "echo 'unknown option -J'; exit 1; ");
    for _ in 0..2 {
        let mut agent = world.start().await;
        assert_eq!(agent.healthy().await.available_components, None);
        agent.stop().await;
    }
    assert_eq!(count(&asked), 1);
}

/// C192: components follow the binary that runs. One that was exchanged under a running agent says nothing of it, and
/// is asked once the agent is started from it.
#[tokio::test]
async fn given_another_binary_in_its_place_when_the_agent_starts_from_it_then_its_components_are_told() {
    let Some(mut world) = World::new(&yaml("gen", "")) else { return };
    let asked = world.settings.config.with_file_name("asked");
    world.settings.binary = noting(&world, &asked, "");
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let text = fs::read_to_string(&world.settings.binary).unwrap();
    let other = r#"echo '{"fluent-bit":{"version":""},"inputs":[{"name":"only"}]}'; exit 0; fi"#;
    fs::write(&world.settings.binary, text.replace("fi\n", &format!("{other}\n"))).unwrap();
    agent.send(tidegate_supervisor::agent::AgentCommand::Restart).await;
    let after = agent
        .until("other components", |report| report.available_components != before.available_components)
        .await;
    assert_eq!(plugins(&after, "inputs"), ["only"]);
    agent.stop().await;
    assert_eq!(count(&asked), 2);
}

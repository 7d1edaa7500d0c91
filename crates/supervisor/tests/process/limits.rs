//! What the host lets an offered config name.

use std::fs;

use tidegate_opamp::RemoteConfigStatuses;

use crate::again::succeed;
use crate::world::{World, names, offer, pid, read, yaml};

/// A tail of this path, as a further input.
fn tail(path: &str) -> String {
    yaml("other", &format!("    - name: tail\n      path: {path}\n"))
}

/// C097, C187: each attempt is FAILED with file, line, property and limit, and the agent never hears of it.
#[tokio::test]
async fn given_folders_and_programs_that_are_allowed_when_others_are_offered_then_each_is_refused_untouched()
{
    let Some(mut world) = World::new(&yaml("own", "")) else { return };
    let folder = world.settings.config.parent().unwrap().to_owned();
    let logs = folder.join("logs");
    fs::create_dir(&logs).unwrap();
    std::os::unix::fs::symlink("/etc", logs.join("etc")).unwrap();
    world.settings.limits.paths = Some(vec![logs.clone()]);
    world.settings.limits.never = vec![world.settings.state_dir.clone()];
    let mut agent = world.start().await;
    let before = agent.healthy().await;
    let (logs, state) = (logs.display().to_string(), world.settings.state_dir.display().to_string());
    let outside = "is outside of what this host lets offered configs name (limits.config.paths)";
    let cases = [
        (tail("/etc/shadow"), "fluent-bit.yaml:9:7: input tail path \"/etc/shadow\"", outside),
        (tail(&format!("{logs}/a.log,/etc/shadow")), "input tail path \"/etc/shadow\"", outside),
        (tail(&format!("{logs}/../own.yaml")), "input tail path", "may not lead upwards"),
        (tail(&format!("{logs}/etc/shadow")), "input tail path", outside),
        (tail(&format!("{state}/journal.json")), "input tail path", "it belongs to the supervisor"),
        // The agent runs in the folder of the host's own config, and takes these from there.
        (tail("own.yaml"), "input tail path \"own.yaml\"", outside),
        (tail("'*.yaml'"), "input tail path \"*.yaml\"", outside),
        (tail("state/journal.json"), "input tail path", "it belongs to the supervisor"),
        (
            format!("{}    - name: file\n      match: none\n", yaml("other", "")),
            "output file path \".\"",
            "supervisor",
        ),
        (format!("env:\n  P: /etc/shadow\n{}", tail("${P}")), "input tail path \"${P}\"", outside),
        (format!("env:\n  P: file:///etc/shadow\n{}", yaml("other", "")), "env P \"/etc/shadow\"", outside),
        (
            format!("includes:\n  - /etc/hosts\n{}", yaml("other", "")),
            "include include \"/etc/hosts\"",
            outside,
        ),
        (
            yaml(
                "other",
                "    - name: dummy\n      processors:\n        logs:\n          - name: lua\n            call: f\n            code: x\n",
            ),
            "input dummy processor lua name \"lua\"",
            "lets no offered config run code by lua (limits.config.run)",
        ),
        (
            yaml("other", "    - name: exec\n      command: id\n"),
            "input exec name \"exec\"",
            "run code by exec",
        ),
    ];
    for (number, (config, place, limit)) in cases.into_iter().enumerate() {
        let status = agent.apply(offer(&format!("h{number}"), &[("fluent-bit.yaml", &config)])).await;
        assert_eq!(status.status, RemoteConfigStatuses::Failed, "{config}");
        let said = &status.error_message;
        assert!(
            said.starts_with("limits proof failed: ") && said.contains(place) && said.contains(limit),
            "{said}"
        );
        assert!(!said.contains("root:"), "{said}");
    }
    let after = agent.healthy().await;
    assert_eq!(pid(&before), pid(&after));
    assert!(names(&after.health).contains(&"input:own"));
    assert_eq!(read(&world.settings.config), yaml("own", ""));
    // What stays within the limits is applied, with files of its own beside it.
    let good = format!("includes:\n  - more.yaml\n{}", tail(&format!("{logs}/*.log")));
    let more = "pipeline:\n  inputs:\n    - name: dummy\n      alias: included\n";
    let status = agent.apply(offer("good", &[("fluent-bit.yaml", &good), ("more.yaml", more)])).await;
    assert_eq!((status.status, status.error_message.as_str()), (RemoteConfigStatuses::Applied, ""));
    agent.stop().await;
}

/// C187: limits are the host's: they hold for what was applied before they were set, and not for its own file.
#[tokio::test]
async fn given_limits_that_change_when_the_next_supervisor_starts_then_they_decide_anew_and_spare_the_own_file()
 {
    let Some(mut world) = World::new(&tail("/var/log/own-*.log")) else { return };
    let offered = || {
        offer(
            "h1",
            &[("fluent-bit.yaml", &yaml("offered", "    - name: tail\n      path: /var/log/x.log\n"))],
        )
    };
    let mut first = world.start().await;
    first.healthy().await;
    assert_eq!(first.apply(offered()).await.status, RemoteConfigStatuses::Applied);
    world.settings.limits.paths = Some(vec!["/nowhere".into()]);
    let mut second = succeed(&world, first).await;
    let report = second
        .until("the host's own file", |report| {
            report.health.healthy && names(&report.health).contains(&"input:other")
        })
        .await;
    let status = report.remote_config_status.unwrap();
    assert_eq!(status.status, RemoteConfigStatuses::Failed);
    assert!(status.error_message.contains("limits.config.paths"), "{}", status.error_message);
    assert_eq!(second.apply(offered()).await.status, RemoteConfigStatuses::Failed);
    // What is allowed again is not remembered as refused.
    world.settings.limits.paths = None;
    let mut third = succeed(&world, second).await;
    third.healthy().await;
    assert_eq!(third.apply(offered()).await.status, RemoteConfigStatuses::Applied);
    third.stop().await;
}

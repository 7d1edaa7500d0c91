//! The service unit that is shipped, as systemd itself judges it.

use std::path::Path;
use std::process::Command;

use tidegate_testkit::fleet::{Scene, program, skipped};

const UNIT: &str = include_str!("../../../../packaging/systemd/tidegate-supervisor.service");

/// The highest exposure that is borne, in tenths, of systemd's scale from 0 to 100.
const EXPOSURE: u32 = 25;

/// C186: no root, no capabilities, a file system that is read only; and the orders that the supervisor understands.
#[test]
fn given_the_unit_when_systemd_judges_it_then_it_is_sound_and_exposes_little() {
    let line = |line: &str| assert!(UNIT.lines().any(|there| there == line), "no {line} in the unit");
    for part in
        ["KillMode=process", "ExecReload=/bin/kill -HUP $MAINPID", "CapabilityBoundingSet=", "UMask=0077"]
    {
        line(part);
    }
    // Longer than the supervisor itself waits for an agent.
    let stop = UNIT.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")?.parse::<u64>().ok());
    assert!(stop > Some(320), "{stop:?}");
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        return skipped("no systemd-analyze: the unit is not judged by systemd");
    }
    let scene = Scene::new("unit");
    let binary = program("tidegate-supervisor").display().to_string();
    let unit = UNIT.replace("/usr/local/bin/tidegate-supervisor", &binary);
    let path = scene.write("tidegate-supervisor.service", &unit);
    let (done, said) = analyze(&["verify", "--man=no", "--recursive-errors=no"], &path);
    assert!(done && said.trim().is_empty(), "{said}");
    let threshold = format!("--threshold={EXPOSURE}");
    let (done, said) = analyze(&["security", "--offline=true", "--no-pager", &threshold], &path);
    assert!(done, "{said}");
}

fn analyze(args: &[&str], unit: &Path) -> (bool, String) {
    let output = Command::new("systemd-analyze").args(args).arg(unit).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

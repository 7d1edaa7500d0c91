//! A supervisor that is told to end before it has begun.

use std::{
    fs,
    os::unix::{
        fs::PermissionsExt as _,
        process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Child, Command, ExitStatus},
    time::{Duration, Instant},
};

use rustix::process::Signal;
use tidegate_supervisor::{
    child::Identity,
    state::{ChildRecord, StateDir},
};

use crate::world::{PATIENCE, signal};

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: not seen");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end_of(child: &mut Child) -> ExitStatus {
    until("the end of the process", || child.try_wait().unwrap())
}

#[test]
fn given_a_stop_while_the_start_is_held_up_then_the_supervisor_and_the_agent_that_was_left_end() {
    let folder = tempfile::tempdir().unwrap();
    let (binary, state, asked) =
        (folder.path().join("agent"), folder.path().join("state"), folder.path().join("asked"));
    fs::write(&binary, format!("#!/bin/sh\ntouch {}\nexec sleep 600\n", asked.display())).unwrap();
    fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
    let mut left = Command::new("/bin/sleep").arg("600").process_group(0).spawn().unwrap();
    let record = ChildRecord {
        identity: Identity::of(left.id().try_into().unwrap()).unwrap().unwrap(),
        config: "/c.yaml".into(),
        port: 1,
        started_unix_nano: 1,
        loaded: String::new(),
    };
    StateDir::open(&state).unwrap().save_child(&record).unwrap();
    let mut supervisor = Command::new(env!("CARGO_BIN_EXE_tidegate-supervisor"))
        .args(["--endpoint", "ws://127.0.0.1:1", "--kind", "fluent-bit", "--agent-config", "/c.yaml"])
        .args([
            std::ffi::OsStr::new("--binary"),
            binary.as_os_str(),
            "--state-dir".as_ref(),
            state.as_os_str(),
        ])
        .spawn()
        .unwrap();
    until("the question for the version", || asked.exists().then_some(()));
    let begun = Instant::now();
    signal(supervisor.id().into(), Signal::TERM);
    assert_eq!(end_of(&mut left).signal(), Some(15), "the agent that was left is stopped");
    let status = end_of(&mut supervisor);
    assert_eq!(status.code(), Some(0), "{status:?}");
    assert!(begun.elapsed() < Duration::from_secs(8), "the start was not waited for");
}

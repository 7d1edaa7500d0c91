//! Starting and stopping, with shell scripts for agents.

use super::*;
use crate::{
    agent::AgentReport,
    child::{Identity, LogTail},
    kind::{LineVerdict, Source, fluent_bit::FluentBit},
    machine::{Fixed, Origin, Ports},
    report::{Host, Publisher},
    state::StateDir,
};
use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, sync::Arc};

/// A machine whose agent is this shell script.
async fn machine(script: &str) -> (Machine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let binary = folder.path().join("agent");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).mode(0o755).open(&binary).unwrap();
    file.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).unwrap();
    drop(file);
    let state = StateDir::open(&folder.path().join("state")).unwrap();
    let fixed = Fixed {
        kind: Arc::new(FluentBit),
        binary,
        uid: "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap(),
        host: Host::of_this_machine(),
        attributes: std::collections::BTreeMap::new(),
        redaction: None,
        metrics_interval: None,
        own_telemetry: None,
        limits: crate::machine::ConfigLimits::default(),
        cwd: state.run(),
    };
    let text =
        "service:\n  grace: 1\npipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: \"null\"\n";
    let source = Source { path: folder.path().join("c.yaml"), text: text.to_owned() };
    let loaded =
        Loaded::prepare(&fixed, &state, Origin::Local, source, Vec::new(), Ports::default()).await.unwrap();
    let log = LogTail::open(&state.log()).unwrap();
    let first = AgentReport::default();
    let (publisher, _) = Publisher::new(first);
    (Machine::new(fixed, state, log, "1".into(), loaded, publisher), folder)
}

#[tokio::test]
async fn given_a_process_that_runs_when_started_again_then_no_second_one_comes() {
    let (mut machine, _folder) = machine("exec sleep 600").await;
    machine.start().await.unwrap();
    let pid = machine.running.as_ref().unwrap().child.pid();
    let fault = machine.start().await.unwrap_err();
    assert!(matches!(fault, StartFault::Alive { pid: alive } if alive == pid), "{fault}");
    assert_eq!(machine.running.as_ref().unwrap().child.pid(), pid);
    machine.kill().await.unwrap();
    assert!(machine.running.is_none());
    machine.start().await.unwrap();
    machine.kill().await.unwrap();
}

/// A reload excuses silence until it has ended, in whatever way.
#[tokio::test]
async fn given_a_process_that_is_silent_behind_a_reload_when_that_has_ended_then_it_is_seen() {
    let (mut machine, _folder) = machine("exec sleep 600").await;
    machine.start().await.unwrap();
    machine.running.as_mut().unwrap().answered = Some(std::time::Instant::now());
    machine.reloading(false);
    for _ in 0..4 {
        machine.look().await;
    }
    assert_eq!(machine.silence(), None);
    machine.reload_ended();
    for _ in 0..3 {
        machine.look().await;
    }
    assert!(machine.silence().is_some() && machine.trouble().contains("does not answer"));
    machine.kill().await.unwrap();
}

#[tokio::test]
async fn given_a_fatal_line_in_a_flood_when_read_then_it_is_not_pushed_out() {
    let (mut machine, _folder) = machine("exec sleep 600").await;
    machine.mark_log();
    let mut writer = machine.log.writer().try_clone().unwrap();
    writer.write_all(b"[2026/11/22 09:57:36.467] [error] [config] dummy: it is wrong\n").unwrap();
    for number in 0..500 {
        writeln!(writer, "[2026/11/22 09:57:36.467] [error] [output:http] {number} lost").unwrap();
    }
    machine.read_log();
    let found = |machine: &Machine| {
        machine
            .marked()
            .any(|(verdict, line)| *verdict == LineVerdict::ConfigError && line.ends_with("it is wrong"))
    };
    assert!(found(&machine));
    assert!(machine.marked().count() < 100, "the rest is bounded");
    machine.mark_log();
    assert!(!found(&machine));
}

#[tokio::test]
async fn given_a_process_that_floods_its_log_when_stopped_then_the_log_stays_short() {
    let (mut machine, _folder) = machine(
        "trap '' TERM; echo ready; while [ ! -e go ]; do sleep 0.01; done; \
         head -c 12000000 /dev/zero; sleep 3",
    )
    .await;
    machine.start().await.unwrap();
    let ready = async {
        while machine.last_lines(100) != "ready" {
            machine.read_log();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), ready).await.unwrap();
    std::fs::write(machine.state.run().join("go"), "").unwrap();
    let (path, pid) = (machine.state.log(), machine.running.as_ref().unwrap().child.pid());
    let shortened = async {
        let mut was_long = false;
        loop {
            let length = std::fs::metadata(&path).unwrap().len();
            if was_long && length < 1_000_000 {
                return Identity::of(pid).unwrap().is_some();
            }
            was_long |= length > 8_000_000;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let (stopped, alive) = tokio::join!(machine.stop(), timeout(Duration::from_secs(30), shortened));
    stopped.unwrap();
    assert_eq!(alive, Ok(true), "shortened while the process lived");
}

/// Hard case 11: what went to the background is not given a second one beside it.
#[tokio::test]
async fn given_a_process_that_ends_at_once_while_its_port_is_served_then_no_second_one_is_started() {
    let (mut machine, _folder) = machine("exit 0").await;
    machine.start().await.unwrap();
    let port = machine.loaded.rendered.port;
    let daemon = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let exit = machine.exited().await;
    machine.has_ended(exit, crate::report::Phase::Crashed);
    for _ in 0..2 {
        let fault = machine.start().await.unwrap_err();
        assert!(matches!(fault, StartFault::Escaped { port: served } if served == port), "{fault}");
    }
    drop(daemon);
    // A program that another test starts at this moment holds the socket until it runs.
    let started = async {
        while let Err(fault) = machine.start().await {
            assert!(matches!(fault, StartFault::Escaped { .. }), "{fault}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), started).await.unwrap();
    machine.kill().await.unwrap();
}

/// Hard case 20: the loader's complaint is the only word of a program without its library.
#[tokio::test]
async fn given_a_process_that_fails_at_once_without_an_error_line_then_its_last_line_is_told() {
    let (mut machine, _folder) = machine(
        "echo agent: error while loading shared libraries: libyaml-0.so.2: cannot open >&2; exit 127",
    )
    .await;
    machine.start().await.unwrap();
    let exit = machine.exited().await;
    let told = machine.has_ended(exit, crate::report::Phase::Crashed);
    assert!(
        told.starts_with("fluent-bit exited with code 127; its last line was: agent: error while loading"),
        "{told}"
    );
}

//! Interruptions and readers that go away.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::canned::{Canned, Reply};
use super::program::{ran, tidegate};
use super::values::{WEB, agent, bookmark, happened, list};

#[test]
fn given_a_follower_when_interrupted_then_it_ends_with_130() {
    let server = Canned::new(|request| match request.path.as_str() {
        "/events" => Reply::Json(200, list(&[])),
        _ => Reply::Open(bookmark(1) + &happened(2, "live")),
    });
    let mut child =
        tidegate(&server, &["events", "-f"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("TIME"));
    assert!(lines.next().unwrap().unwrap().ends_with("live"));
    // The program has written its first live event, so it listens to signals by now.
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.err.starts_with("error: interrupted"), "{}", ran.err);
}

#[test]
fn given_a_reader_that_goes_away_then_the_program_ends_quietly() {
    let many: Vec<_> = (0..2000).map(|_| agent(WEB, "web-1")).collect();
    let server = Canned::new(move |_| Reply::Json(200, list(&many)));
    let mut child = tidegate(&server, &["get", "agents", "-o", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

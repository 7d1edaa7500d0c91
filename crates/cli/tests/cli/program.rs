//! Runs the program with an empty environment.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use super::canned::Canned;

/// The program, told where the server is, with a token and nothing else.
pub(super) fn tidegate(server: &Canned, args: &[&str]) -> Command {
    let mut command = bare(args);
    command.env("TIDEGATE_SERVER", server.url()).env("TIDEGATE_TOKEN", "secret-token");
    command
}

/// The program in an empty environment.
pub(super) fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    command.env_clear().args(args).stdin(Stdio::null());
    command
}

/// What came of a run.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) code: i32,
    pub(super) out: String,
    pub(super) err: String,
}

pub(super) fn run(server: &Canned, args: &[&str]) -> Ran {
    ran(tidegate(server, args).output().unwrap())
}

pub(super) fn ran(output: Output) -> Ran {
    let ran = Ran {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    };
    let steers = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    assert!(!steers(&ran.out) && !steers(&ran.err), "control characters reached a stream: {ran:?}");
    assert!(
        !ran.err.contains("secret-token") && !ran.out.contains("secret-token"),
        "the token is shown: {ran:?}"
    );
    ran
}

/// A file of the test's own; it lives as long as the folder.
pub(super) fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

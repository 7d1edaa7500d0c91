//! The command line as the program that is shipped.

use std::path::Path;

use super::programs::program;

/// What a run of the command line left.
#[derive(Clone, Debug)]
pub struct Output {
    /// The exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said beside.
    pub stderr: String,
}

/// Runs `tidegate` to its end with nothing in its environment but XDG_STATE_HOME, where it finds a local server.
///
/// # Panics
/// When it cannot be run.
pub async fn tidegate(state_home: &Path, arguments: &[&str]) -> Output {
    let mut command = std::process::Command::new(program("tidegate"));
    command.args(arguments).env_clear().env("XDG_STATE_HOME", state_home);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Output { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

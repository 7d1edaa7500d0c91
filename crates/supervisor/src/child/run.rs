//! Running a program to its end, such as a check of a config or a question for its version.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::timeout;

use super::{Child, CommandLine, Exit, SpawnError};

/// Most of a program's output that is read, in bytes.
const OUTPUT_LIMIT: u64 = 2 * 1024 * 1024;

/// A program that ran to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// How it ended.
    pub exit: Exit,
    /// What it wrote to stdout and stderr, mixed; at most 2 MiB.
    pub output: String,
}

/// Why a program did not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It could not be started.
    #[error(transparent)]
    Spawn(#[from] SpawnError),
    /// Its output could not be kept or read.
    #[error("cannot keep the output of {} in {}: {source}", program.display(), path.display())]
    Output {
        /// The program file.
        program: PathBuf,
        /// Where its output goes.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It took too long and was killed.
    #[error("{} did not end within {} s and was killed", program.display(), deadline.as_secs_f32())]
    Deadline {
        /// The program file.
        program: PathBuf,
        /// How long it was given.
        deadline: Duration,
    },
}

/// Kills the process when the wait for it is given up.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Runs a program to its end, with its output going to the file `scratch`. One that outlives the deadline is
/// killed, and so is one whose wait is dropped.
///
/// # Errors
/// [`RunError`].
pub async fn run_to_end(
    line: &CommandLine,
    scratch: &Path,
    deadline: Duration,
) -> Result<Finished, RunError> {
    let kept = |source| RunError::Output { program: line.program.clone(), path: scratch.to_owned(), source };
    let file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(scratch).map_err(kept)?;
    let mut guard = Guard(Child::spawn(line, &file)?);
    let Ok(exit) = timeout(deadline, guard.0.exited()).await else {
        return Err(RunError::Deadline { program: line.program.clone(), deadline });
    };
    let output = match read_head(scratch) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(source) => return Err(kept(source)),
    };
    Ok(Finished { exit, output })
}

fn read_head(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    #[expect(clippy::disallowed_methods, reason = "bounded by take")]
    std::fs::File::open(path)?.take(OUTPUT_LIMIT).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(folder: &Path, script: &str) -> CommandLine {
        CommandLine {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: folder.to_owned(),
        }
    }

    #[tokio::test]
    async fn given_a_program_when_run_then_its_exit_and_both_outputs_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let line = shell(folder.path(), "echo out; echo err >&2; exit 3");
        let finished = run_to_end(&line, &folder.path().join("s"), Duration::from_secs(10)).await.unwrap();
        assert_eq!(finished, Finished { exit: Exit::Code(3), output: "out\nerr\n".into() });
    }

    #[tokio::test]
    async fn given_a_program_that_hangs_when_run_then_it_is_killed_at_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let line = shell(folder.path(), "sleep 600");
        let scratch = folder.path().join("s");
        let run = run_to_end(&line, &scratch, Duration::from_millis(100));
        assert!(matches!(run.await, Err(RunError::Deadline { .. })));
    }
}

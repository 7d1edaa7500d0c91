//! Running a program to its end, such as a check of a config or a question for its version.

use std::{
    fs::File,
    io,
    os::fd::OwnedFd,
    path::PathBuf,
    time::{Duration, Instant},
};

use tokio::{io::AsyncReadExt as _, net::unix::pipe, time::timeout};

use super::{Child, CommandLine, Exit, SpawnError};

/// Most of a program's output that is read, in bytes.
const OUTPUT_LIMIT: usize = 2 * 1024 * 1024;

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
    /// Its output cannot be read.
    #[error("cannot read the output of {}: {source}", program.display())]
    Output {
        /// The program file.
        program: PathBuf,
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
pub(super) struct Guard(pub(super) Option<Child>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = self.0.take() {
            child.abandon();
        }
    }
}

/// Runs a program to its end. One that outlives the deadline is killed, and so is one whose wait is dropped. Its output
/// comes through a pipe, so that a full disk takes none of it.
///
/// # Errors
/// [`RunError`].
pub async fn run_to_end(line: &CommandLine, deadline: Duration) -> Result<Finished, RunError> {
    let begun = Instant::now();
    let unread = |source| RunError::Output { program: line.program.clone(), source };
    let (reader, writer) = io::pipe().map_err(unread)?;
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(unread)?;
    let writer = File::from(OwnedFd::from(writer));
    let mut guard = Guard(Some(Child::spawn(line, &writer)?));
    // Our end of it must not keep the pipe open.
    drop(writer);
    let mut output = Vec::new();
    let exit = match guard.0.as_mut() {
        Some(child) => timeout(deadline, attend(child, &mut reader, &mut output)).await,
        None => Ok(Ok(Exit::Unknown)),
    };
    let exit = exit
        .map_err(|_| RunError::Deadline { program: line.program.clone(), deadline: begun.elapsed() })?
        .map_err(unread)?;
    let output = String::from_utf8(output)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
    Ok(Finished { exit, output })
}

/// Reads until the program ends, then what is left in the pipe; a program that it started and that lives on is not
/// waited for.
async fn attend(child: &mut Child, reader: &mut pipe::Receiver, output: &mut Vec<u8>) -> io::Result<Exit> {
    let mut buffer = vec![0; 16 * 1024];
    let mut open = true;
    let exit = loop {
        tokio::select! {
            exit = child.exited() => break exit,
            read = reader.read(&mut buffer), if open => {
                let count = read?;
                open = count > 0;
                keep(output, buffer.get(..count).unwrap_or_default());
            }
        }
    };
    // At most what a pipe holds, for a program that lives on might write for ever.
    for _ in 0..64 {
        match reader.try_read(&mut buffer) {
            Ok(count) if open && count > 0 => keep(output, buffer.get(..count).unwrap_or_default()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
            _ => break,
        }
    }
    Ok(exit)
}

/// What goes beyond the limit is read, so that the program can go on, and dropped.
fn keep(output: &mut Vec<u8>, read: &[u8]) {
    let room = OUTPUT_LIMIT.saturating_sub(output.len()).min(read.len());
    output.extend_from_slice(read.get(..room).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

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
        let finished = run_to_end(&line, Duration::from_secs(10)).await.unwrap();
        assert_eq!(finished, Finished { exit: Exit::Code(3), output: "out\nerr\n".into() });
    }

    #[tokio::test]
    async fn given_a_program_that_hangs_when_run_then_it_is_killed_at_the_deadline() {
        let folder = tempfile::tempdir().unwrap();
        let line = shell(folder.path(), "sleep 600");
        let run = run_to_end(&line, Duration::from_millis(100));
        assert!(matches!(run.await, Err(RunError::Deadline { .. })));
    }

    #[tokio::test]
    async fn given_a_flood_of_output_when_run_then_the_program_is_not_held_up_and_its_head_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let line = shell(folder.path(), "head -c 5000000 /dev/zero; exit 4");
        let finished = run_to_end(&line, Duration::from_secs(20)).await.unwrap();
        assert_eq!((finished.exit, finished.output.len()), (Exit::Code(4), OUTPUT_LIMIT));
    }

    #[tokio::test]
    async fn given_a_program_that_leaves_another_behind_when_run_then_its_own_end_counts() {
        let folder = tempfile::tempdir().unwrap();
        let line = shell(folder.path(), "sleep 600 & echo out");
        let finished = run_to_end(&line, Duration::from_secs(10)).await.unwrap();
        assert_eq!(finished.output, "out\n");
    }
}

//! Running a program that is given an input and whose outputs are kept apart: a program of the host's owner, not the
//! agent. It gets no environment but what every program needs.

use std::{
    io::{self, PipeReader, PipeWriter},
    os::fd::OwnedFd,
    process::Command,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::unix::pipe,
    time::timeout,
};

use super::{Child, CommandLine, Exit, RunError, run::Guard};

/// All that such a program finds in its environment.
const ENVIRONMENT: [(&str, &str); 2] =
    [("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ("LANG", "C.UTF-8")];

/// A program that ran to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fed {
    /// How it ended.
    pub exit: Exit,
    /// The beginning of what it wrote to stdout.
    pub output: Vec<u8>,
    /// The beginning of what it wrote to stderr.
    pub errors: Vec<u8>,
    /// Whether `output` is only the beginning.
    pub truncated: bool,
}

/// Runs a program to its end with `input` on its stdin; at most `limit` bytes of each output are kept, the rest is read
/// and dropped. One that outlives the deadline is killed with its process group, and so is one whose wait is dropped; what
/// it leaves running in its group when it ends is killed too.
///
/// # Errors
/// [`RunError`].
pub async fn feed(
    line: &CommandLine,
    input: Bytes,
    limit: usize,
    deadline: Duration,
) -> Result<Fed, RunError> {
    let begun = Instant::now();
    let unread = |source| RunError::Output { program: line.program.clone(), source };
    let ((stdin, to), (from, stdout), (complaints, stderr)) = pipes().map_err(unread)?;
    let mut writer = pipe::Sender::from_owned_fd(OwnedFd::from(to)).map_err(unread)?;
    let receiver = |reader: PipeReader| pipe::Receiver::from_owned_fd(OwnedFd::from(reader)).map_err(unread);
    let mut output = Kept { reader: receiver(from)?, bytes: Vec::new(), limit, truncated: false };
    let mut errors = Kept { reader: receiver(complaints)?, bytes: Vec::new(), limit, truncated: false };
    let mut command = Command::new(&line.program);
    command.env_clear().envs(ENVIRONMENT).args(&line.args).current_dir(&line.cwd);
    command.stdin(stdin).stdout(stdout).stderr(stderr);
    // Our ends of the program's pipes go with the command.
    let mut guard = Guard(Some(Child::launch(command, &line.program)?));
    let Some(child) = guard.0.as_mut() else { return Err(unread(io::ErrorKind::NotFound.into())) };
    let writing = async move {
        // One that does not care for its input closes it; that is its affair.
        let _ = writer.write_all(&input).await;
    };
    let reading = async { tokio::join!(writing, output.read(), errors.read()) };
    let ending = async {
        tokio::select! {
            exit = child.exited() => exit,
            _ = reading => child.exited().await,
        }
    };
    let exit = timeout(deadline, ending)
        .await
        .map_err(|_| RunError::Deadline { program: line.program.clone(), deadline: begun.elapsed() })?;
    output.rest();
    errors.rest();
    Ok(Fed { exit, truncated: output.truncated, output: output.bytes, errors: errors.bytes })
}

type Pipe = (PipeReader, PipeWriter);

fn pipes() -> io::Result<(Pipe, Pipe, Pipe)> {
    Ok((io::pipe()?, io::pipe()?, io::pipe()?))
}

/// One output of the program.
struct Kept {
    reader: pipe::Receiver,
    bytes: Vec<u8>,
    limit: usize,
    truncated: bool,
}

impl Kept {
    /// Reads to the end. May be dropped; [`Kept::rest`] goes on.
    async fn read(&mut self) {
        let mut buffer = vec![0; 4096];
        while let Ok(count) = self.reader.read(&mut buffer).await
            && count > 0
        {
            self.keep(buffer.get(..count).unwrap_or_default());
        }
    }

    /// Takes what is left in the pipe, at most what one holds: a process that lives on might write for ever.
    fn rest(&mut self) {
        let mut buffer = vec![0; 4096];
        for _ in 0..256 {
            match self.reader.try_read(&mut buffer) {
                Ok(count) if count > 0 => self.keep(buffer.get(..count).unwrap_or_default()),
                _ => return,
            }
        }
    }

    fn keep(&mut self, read: &[u8]) {
        let room = self.limit.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(read.get(..room).unwrap_or(read));
        self.truncated |= read.len() > room;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> CommandLine {
        CommandLine { program: "/bin/sh".into(), args: vec!["-c".into(), script.into()], cwd: "/".into() }
    }

    async fn fed(script: &str, input: &'static str) -> Fed {
        feed(&shell(script), Bytes::from_static(input.as_bytes()), 1000, PATIENCE).await.unwrap()
    }

    #[tokio::test]
    async fn given_a_program_when_fed_then_its_outputs_are_apart_and_its_exit_is_told() {
        let ran = fed("cat; echo no >&2; exit 3", "in").await;
        let expected =
            Fed { exit: Exit::Code(3), output: b"in".into(), errors: b"no\n".into(), truncated: false };
        assert_eq!(ran, expected);
    }

    #[tokio::test]
    async fn given_secrets_in_our_environment_when_fed_then_the_program_has_none_of_it() {
        let ran = fed("env | sort", "").await;
        let output = String::from_utf8(ran.output).unwrap();
        let names: Vec<_> =
            output.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name).collect();
        assert!(
            names.iter().all(|name| ["LANG", "PATH", "PWD", "SHLVL", "_", "OLDPWD"].contains(name)),
            "{output}"
        );
        assert!(names.contains(&"PATH") && std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    }

    #[tokio::test]
    async fn given_a_flood_when_fed_then_the_beginning_is_kept_and_the_program_goes_on() {
        let ran = fed("head -c 3000000 /dev/zero; exit 4", "").await;
        assert_eq!((ran.exit, ran.output.len(), ran.truncated), (Exit::Code(4), 1000, true));
    }

    #[tokio::test]
    async fn given_a_program_that_reads_nothing_when_fed_much_then_it_is_not_waited_for() {
        let input = Bytes::from(vec![b' '; 1 << 20]);
        let ran = feed(&shell("exit 0"), input, 10, PATIENCE).await.unwrap();
        assert_eq!(ran.exit, Exit::Code(0));
    }

    #[tokio::test]
    async fn given_a_program_that_hangs_when_its_time_is_up_then_it_and_its_children_are_killed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        let script = format!("sleep 600 & echo $$ $! > {0}.new; mv {0}.new {0}; wait", file.display());
        let run = feed(&shell(&script), Bytes::new(), 10, Duration::from_millis(500)).await;
        assert!(matches!(run, Err(RunError::Deadline { .. })));
        are_gone(&file).await;
    }

    #[tokio::test]
    async fn given_a_program_that_leaves_another_behind_when_it_ends_then_that_is_killed() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pids");
        let ran =
            fed(Box::leak(format!("sleep 600 & echo $! > {}", file.display()).into_boxed_str()), "").await;
        assert_eq!(ran.exit, Exit::Code(0));
        are_gone(&file).await;
    }

    async fn are_gone(file: &std::path::Path) {
        let pids = std::fs::read_to_string(file).unwrap();
        let alive = |pid: &str| match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => !stat.contains(") Z "),
            Err(_) => false,
        };
        let gone = async {
            while pids.split_whitespace().any(alive) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, gone).await.unwrap();
    }
}

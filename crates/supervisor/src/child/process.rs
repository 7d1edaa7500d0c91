//! One process, ours by birth or by adoption.

use std::{
    ffi::OsString,
    fs::File,
    io,
    os::{fd::OwnedFd, unix::process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::{
    io::{Interest, unix::AsyncFd},
    time::timeout,
};

use super::{Exit, Identity, group};

/// How long a killed process may take to vanish before the supervisor goes on without it (one that waits for a
/// device cannot be killed).
const KILL_WAIT: Duration = Duration::from_secs(5);

/// A program with its arguments and surroundings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The program file.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Its working directory.
    pub cwd: PathBuf,
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The system refused to run it.
    #[error("cannot start {}: {advice}", program.display())]
    Start {
        /// The program file.
        program: PathBuf,
        /// Why, and what to do.
        advice: String,
        /// What the system said.
        source: io::Error,
    },
    /// It was started but cannot be watched; it was killed again.
    #[error("cannot watch the process of {}: {source}", program.display())]
    Watch {
        /// The program file.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// True for an environment variable that is the supervisor's own and is kept from the agent.
#[must_use]
pub fn is_withheld(variable: &str) -> bool {
    variable.starts_with("TIDEGATE_")
}

/// What the system said, in words for whoever runs the program (hard-cases.md, 20).
fn advice(program: &Path, cwd: Option<&Path>, source: &io::Error) -> String {
    let too_many_files = [Errno::MFILE, Errno::NFILE].map(|errno| Some(errno.raw_os_error()));
    match source.kind() {
        io::ErrorKind::NotFound if !program.exists() => {
            "there is no such file; install it or name its path".to_owned()
        }
        io::ErrorKind::NotFound => {
            let folder = cwd.unwrap_or(Path::new("/")).display();
            format!("the program that interprets it, or the folder {folder} that it is to run in, is missing")
        }
        io::ErrorKind::PermissionDenied => {
            "it may not be executed by this user, or not in its folder; check their modes".to_owned()
        }
        io::ErrorKind::WouldBlock => "the limit of processes is reached".to_owned(),
        _ if too_many_files.contains(&source.raw_os_error()) => {
            "the limit of open files is reached".to_owned()
        }
        _ if source.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            "it is no program that this machine can run".to_owned()
        }
        _ => source.to_string(),
    }
}

/// A running process and the means to watch and signal exactly it.
#[derive(Debug)]
pub struct Child {
    identity: Identity,
    watch: AsyncFd<OwnedFd>,
    /// `None` for an adopted process, whose exit status goes to another parent.
    handle: Option<std::process::Child>,
    exit: Option<Exit>,
}

impl Child {
    /// Starts a program in a process group of its own, with both outputs going to `log` and no input. It does not
    /// end with the supervisor.
    ///
    /// # Errors
    /// [`SpawnError`] when it cannot be started or watched.
    pub fn spawn(line: &CommandLine, log: &File) -> Result<Self, SpawnError> {
        let start = |source| SpawnError::Start {
            program: line.program.clone(),
            advice: advice(&line.program, Some(&line.cwd), &source),
            source,
        };
        let mut command = Command::new(&line.program);
        // What the supervisor is told in its environment (tokens among it) is not the agent's to know.
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_withheld(&name.to_string_lossy())) {
            command.env_remove(name);
        }
        command
            .args(&line.args)
            .current_dir(&line.cwd)
            .stdin(Stdio::null())
            .stdout(log.try_clone().map_err(start)?)
            .stderr(log.try_clone().map_err(start)?);
        Self::launch(command, &line.program)
    }

    /// Starts what is put together already, in a process group of its own.
    ///
    /// # Errors
    /// [`SpawnError`] when it cannot be started or watched.
    pub(super) fn launch(mut command: Command, program: &Path) -> Result<Self, SpawnError> {
        let mut handle = command.process_group(0).spawn().map_err(|source| SpawnError::Start {
            program: program.to_owned(),
            advice: advice(program, command.get_current_dir(), &source),
            source,
        })?;
        match watch(&handle) {
            Ok((identity, watch)) => Ok(Self { identity, watch, handle: Some(handle), exit: None }),
            Err(source) => {
                // Both fail only for a process that is gone already; the error that follows tells the story.
                let _ = handle.kill();
                let _ = handle.wait();
                Err(SpawnError::Watch { program: program.to_owned(), source })
            }
        }
    }

    /// Takes over a running process by its pidfd.
    ///
    /// # Errors
    /// When the pidfd cannot be watched.
    pub(super) fn adopted(identity: Identity, pidfd: OwnedFd) -> io::Result<Self> {
        Ok(Self { identity, watch: watched(pidfd)?, handle: None, exit: None })
    }

    /// Which process it is.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Its number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.identity.pid
    }

    /// Waits until it has ended and reaps it. May be dropped and called again.
    pub async fn exited(&mut self) -> Exit {
        loop {
            if let Some(exit) = self.exit {
                return exit;
            }
            match self.watch.readable().await {
                Ok(_) => self.reap(),
                // A watch that fails is a closed one, which cannot happen while we own it; never spin on it.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    fn reap(&mut self) {
        self.exit = Some(match &mut self.handle {
            None => {
                group::kill_left(&self.identity);
                Exit::Unknown
            }
            // The process group is killed before the number is given back: nothing of it may stay behind with
            // the agent's ports.
            Some(handle) => {
                group::kill(self.identity.pid);
                handle.wait().map_or(Exit::Unknown, Exit::from_status)
            }
        });
    }

    /// Sends a signal to this process and to no other.
    ///
    /// # Errors
    /// What the system said, such as that it has ended.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        Ok(pidfd_send_signal(self.watch.get_ref(), signal)?)
    }

    /// Kills it, for a process that nobody will wait for any more; it is reaped in the background, for one that waits
    /// for a device ends when the device lets it.
    pub(super) fn abandon(mut self) {
        if self.exit.is_some() {
            return;
        }
        self.send_kill();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            // Nobody waits for the outcome.
            drop(runtime.spawn(async move { self.exited().await }));
        }
    }

    /// Kills its whole group at once. `None`: it still lives after 5 s, for it waits for a device; the kill stands and
    /// takes effect when the wait ends.
    pub async fn kill(&mut self) -> Option<Exit> {
        if self.exit.is_none() {
            self.send_kill();
        }
        timeout(KILL_WAIT, self.exited()).await.ok()
    }

    fn send_kill(&self) {
        if self.signal(Signal::KILL).is_ok() {
            group::kill(self.identity.pid);
        }
    }

    /// True when its end was seen.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.exit.is_some()
    }
}

/// A pidfd turns readable when its process has ended.
#[expect(
    deprecated,
    reason = "the call that replaces it is unsafe because of descriptors that are replaced or closed while they are \
              watched; an `OwnedFd` that nobody else holds is neither"
)]
fn watched(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}

fn watch(handle: &std::process::Child) -> io::Result<(Identity, AsyncFd<OwnedFd>)> {
    let number = i32::try_from(handle.id()).map_err(io::Error::other)?;
    let pid = Pid::from_raw(number).ok_or_else(|| io::Error::other("the process has no number"))?;
    let pidfd = pidfd_open(pid, PidfdFlags::empty())?;
    // One that has ended already is still named by its number until it is reaped.
    let identity = Identity::of_unreaped(number)?.ok_or_else(|| io::Error::other("the process vanished"))?;
    Ok((identity, watched(pidfd)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> (Child, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let line = CommandLine {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: folder.path().into(),
        };
        (Child::spawn(&line, &log).unwrap(), folder)
    }

    #[tokio::test]
    async fn given_programs_when_they_end_then_code_or_signal_is_known() {
        for (script, expect) in
            [("exit 0", Exit::Code(0)), ("exit 255", Exit::Code(255)), ("kill -6 $$", Exit::Signal(6))]
        {
            let (mut child, _folder) = shell(script);
            let exit = timeout(Duration::from_secs(10), child.exited()).await.unwrap();
            assert_eq!(exit, expect, "{script}");
            assert!(child.signal(Signal::TERM).is_err(), "nothing is signalled after the end");
        }
    }

    /// C180: SIGKILL where SIGTERM is not heard.
    #[tokio::test]
    async fn given_a_deaf_program_when_killed_then_it_is_killed_with_its_group() {
        let (mut child, folder) = shell("trap '' TERM; sleep 600 & echo $! > pid; wait; sleep 600");
        let file = folder.path().join("pid");
        let grandchild: i32 = loop {
            if let Ok(text) = std::fs::read_to_string(&file)
                && let Ok(pid) = text.trim().parse()
            {
                break pid;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        child.signal(Signal::TERM).unwrap();
        assert!(timeout(Duration::from_millis(200), child.exited()).await.is_err(), "it is deaf");
        assert!(!child.has_ended());
        assert_eq!(child.kill().await, Some(Exit::Signal(9)));
        assert!(child.has_ended());
        let gone = async {
            while Identity::of(grandchild).unwrap().is_some() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), gone).await.unwrap();
    }

    #[test]
    fn given_variables_then_only_the_supervisors_own_are_withheld() {
        for (name, expect) in [("TIDEGATE_TOKEN", true), ("PATH", false), ("MY_TIDEGATE_X", false)] {
            assert_eq!(is_withheld(name), expect, "{name}");
        }
    }

    /// Hard case 20: each fault of a program file is told as such.
    #[tokio::test]
    async fn given_programs_that_cannot_run_when_started_then_the_sentence_says_what_to_do() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let file = |name: &str, text: &str, mode| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        let here = folder.path().to_owned();
        for (program, cwd, expect) in [
            ("/no/such/agent".into(), here.clone(), "there is no such file; install it or name its path"),
            (file("plain", "text", 0o644), here.clone(), "it may not be executed by this user"),
            (
                file("other", "\x7fELF of another machine", 0o755),
                here.clone(),
                "no program that this machine can run",
            ),
            (file("script", "#!/no/such/shell\n", 0o755), here.clone(), "the program that interprets it"),
            ("/bin/sh".into(), "/no/such/folder".into(), "the folder /no/such/folder that it is to run in"),
        ] {
            let line = CommandLine { program, args: vec![], cwd };
            let error = Child::spawn(&line, &log).unwrap_err().to_string();
            assert!(error.starts_with("cannot start /") && error.contains(expect), "{error}");
        }
    }
}

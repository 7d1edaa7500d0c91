//! Whom a row is checked on, and a running child of it.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Patience for anything that should come soon.
pub(crate) const SOON: Duration = Duration::from_secs(15);

/// A binary.
pub(crate) struct Subject {
    pub(crate) binary: PathBuf,
    pub(crate) is_fake: bool,
}

impl Subject {
    pub(crate) fn fake() -> Self {
        Self { binary: PathBuf::from(env!("CARGO_BIN_EXE_fake-fluent-bit")), is_fake: true }
    }

    /// What `FLUENT_BIT_BIN` names, or `fluent-bit` on the path.
    pub(crate) fn real() -> Option<Self> {
        let named = std::env::var_os("FLUENT_BIT_BIN").map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = || {
            std::env::split_paths(&path).map(|folder| folder.join("fluent-bit")).find(|file| file.is_file())
        };
        named.or_else(found).map(|binary| Self { binary, is_fake: false })
    }

    /// Runs to the end, which must come soon.
    pub(crate) fn run(&self, folder: &Path, args: &[&str]) -> Result<Ended, String> {
        let child = self.spawn_in(folder, args, Stdout::File);
        child.ends(SOON)
    }

    fn spawn_in(&self, folder: &Path, args: &[&str], stdout: Stdout) -> Spawned {
        let id = fs::read_dir(folder).unwrap().count();
        let (out, err) = (folder.join(format!("out-{id}.txt")), folder.join(format!("err-{id}.txt")));
        let control = folder.join("control.txt");
        let to = match stdout {
            Stdout::File => Stdio::from(File::create(&out).unwrap()),
            Stdout::UnreadPipe => Stdio::piped(),
        };
        let process = Command::new(&self.binary)
            .args(args)
            .current_dir(folder)
            .env("FAKE_FLUENT_BIT_CONTROL", &control)
            .stdin(Stdio::null())
            .stdout(to)
            .stderr(File::create(&err).unwrap())
            .spawn()
            .unwrap();
        Spawned { process, out, err }
    }
}

/// Where stdout goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stdout {
    File,
    UnreadPipe,
}

/// A finished run.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

struct Spawned {
    process: std::process::Child,
    out: PathBuf,
    err: PathBuf,
}

impl Spawned {
    fn status_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + patience;
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                return Some(status);
            }
            if Instant::now() > until {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn ends(mut self, patience: Duration) -> Result<Ended, String> {
        let status = self.status_within(patience);
        let status = status.ok_or_else(|| format!("still runs; stderr: {}", text(&self.err)))?;
        Ok(Ended { status, out: text(&self.out), err: text(&self.err) })
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn text(path: &Path) -> String {
    String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned()
}

/// A child under test in a folder of its own.
pub(crate) struct Child {
    spawned: Spawned,
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
}

/// What a child is started with.
pub(crate) struct Setup {
    pub(crate) folder: TempDir,
    pub(crate) port: u16,
    pub(crate) stdout: Stdout,
    args: Vec<String>,
}

impl Setup {
    /// A folder, a free port, and a fake that is quick where that changes nothing.
    pub(crate) fn new() -> Self {
        let setup = Self {
            folder: TempDir::new().unwrap(),
            port: free_port(),
            stdout: Stdout::File,
            args: ["-c", "c.yaml"].map(str::to_owned).to_vec(),
        };
        setup.control("");
        setup
    }

    pub(crate) fn control(&self, lines: &str) {
        control(self.folder.path(), lines);
    }

    /// Writes `c.yaml`.
    pub(crate) fn config(self, text: &str) -> Self {
        write(self.folder.path(), "c.yaml", text);
        self
    }

    /// Writes `c.yaml` with the service keys that make it reachable, `more` of them, and a pipeline.
    pub(crate) fn service(self, more: &str, pipeline: &str) -> Self {
        let text = config(self.port, more, pipeline);
        self.config(&text)
    }

    pub(crate) fn args(mut self, args: &[&str]) -> Self {
        self.args = args.iter().map(|arg| (*arg).to_owned()).collect();
        self
    }

    pub(crate) fn start(self, subject: &Subject) -> Child {
        let args: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let spawned = subject.spawn_in(self.folder.path(), &args, self.stdout);
        Child { spawned, folder: self.folder, port: self.port }
    }

    /// Starts, and waits until HTTP answers.
    pub(crate) fn up(self, subject: &Subject) -> Result<Child, String> {
        let child = self.start(subject);
        child.eventually("HTTP", || child.get("/api/v1/uptime").ok())?;
        Ok(child)
    }
}

impl Child {
    pub(crate) fn pid(&self) -> u32 {
        self.spawned.process.id()
    }

    pub(crate) fn signal(&self, number: i32) {
        let pid = Pid::from_raw(i32::try_from(self.pid()).unwrap()).unwrap();
        kill_process(pid, Signal::from_named_raw(number).unwrap()).unwrap();
    }

    pub(crate) fn err(&self) -> String {
        text(&self.spawned.err)
    }

    pub(crate) fn out(&self) -> String {
        text(&self.spawned.out)
    }

    pub(crate) fn file(&self, name: &str) -> String {
        text(&self.folder.path().join(name))
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        write(self.folder.path(), name, text);
    }

    pub(crate) fn control(&self, lines: &str) {
        control(self.folder.path(), lines);
    }

    /// The exit status, if it comes within `patience`.
    pub(crate) fn status_within(&mut self, patience: Duration) -> Option<ExitStatus> {
        self.spawned.status_within(patience)
    }

    /// The exit code, which must come soon.
    pub(crate) fn code(&mut self) -> Result<Option<i32>, String> {
        let status = self.status_within(SOON);
        status.map(|status| status.code()).ok_or_else(|| format!("still runs; stderr: {}", self.err()))
    }

    /// Polls until there is an answer.
    pub(crate) fn eventually<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + SOON;
        loop {
            if let Some(found) = look() {
                return Ok(found);
            }
            if Instant::now() > until {
                return Err(format!("{what} did not come; stderr: {}", self.err()));
            }
            thread::sleep(Duration::from_millis(15));
        }
    }

    pub(crate) fn logs(&self, line: &str) -> Result<(), String> {
        self.eventually(&format!("the line `{line}`"), || self.err().contains(line).then_some(()))
    }
}

/// The fake's base control: as quick as can be.
fn control(folder: &Path, lines: &str) {
    let text = format!("reload_ms=150\nstart_failure_ms=50\nstop_ms=20\n{lines}\n");
    write(folder, "control.txt", &text);
}

/// Replaces a file in one step, so that no one reads half of it.
fn write(folder: &Path, name: &str, text: &str) {
    let temporary = folder.join(format!("{name}.new"));
    fs::write(&temporary, text).unwrap();
    fs::rename(temporary, folder.join(name)).unwrap();
}

/// The service keys that make a YAML config reachable.
pub(crate) fn reachable(port: u16) -> String {
    format!("  http_server: on\n  http_listen: 127.0.0.1\n  http_port: {port}\n  hot_reload: on\n")
}

/// A whole YAML config.
pub(crate) fn config(port: u16, more: &str, pipeline: &str) -> String {
    format!("service:\n  grace: 2\n{}{more}pipeline:\n{pipeline}", reachable(port))
}

/// A pipeline of one input and one output.
pub(crate) const GEN: &str = "  inputs:\n    - name: dummy\n      alias: gen\n      rate: 5\n  outputs:\n    - name: 'null'\n      match: '*'\n";

/// An output that never delivers and never gives up.
pub(crate) fn dead_output() -> String {
    let port = free_port();
    format!(
        "    - name: http\n      alias: dead\n      match: '*'\n      host: 127.0.0.1\n      port: {port}\n      retry_limit: no_limits\n"
    )
}

/// A port that nobody holds now.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

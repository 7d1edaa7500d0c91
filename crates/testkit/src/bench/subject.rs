//! The server under measurement: the shipped program on a data directory of its own.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::children::Guarded;
use super::rest::Rest;

/// How long a server may take to be ready.
const READY: Duration = Duration::from_secs(120);

/// How long it may take to end in order.
const END: Duration = Duration::from_secs(120);

/// A running server.
#[derive(Debug)]
pub(super) struct Subject {
    process: Guarded,
    data_dir: PathBuf,
    /// Where agents connect.
    pub(super) agents: SocketAddr,
    operators: SocketAddr,
    token: String,
    /// From its start to the first `200` of `/readyz`.
    pub(super) ready_after: Duration,
}

impl Subject {
    /// Starts one; its log stands beside the data directory.
    pub(super) fn start(program: &Path, data_dir: &Path, more: &[&str]) -> Result<Self, String> {
        let failed = |what: &str, error: std::io::Error| format!("cannot {what}: {error}");
        fs::create_dir_all(data_dir).map_err(|error| failed("make the data directory", error))?;
        let addresses = ["agents-address", "operators-address"].map(|name| data_dir.join(name));
        for old in &addresses {
            match fs::remove_file(old) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(failed("remove an old address", error));
                }
                _ => {}
            }
        }
        let log = File::options().create(true).append(true).open(data_dir.with_extension("log"));
        let log = log.map_err(|error| failed("open the log", error))?;
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(data_dir);
        command.args(["--agents", "127.0.0.1:0", "--operators", "127.0.0.1:0"]).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let begun = Instant::now();
        let mut process = Guarded::start(&mut command)?;
        loop {
            if let Some((agents, operators, token)) = ready(data_dir, &addresses) {
                let ready_after = begun.elapsed();
                let data_dir = data_dir.to_owned();
                return Ok(Self { process, data_dir, agents, operators, token, ready_after });
            }
            let ended = process.child().try_wait().ok().flatten();
            if ended.is_some() || begun.elapsed() > READY {
                // The log goes with its folder: what it said last goes into the reason.
                let log = fs::read_to_string(data_dir.with_extension("log")).unwrap_or_default();
                let last = log.lines().last().unwrap_or("it said nothing");
                return Err(format!("the server is not ready ({ended:?}): {last}"));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) fn endpoint(&self, scheme: &str) -> String {
        format!("{scheme}://{}/v1/opamp", self.agents)
    }

    pub(super) fn rest(&self) -> Result<Rest, String> {
        Rest::connect(self.operators, &self.token)
    }

    /// Bytes of the database and what belongs to it.
    pub(super) fn stored(&self) -> Result<u64, String> {
        let entries = fs::read_dir(&self.data_dir).map_err(|error| error.to_string())?;
        let mut bytes = 0;
        for entry in entries.flatten().filter(|e| e.file_name().to_string_lossy().contains(".db")) {
            bytes += entry.metadata().map_err(|error| error.to_string())?.len();
        }
        Ok(bytes)
    }

    /// Ends it in order; gives how long that took.
    pub(super) fn stop(mut self) -> Result<Duration, String> {
        let begun = Instant::now();
        let status = self.process.stop(END).map_err(|why| format!("the server: {why}"))?;
        if status.success() { Ok(begun.elapsed()) } else { Err(format!("the server ended with {status}")) }
    }
}

fn ready(data_dir: &Path, addresses: &[PathBuf; 2]) -> Option<(SocketAddr, SocketAddr, String)> {
    let [agents, operators] =
        addresses.each_ref().map(|path| fs::read_to_string(path).ok()?.trim().parse::<SocketAddr>().ok());
    let token = fs::read_to_string(data_dir.join("admin-token")).ok()?.trim().to_owned();
    let (agents, operators) = (agents?, operators?);
    let answer = Rest::connect(operators, &token).ok()?.get("/readyz").ok()?;
    (answer.status == 200).then_some((agents, operators, token))
}

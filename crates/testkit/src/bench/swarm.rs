//! A swarm in a process of its own, or the bare loop.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use super::children::Guarded;
use crate::swarm::report::{Done, Report};

/// Longer than any command waits.
const ANSWER: Duration = Duration::from_secs(600);

/// A running swarm.
#[derive(Debug)]
pub(super) struct SwarmProcess {
    _process: Guarded,
    stdin: ChildStdin,
    lines: Receiver<String>,
}

impl SwarmProcess {
    /// Starts one against an endpoint.
    pub(super) fn start(program: &Path, endpoint: &str, more: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(program);
        command.args(["agents", "--endpoint", endpoint]).args(more);
        let (mut process, lines) = start(&mut command)?;
        let stdin = process.child().stdin.take().ok_or("the swarm has no stdin")?;
        Ok(Self { _process: process, stdin, lines })
    }

    /// Has one command carried out; gives what was counted since the last mark.
    pub(super) fn obey(&mut self, line: &str) -> Result<Done, String> {
        self.begin(line)?;
        self.end(line)
    }

    /// Sends a command.
    pub(super) fn begin(&mut self, line: &str) -> Result<(), String> {
        writeln!(self.stdin, "{line}").map_err(|error| format!("the swarm does not listen: {error}"))
    }

    /// Waits for the end of a command that was begun.
    pub(super) fn end(&mut self, line: &str) -> Result<Done, String> {
        let answer =
            self.lines.recv_timeout(ANSWER).map_err(|error| format!("{line}: no answer: {error}"))?;
        let done: Done =
            serde_json::from_str(&answer).map_err(|error| format!("{line}: {error} in {answer}"))?;
        if done.ok { Ok(done) } else { Err(format!("{line}: {}", done.why)) }
    }

    /// The counts so far.
    pub(super) fn counted(&mut self) -> Result<Report, String> {
        Ok(self.obey("stats")?.report)
    }
}

/// The bare loop, running.
#[derive(Debug)]
pub(super) struct BareProcess {
    process: Guarded,
    address: SocketAddr,
}

impl BareProcess {
    pub(super) fn start(program: &Path) -> Result<Self, String> {
        let (process, lines) = start(Command::new(program).arg("bare-loop"))?;
        let address = lines.recv_timeout(ANSWER).map_err(|error| format!("the bare loop: {error}"))?;
        let address = address.parse().map_err(|_| format!("the bare loop says {address}"))?;
        Ok(Self { process, address })
    }

    pub(super) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(super) fn endpoint(&self) -> String {
        format!("ws://{}/v1/opamp", self.address)
    }
}

fn start(command: &mut Command) -> Result<(Guarded, Receiver<String>), String> {
    let mut process = Guarded::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()))?;
    let stdout = process.child().stdout.take().ok_or("a swarm has no stdout")?;
    let (sender, lines) = sync_channel(16);
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    Ok((process, lines))
}

//! The program `tidegate-swarm`.

use std::fs::File;
use std::io::{BufRead, BufReader, Write as _};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, sync_channel};

use clap::Parser as _;
use rustix::process::{Resource, getrlimit, setrlimit};

use super::Swarm;
use super::bare_loop::BareLoop;
use super::options::{AgentsFlags, Flags, Mode, Options};
use super::report::Done;

/// Commands that may wait.
const WAITING: usize = 64;

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Flags::parse().mode {
        Mode::Agents(flags) => agents(&flags),
        Mode::BareLoop { reply_bytes } => bare_loop(reply_bytes),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "tidegate-swarm: {why}");
            ExitCode::FAILURE
        }
    }
}

fn agents(flags: &AgentsFlags) -> Result<(), String> {
    raise_limit();
    let options = Options::try_from(flags)?;
    let commands = match &flags.script {
        Some(path) => {
            let file =
                File::open(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            read(BufReader::new(file))
        }
        None => read(BufReader::new(std::io::stdin())),
    };
    let swarm = Swarm::new(options).map_err(|error| format!("cannot begin: {error}"))?;
    swarm.run(&commands, print).map_err(|error| format!("cannot wait for sockets: {error}"))
}

fn bare_loop(reply_bytes: usize) -> Result<(), String> {
    raise_limit();
    let bare = BareLoop::bind(reply_bytes).map_err(|error| format!("cannot listen: {error}"))?;
    line(&bare.address().to_string());
    bare.run().map_err(|error| format!("cannot wait for sockets: {error}"))
}

/// Reads commands in a thread of its own; the last is `quit`.
fn read(source: impl BufRead + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(WAITING);
    std::thread::spawn(move || {
        let lines = source.lines().map_while(Result::ok);
        let commands = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        for command in commands.chain(["quit".to_owned()]) {
            if sender.send(command).is_err() {
                return;
            }
        }
    });
    receiver
}

fn print(done: &Done) {
    line(&serde_json::to_string(done).unwrap_or_default());
}

fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // Whoever does not listen any more closes stdin too, and that ends the swarm.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// As many sockets as the machine allows.
fn raise_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // Where it cannot be raised, connecting says so.
    let _ = setrlimit(Resource::Nofile, limit);
}

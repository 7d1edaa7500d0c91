//! What is measured, a file each. A phase starts servers of its own, so that none inherits another's memory.

mod connects;
mod digests;
mod heartbeats;
mod known;
mod memory;
mod offers;
mod polls;
mod supervisor;

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use super::figure::Figure;
use super::plan::Plan;
use super::process::Usage;
use super::subject::Subject;

/// One phase.
pub(super) struct Phase {
    /// The name by which `BENCH_ONLY` chooses it.
    pub(super) name: &'static str,
    /// What it measures.
    pub(super) what: &'static str,
    /// Measures it.
    pub(super) run: fn(&Plan, &Tools) -> Result<Vec<Figure>, String>,
}

/// All phases, in order.
pub(super) const PHASES: [Phase; 8] = [
    Phase {
        name: "connects",
        what: "CPU per WebSocket connect with a small first report",
        run: connects::run,
    },
    Phase { name: "heartbeats", what: "memory, CPU and writes of connected agents", run: heartbeats::run },
    Phase { name: "polls", what: "CPU per poll over HTTP", run: polls::run },
    Phase { name: "digests", what: "CPU and memory of digests of metrics", run: digests::run },
    Phase { name: "offers", what: "a config edit to its last offer", run: offers::run },
    Phase { name: "tls", what: "memory of agents connected by TLS", run: memory::tls },
    Phase { name: "supervisor", what: "size, memory and speed of a supervisor", run: supervisor::run },
    Phase { name: "known", what: "lists, facets and start with many known agents", run: known::run },
];

/// The programs, and where they keep their state.
pub(super) struct Tools {
    pub(super) server: PathBuf,
    pub(super) swarm: PathBuf,
    folder: TempDir,
}

impl Tools {
    /// The programs that were built beside this one.
    pub(super) fn beside_this_program(plan: &Plan) -> Result<Self, String> {
        let own = std::env::current_exe().map_err(|error| format!("where is this program? {error}"))?;
        let beside = |name: &str| {
            let path = own.with_file_name(name);
            if path.is_file() { Ok(path) } else { Err(format!("{} is missing: build it", path.display())) }
        };
        let folder = tempfile::Builder::new().prefix("tidegate-bench-").tempdir_in(&plan.dir);
        Ok(Self {
            server: beside("tidegate-server")?,
            swarm: beside("tidegate-swarm")?,
            folder: folder.map_err(|error| format!("cannot use BENCH_DIR: {error}"))?,
        })
    }

    /// Another program that was built beside this one.
    pub(super) fn beside(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.server.with_file_name(name);
        if path.is_file() { Ok(path) } else { Err(format!("{} is missing: build it", path.display())) }
    }

    /// A new server that agents speak to by TLS, with the file of its certificate.
    pub(super) fn tls_server(&self, name: &str) -> Result<(String, Subject), String> {
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let file = |name: &str, pem: String| {
            let path = self.data_dir(name).display().to_string();
            std::fs::write(&path, pem).map_err(|error| format!("{path}: {error}"))?;
            Ok::<_, String>(path)
        };
        let cert = file(&format!("{name}.pem"), made.cert.pem())?;
        let key = file(&format!("{name}.key"), made.signing_key.serialize_pem())?;
        let server = self.server(name, &["--agents-cert", &cert, "--agents-key", &key])?;
        Ok((cert, server))
    }

    /// A folder for one server's state.
    pub(super) fn data_dir(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A new server with an empty state.
    pub(super) fn server(&self, name: &str, more: &[&str]) -> Result<Subject, String> {
        Subject::start(&self.server, &self.data_dir(name), more)
    }
}

/// CPU time in microseconds for each of so many.
fn each(used: Duration, count: u64) -> Result<f64, String> {
    if count == 0 {
        return Err("nothing was counted".to_owned());
    }
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
    Ok(used.as_secs_f64() * 1e6 / count as f64)
}

/// A cost with its parts: `(total, user, system)` in microseconds for each of so many.
fn cost(used: Usage, count: u64) -> Result<(f64, f64, f64), String> {
    Ok((each(used.total(), count)?, each(used.user, count)?, each(used.system, count)?))
}

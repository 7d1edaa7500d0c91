//! Lines that are lost while configs are reloaded and supervisors come and go.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::super::figure::Figure;
use super::super::super::subject::Subject;
use super::super::Tools;
use super::apply;
use super::host::Host;

/// Pause between two lines.
const PAUSE: Duration = Duration::from_millis(2);
/// How long all lines may take to come through.
const THROUGH: Duration = Duration::from_secs(20);

pub(super) fn run(
    tools: &Tools,
    program: &Path,
    agent: &Path,
    server: &Subject,
    cert: &str,
) -> Result<Vec<Figure>, String> {
    let mut host = Host::start(tools, "lines", program, agent, server, cert, 1)?;
    host.wait_healthy(server, 1)?;
    let folder = host.folder.clone();
    let config = |alias: &str| {
        format!(
            "service:\n  flush: 1\n  grace: 5\npipeline:\n  inputs:\n    - name: tail\n      alias: {alias}\n      path: {0}/in.log\n      \
             db: {0}/in.db\n      read_from_head: on\n  outputs:\n    - name: file\n      alias: sink\n      match: \"*\"\n      \
             path: {0}\n      file: out.log\n      format: plain\n",
            folder.display()
        )
    };
    apply(server, "lines-0", &config("first"))?;
    let writer = Writer::start(&folder.join("in.log"))?;
    std::thread::sleep(Duration::from_secs(2));
    for number in 0..3 {
        apply(server, "lines-0", &config(&format!("again_{number}")))?;
        std::thread::sleep(Duration::from_secs(1));
    }
    let after_reloads = lost(&folder, &writer.stop()?)?;
    let writer = Writer::start(&folder.join("in.log"))?;
    std::thread::sleep(Duration::from_secs(1));
    host.kill();
    std::thread::sleep(Duration::from_secs(1));
    host.run()?;
    host.wait_healthy(server, 1)?;
    std::thread::sleep(Duration::from_secs(2));
    let after_restart = lost(&folder, &writer.stop()?)?;
    Ok(vec![
        Figure::new(
            "lost-by-reloads",
            "lines lost over three reloads, tail with a database",
            after_reloads,
            "",
            0.0,
        ),
        Figure::new(
            "lost-by-restart",
            "lines lost over a supervisor killed and started",
            after_restart,
            "",
            0.0,
        ),
    ])
}

/// How many lines of so many never come through.
fn lost(folder: &Path, written: &BTreeSet<String>) -> Result<f64, String> {
    let begun = Instant::now();
    loop {
        let out = fs::read_to_string(folder.join("out.log")).unwrap_or_default();
        let missing = written.iter().filter(|line| !out.contains(line.as_str())).count();
        if missing == 0 || begun.elapsed() > THROUGH {
            if written.len() < 500 {
                return Err(format!("only {} lines were written", written.len()));
            }
            #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
            return Ok(missing as f64);
        }
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// Writes lines until it is stopped.
struct Writer {
    ends: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<std::io::Result<BTreeSet<String>>>,
}

impl Writer {
    fn start(path: &Path) -> Result<Self, String> {
        let file = File::options().create(true).append(true).open(path);
        let mut file = file.map_err(|error| format!("{}: {error}", path.display()))?;
        let ends = Arc::<AtomicBool>::default();
        let told = Arc::clone(&ends);
        let begun = Instant::now();
        let thread = std::thread::spawn(move || {
            let mut written = BTreeSet::new();
            while !told.load(Ordering::Relaxed) {
                let line = format!("line <{}>", begun.elapsed().as_micros());
                writeln!(file, "{line}")?;
                written.insert(line);
                std::thread::sleep(PAUSE);
            }
            Ok(written)
        });
        Ok(Self { ends, thread })
    }

    fn stop(self) -> Result<BTreeSet<String>, String> {
        self.ends.store(true, Ordering::Relaxed);
        let written = self.thread.join().map_err(|_| "the writer broke off".to_owned())?;
        written.map_err(|error| error.to_string())
    }
}

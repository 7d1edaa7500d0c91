//! Signals.

use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use super::Outcome;
use super::checks_cli::that;
use super::subject::{GEN, SOON, Setup, Subject, dead_output};

pub(crate) fn stops_on(subject: &Subject, signal: i32, name: &str) -> Outcome {
    let mut child = Setup::new().service("", GEN).up(subject)?;
    child.signal(signal);
    let code = child.code()?;
    let log = child.err();
    let lines = [
        &format!("[engine] caught signal ({name})"),
        "[ warn] [engine] service will shutdown in max 2 seconds",
        "[ info] [engine] pausing all inputs..",
        "[ info] [engine] service has stopped (0 pending tasks)",
        "[ info] [output:null:null.0] thread worker #0 stopped",
    ];
    let places: Vec<Option<usize>> = lines.iter().map(|line| log.find(line)).collect();
    that(code == Some(0) && places.iter().all(Option::is_some) && places.is_sorted(), (code, places, &log))
}

pub(crate) fn dies_of(subject: &Subject, signal: i32) -> Outcome {
    let mut child = Setup::new().service("", GEN).up(subject)?;
    child.signal(signal);
    let died = child.status_within(SOON).and_then(|status| status.signal());
    that(died == Some(signal), died)
}

pub(crate) fn grace(subject: &Subject) -> Outcome {
    let mut child = Setup::new().service("", &format!("{GEN}{}", dead_output())).up(subject)?;
    child.eventually("a retry", || child.metric("output", "dead", "retries").filter(|count| *count > 0))?;
    child.signal(15);
    child.logs("service will shutdown in max 2 seconds")?;
    let began = Instant::now();
    let code = child.code()?;
    // The grace is two seconds; the real one counts them by a timer that may be due at once.
    that(code == Some(0) && began.elapsed() > Duration::from_millis(900), (code, began.elapsed()))
}

pub(crate) fn dump(subject: &Subject) -> Outcome {
    let child = Setup::new().service("", GEN).up(subject)?;
    child.signal(18);
    child.logs("[engine] caught signal (SIGCONT)")?;
    child.logs(
        "Fluent Bit Dump\n\n===== Input =====\ngen (dummy)\n│\n├─ status\n│  └─ overlimit     : no\n",
    )?;
    child.logs("\n===== Storage Layer =====\ntotal chunks     : ")
}

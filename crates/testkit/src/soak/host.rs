//! What the kernel and the state folder say of a supervisor and its agents.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Memory and descriptors of a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// Resident memory, in KiB.
    pub resident_kib: u64,
    /// Open descriptors.
    pub descriptors: u64,
}

/// Weighs a process; `None` when it is gone.
pub(super) fn weigh(pid: i32) -> Option<Weight> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
    Some(Weight {
        resident_kib: resident.split_whitespace().next()?.parse().ok()?,
        descriptors: descriptors.try_into().ok()?,
    })
}

/// The agents that were started on a file in a folder, checks of configs apart.
pub(super) fn agents_in(folder: &Path) -> Vec<i32> {
    let run = folder.join("state/run").to_string_lossy().into_owned();
    let numbers = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    let is_agent = |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.contains(&run) && !line.contains("--dry-run") && !line.contains("--state-dir")
    };
    numbers.filter(is_agent).collect()
}

/// What is wrong with the journal of a supervisor that runs the config of this hash.
pub(super) fn journal_faults(folder: &Path, hash: &str) -> Vec<String> {
    let read = fs::read_to_string(folder.join("state/journal.json")).map_err(|error| error.to_string());
    let journal: Value = match read.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string())) {
        Ok(journal) => journal,
        Err(error) => return vec![format!("the journal cannot be read: {error}")],
    };
    let mut faults = Vec::new();
    let mut expect = |what: &str, found: &Value, expected: Value| {
        if *found != expected {
            faults.push(format!("the journal's {what} is {found}, not {expected}"));
        }
    };
    expect("candidate", &journal["candidate"], Value::Null);
    expect("begun", &journal["begun"], 0.into());
    expect("current", &journal["current"]["hash"], hash.into());
    expect("status", &journal["status"]["hash"], hash.into());
    expect("state", &journal["status"]["state"], 1.into());
    faults
}

//! What the kernel says of a process.

use std::fs;
use std::time::Duration;

/// Length of the kernel's tick as programs see it: a hundredth of a second on every Linux that Tidegate runs on.
const TICK: Duration = Duration::from_millis(10);

/// CPU time that a process has used, all its threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Usage {
    pub(super) user: Duration,
    pub(super) system: Duration,
}

impl Usage {
    pub(super) fn of(pid: u32) -> Result<Self, String> {
        parse_stat(&read(pid, "stat")?).ok_or_else(|| format!("/proc/{pid}/stat has another form"))
    }

    /// What was used since an earlier look.
    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }

    pub(super) fn total(self) -> Duration {
        self.user + self.system
    }
}

/// Resident memory in bytes.
pub(super) fn resident(pid: u32) -> Result<u64, String> {
    let text = read(pid, "status")?;
    field(&text, "VmRSS:").map(|kib| kib * 1024).ok_or_else(|| format!("/proc/{pid}/status has no VmRSS"))
}

/// Bytes that a process has caused to be written to a disk.
pub(super) fn written(pid: u32) -> Result<u64, String> {
    let text = read(pid, "io")?;
    field(&text, "write_bytes:").ok_or_else(|| format!("/proc/{pid}/io has no write_bytes"))
}

fn read(pid: u32, name: &str) -> Result<String, String> {
    let path = format!("/proc/{pid}/{name}");
    fs::read_to_string(&path).map_err(|error| format!("cannot read {path}: {error}"))
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Fields 14 and 15, counted behind the program's name, which may hold anything.
fn parse_stat(text: &str) -> Option<Usage> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(Usage { user: TICK * user, system: TICK * system })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_stat_line_when_read_then_user_and_system_time_are_found_behind_any_name() {
        let line = "7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0 100";
        let usage = parse_stat(line).unwrap();
        assert_eq!((usage.user.as_millis(), usage.system.as_millis()), (1_500, 250));
        assert_eq!(parse_stat("nothing"), None);
    }

    #[test]
    fn given_this_process_when_looked_at_then_it_has_memory_and_time() {
        let pid = std::process::id();
        assert!(resident(pid).unwrap() > 1_000_000);
        Usage::of(pid).unwrap();
        written(pid).unwrap();
    }
}

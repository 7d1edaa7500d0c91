//! Which process is which: a number alone is reused, so a process is named by its number, its start time and the
//! boot it belongs to (hard-cases.md, 9).

use std::{io, path::PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::read_bounded;

/// A process that cannot be confused with a later one of the same number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot (`/proc/PID/stat`, field 22).
    pub start_ticks: u64,
    /// The kernel's id of the boot that `start_ticks` counts from.
    pub boot_id: String,
}

/// What `/proc/PID/stat` says that the supervisor needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// `R` running, `S` sleeping, `D` waiting for a device, `T` stopped, `Z` ended but not reaped, ….
    pub state: char,
    /// Its process group.
    pub group: i32,
    /// When it started, in clock ticks since boot.
    pub start_ticks: u64,
}

/// Reads the text of `/proc/PID/stat`; the command in parentheses may hold anything, parentheses included.
#[must_use]
fn parse_stat(text: &str) -> Option<Stat> {
    let (_, rest) = text.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?.chars().next()?;
    let group = fields.nth(1)?.parse().ok()?;
    let start_ticks = fields.nth(16)?.parse().ok()?;
    Some(Stat { state, group, start_ticks })
}

/// What the kernel says of a process now; `None` when there is none of that number.
///
/// # Errors
/// When `/proc` cannot be read.
pub fn stat(pid: i32) -> io::Result<Option<Stat>> {
    match read_bounded(&PathBuf::from(format!("/proc/{pid}/stat")), 4096) {
        Ok(Some(bytes)) => Ok(parse_stat(&String::from_utf8_lossy(&bytes))),
        Ok(None) => Ok(None),
        // The process went away between opening and reading.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error()) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Identity {
    /// Names the process that has this number now; `None` when there is none or it has ended.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub fn of(pid: i32) -> io::Result<Option<Self>> {
        if stat(pid)?.is_none_or(|stat| matches!(stat.state, 'Z' | 'X')) {
            return Ok(None);
        }
        Self::of_unreaped(pid)
    }

    /// Stands for a process of this boot that is about to be started: no process has its number.
    #[must_use]
    pub fn unborn() -> Self {
        Self { pid: 0, start_ticks: 0, boot_id: boot_id().unwrap_or_default() }
    }

    /// True for what stands for a process that was about to be started in this boot.
    #[must_use]
    pub fn is_unborn(&self) -> bool {
        *self == Self::unborn()
    }

    /// Like [`Identity::of`], and names a process that has ended but was not yet reaped as well.
    ///
    /// # Errors
    /// When `/proc` cannot be read.
    pub(super) fn of_unreaped(pid: i32) -> io::Result<Option<Self>> {
        let Some(stat) = stat(pid)? else { return Ok(None) };
        Ok(Some(Self { pid, start_ticks: stat.start_ticks, boot_id: boot_id()? }))
    }
}

fn boot_id() -> io::Result<String> {
    let bytes = read_bounded(&PathBuf::from("/proc/sys/kernel/random/boot_id"), 256)?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_stat_line_when_parsed_then_names_with_parentheses_do_not_mislead() {
        let tail = "S 1 4242 4242 0 -1 4194560 100 0 0 0 5 3 0 0 20 0 4 0 987654 1000 200";
        for name in ["fluent-bit", "a b", "evil) R 1 2", "(("] {
            let stat = parse_stat(&format!("4242 ({name}) {tail}")).unwrap();
            assert_eq!(stat, Stat { state: 'S', group: 4242, start_ticks: 987_654 }, "{name}");
        }
        for bad in ["", "1", "1 (a)", "1 (a) S 1", "1 (a) S x y z"] {
            assert_eq!(parse_stat(bad), None, "{bad}");
        }
    }

    #[test]
    fn given_this_process_when_identified_twice_then_both_are_equal() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let first = Identity::of(pid).unwrap().unwrap();
        assert_eq!(Identity::of(pid).unwrap(), Some(first));
    }

    #[test]
    fn given_a_number_without_process_when_identified_then_there_is_none() {
        assert_eq!(Identity::of(i32::MAX - 1).unwrap(), None);
    }
}

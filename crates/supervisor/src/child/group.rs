//! The group that an agent leads: processes that it started, which may outlive it (hard-cases.md, 10).

use std::{fs, io};

use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open, pidfd_send_signal};

use super::{Identity, stat};

/// The other processes of the group that `leader` leads or has led.
///
/// # Errors
/// When `/proc` cannot be listed.
pub(super) fn members(leader: i32) -> io::Result<impl Iterator<Item = i32>> {
    let numbers = fs::read_dir("/proc")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(move |pid| *pid != leader);
    Ok(numbers.filter(move |pid| is_member(*pid, leader)))
}

fn is_member(pid: i32, leader: i32) -> bool {
    stat(pid).ok().flatten().is_some_and(|stat| stat.group == leader)
}

/// Kills the group at once. Only called while the leader's number is held by it, running or not yet reaped.
pub(super) fn kill(leader: i32) {
    if let Some(group) = Pid::from_raw(leader) {
        // An empty group is what we want.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// Kills what a leader has left behind that was reaped by another process: one by one, for its number may be given to
/// another leader in any moment. As long as a member lives, the kernel gives it to none, so that nobody else is met.
pub(super) fn kill_left(leader: &Identity) {
    let is_another = |pid| stat(pid).ok().flatten().is_some_and(|now| now.start_ticks != leader.start_ticks);
    let Ok(left) = members(leader.pid) else { return };
    for pid in left {
        let Some(number) = Pid::from_raw(pid) else { continue };
        let Ok(process) = pidfd_open(number, PidfdFlags::empty()) else { continue };
        // Looked at again by a descriptor that stays with the process, whatever becomes of the numbers.
        if is_member(pid, leader.pid) && !is_another(leader.pid) {
            tracing::info!(pid, "a process that the agent left behind is killed");
            // It may have ended by itself.
            let _ = pidfd_send_signal(&process, Signal::KILL);
        }
    }
}

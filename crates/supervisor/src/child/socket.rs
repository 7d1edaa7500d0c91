//! Who listens on a port, by what the kernel says: an answer on the port proves nothing, for it may be another
//! agent's (hard-cases.md, 7).

use std::{
    collections::BTreeSet,
    fs,
    io::{self, BufRead as _, BufReader},
    net::{Ipv4Addr, TcpListener},
};

use super::group;

/// Who listens on a TCP port of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortOwner {
    /// The process asked about.
    Ours,
    /// Some other process.
    Other,
    /// Nobody.
    Nobody,
}

/// The socket inodes that listen on `port`, from the text of `/proc/net/tcp` or `/proc/net/tcp6`.
fn listening_inodes(lines: impl Iterator<Item = String>, port: u16) -> BTreeSet<u64> {
    const LISTEN: &str = "0A";
    let suffix = format!(":{port:04X}");
    lines
        .filter_map(|line| {
            let mut fields = line.split_ascii_whitespace();
            let local = fields.nth(1)?;
            let state = fields.nth(1)?;
            let inode = fields.nth(5)?.parse().ok()?;
            (local.ends_with(&suffix) && state == LISTEN).then_some(inode)
        })
        .collect()
}

/// Says who listens on `port`, as seen from process `pid`'s network namespace. Ours is `pid` with all of its process
/// group: an agent may serve its API from a worker process.
///
/// # Errors
/// When `/proc` of that process cannot be read (another user's process, or gone).
pub fn port_owner(pid: i32, port: u16) -> io::Result<PortOwner> {
    let mut wanted = BTreeSet::new();
    for table in ["tcp", "tcp6"] {
        match fs::File::open(format!("/proc/{pid}/net/{table}")) {
            Ok(file) => {
                let lines = BufReader::new(file).lines().map_while(Result::ok);
                wanted.extend(listening_inodes(lines, port));
            }
            // A host without IPv6 has no second table.
            Err(error) if error.kind() == io::ErrorKind::NotFound && table == "tcp6" => {}
            Err(error) => return Err(error),
        }
    }
    if wanted.is_empty() {
        return Ok(PortOwner::Nobody);
    }
    if holds(pid, &wanted)? || group::members(pid)?.any(|member| holds(member, &wanted).unwrap_or(false)) {
        return Ok(PortOwner::Ours);
    }
    Ok(PortOwner::Other)
}

/// True when a process has one of these sockets open.
fn holds(pid: i32, inodes: &BTreeSet<u64>) -> io::Result<bool> {
    for entry in fs::read_dir(format!("/proc/{pid}/fd"))? {
        let Ok(target) = fs::read_link(entry?.path()) else { continue };
        let target = target.to_string_lossy();
        let inode = target.strip_prefix("socket:[").and_then(|rest| rest.strip_suffix(']'));
        if inode.and_then(|inode| inode.parse().ok()).is_some_and(|inode: u64| inodes.contains(&inode)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// True when a process could listen on this port of 127.0.0.1 now.
#[must_use]
pub fn is_free(port: u16) -> bool {
    port != 0 && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// A port of 127.0.0.1 that is free now; the agent must be told a number, for Fluent Bit refuses port 0.
///
/// # Errors
/// When the system gives none.
pub fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_table_when_read_then_only_listeners_on_the_port_count() {
        let table =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:07E4 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 x
   1: 0100007F:07E4 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 222 1 x
   2: 00000000:07E5 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 333 1 x
   3: garbage";
        let inodes = listening_inodes(table.lines().map(str::to_owned), 2020);
        assert_eq!(inodes.into_iter().collect::<Vec<_>>(), [111]);
    }

    #[test]
    fn given_a_listener_of_this_process_when_asked_then_it_is_ours_until_it_closes() {
        let pid = i32::try_from(std::process::id()).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert_eq!(port_owner(pid, port).unwrap(), PortOwner::Ours);
        assert!(!is_free(port));
        drop(listener);
        assert_eq!(port_owner(pid, port).unwrap(), PortOwner::Nobody);
    }
}

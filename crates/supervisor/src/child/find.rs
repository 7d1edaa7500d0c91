//! Finding processes by what they were started with, where nothing was written down of them.

use std::{
    ffi::OsString,
    fs, io,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
};

use super::stat;
use crate::files::read_bounded;

/// Longest command line that is read, in bytes; ours are far shorter.
const LINE_LIMIT: u64 = 64 * 1024;

/// The processes that lead a group of their own, as all do that [`super::Child::spawn`] starts, belong to this user or
/// to root, have not ended, and are `wanted` by their command lines; with what `wanted` made of those.
///
/// May hang, as a process does that waits for a device: its command line stands in its memory.
///
/// # Errors
/// When `/proc` cannot be listed. A process that cannot be looked at, or ends meanwhile, is none that is wanted.
pub fn find<T>(wanted: impl Fn(&[OsString]) -> Option<T>) -> io::Result<Vec<(i32, T)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(entry) = entry else { continue };
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let leads = stat(pid)
            .is_ok_and(|stat| stat.is_some_and(|stat| stat.group == pid && !matches!(stat.state, 'Z' | 'X')));
        // Anybody may give a process of theirs such a command line.
        if !leads || !is_trusted(&entry.path()) {
            continue;
        }
        if let Some(made) = command_line(&entry.path()).and_then(|line| wanted(&line)) {
            found.push((pid, made));
        }
    }
    Ok(found)
}

fn command_line(process: &Path) -> Option<Vec<OsString>> {
    let bytes = read_bounded(&process.join("cmdline"), LINE_LIMIT).ok()??;
    let line = bytes.strip_suffix(b"\0")?;
    Some(line.split(|byte| *byte == 0).map(|arg| OsString::from_vec(arg.to_vec())).collect())
}

/// Whether a process was started by this user or by root, by the user that it really is.
fn is_trusted(process: &Path) -> bool {
    let status: PathBuf = process.join("status");
    let read = read_bounded(&status, LINE_LIMIT).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&read);
    let user = text
        .lines()
        .find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()?.parse::<u32>().ok());
    user.is_some_and(|user| user == 0 || user == rustix::process::getuid().as_raw())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::child::{Child, CommandLine};
    use std::fs::File;

    #[tokio::test]
    async fn given_processes_when_looked_for_by_their_arguments_then_the_leader_alone_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let mark: OsString = folder.path().join("mark").into();
        let line = CommandLine {
            program: "/bin/sh".into(),
            // The shell that it forks has the same command line.
            args: vec!["-c".into(), "(sleep 600; :) & sleep 600; :".into(), mark.clone()],
            cwd: folder.path().into(),
        };
        let wanted = |line: &[OsString]| line.contains(&mark).then_some(line.len());
        assert_eq!(find(wanted).unwrap(), []);
        let mut child = Child::spawn(&line, &log).unwrap();
        assert_eq!(find(wanted).unwrap(), [(child.pid(), 4)]);
        child.kill().await;
        assert_eq!(find(wanted).unwrap(), []);
    }
}

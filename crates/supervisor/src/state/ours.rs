//! Whose folder it is, and how it stands, seen without changing anything in it.

use std::{
    fs::{self, File},
    io,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::Path,
};

use rustix::fs::{Access, access};

use super::{StateDir, StateError, lock};

/// The names of what the supervisor keeps in its folder; others beside them, such as files that were moved aside, begin
/// with one of these.
const OURS: [&str; 15] = [
    "agents",
    "connection-settings.json",
    "lock",
    "run",
    "configs",
    "journal.json",
    "child.json",
    "components.json",
    "own-telemetry.json",
    "own-telemetry-offer.bin",
    "redaction-key",
    "agent.log",
    "instance-uid",
    "executed.jsonl",
    "scratch.log",
];

/// Of these, what beside the lock says that the folder is a supervisor's, whatever else its owner keeps there.
const TELLING: [&str; 4] = ["journal.json", "child.json", "redaction-key", "instance-uid"];

/// What a supervisor does with what it keeps, beyond entering the folder.
const NEEDED: [(&str, Access); 8] = [
    ("lock", Access::WRITE_OK),
    ("run", Access::READ_OK.union(Access::WRITE_OK).union(Access::EXEC_OK)),
    ("configs", Access::READ_OK.union(Access::WRITE_OK).union(Access::EXEC_OK)),
    ("agent.log", Access::READ_OK.union(Access::WRITE_OK)),
    ("journal.json", Access::READ_OK),
    ("child.json", Access::READ_OK),
    ("instance-uid", Access::READ_OK),
    ("redaction-key", Access::READ_OK),
];

/// How a state folder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is not there yet.
    Absent,
    /// It can be used.
    Free,
    /// A supervisor uses it.
    InUse,
}

impl StateDir {
    /// Refuses a folder that others use; nothing is written to it.
    ///
    /// # Errors
    /// [`StateError::Foreign`], or [`StateError::Open`] when it cannot be looked at.
    pub fn refuse_foreign(root: &Path) -> Result<(), StateError> {
        let open = |source| StateError::Open { path: root.to_owned(), source };
        if is_open_to_others(root).map_err(open)? && !is_ours(root).map_err(open)? {
            return Err(StateError::Foreign { path: root.to_owned() });
        }
        Ok(())
    }

    /// Whether [`StateDir::open`] would succeed for this user, and what a start reads could be read. Nothing is made,
    /// nothing is changed, and no lock is kept.
    ///
    /// # Errors
    /// [`StateError`], as a start would have it.
    pub fn look(root: &Path) -> Result<Standing, StateError> {
        Self::refuse_foreign(root)?;
        let open = |path: &Path, source| StateError::Open { path: path.to_owned(), source };
        let meta = match fs::metadata(root) {
            Ok(meta) if meta.is_dir() => meta,
            Ok(_) => return Err(open(root, io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Standing::Absent),
            Err(error) => return Err(open(root, error)),
        };
        refuse_shared(root, meta.permissions().mode()).map_err(|error| open(root, error))?;
        let user = rustix::process::geteuid();
        if meta.permissions().mode() & 0o077 != 0 && !user.is_root() && meta.uid() != user.as_raw() {
            let why = "others may enter it, and only the user that it belongs to can change that";
            return Err(open(root, io::Error::other(why)));
        }
        let all = Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK;
        access(root, all).map_err(|error| open(root, error.into()))?;
        for (name, needed) in NEEDED {
            let path = root.join(name);
            match access(&path, needed) {
                Err(error) if error != rustix::io::Errno::NOENT => return Err(open(&path, error.into())),
                _ => {}
            }
        }
        let path = root.join("lock");
        match File::open(&path) {
            Ok(file) if lock::is_held(&file).map_err(|error| open(&path, error.into()))? => {
                Ok(Standing::InUse)
            }
            Ok(_) => Ok(Standing::Free),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Standing::Free),
            Err(error) => Err(open(&path, error)),
        }
    }
}

/// Such as /tmp: it is everybody's, and closing it would break the host.
pub(super) fn refuse_shared(path: &Path, mode: u32) -> io::Result<()> {
    if mode & 0o1000 != 0 || path.parent().is_none() {
        return Err(io::Error::other("it is shared by all users and cannot be made private"));
    }
    Ok(())
}

/// True for a folder that others than its owner may enter.
fn is_open_to_others(folder: &Path) -> io::Result<bool> {
    match fs::metadata(folder) {
        Ok(meta) => Ok(meta.is_dir() && meta.permissions().mode() & 0o077 != 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// True for a folder that is empty, or holds our lock and something that tells, or nothing but what may be ours.
fn is_ours(folder: &Path) -> io::Result<bool> {
    let is_file = |name: &str| folder.join(name).is_file();
    if is_file("lock") && TELLING.into_iter().any(is_file) {
        return Ok(true);
    }
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        let kept = |ours: &&str| {
            name.strip_prefix(*ours).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        if !OURS.iter().any(kept) {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_folder_that_others_enter_when_opened_then_only_our_own_or_an_empty_one_is_closed() {
        for (there, expect) in [
            (&[][..], true),
            (&["instance-uid"], true),
            (&["lock", "journal.json", "a-note-by-the-owner"], true),
            (&["lock", "child.json", "redaction-key", "a-note-by-the-owner"], true),
            (&["lock", "agent.log", "child.json.corrupt"], true),
            (&["lock", "agent.log", "redaction-key", "own-telemetry-offer.bin"], true),
            (&["instance-uid", "dpkg"], false),
            (&["lock", "log"], false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            for name in there {
                fs::write(folder.path().join(name), "").unwrap();
            }
            let looked = StateDir::look(folder.path());
            let opened = StateDir::open(folder.path());
            let mode = fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
            assert_eq!((opened.is_ok(), mode), (expect, if expect { 0o700 } else { 0o755 }), "{there:?}");
            assert_eq!(looked.is_ok(), expect, "{there:?}");
            if let Err(error) = opened {
                assert!(error.to_string().contains("name an empty folder"), "{error}");
            }
        }
    }

    /// Whoever keeps a new file there names it in [`OURS`] as well.
    #[test]
    fn given_the_files_that_the_supervisor_keeps_then_each_is_known_as_its_own() {
        fn names(folder: &Path, found: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    names(&path, found);
                    continue;
                }
                let text = fs::read_to_string(&path).unwrap();
                let named = text.lines().filter_map(|line| line.trim().strip_prefix("const FILE: &str = \""));
                found.extend(named.map(|rest| rest.trim_end_matches("\";").to_owned()));
            }
        }
        let mut found = Vec::new();
        names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
        assert!(found.len() >= 6, "{found:?}");
        let unknown: Vec<_> = found.iter().filter(|name| !OURS.contains(&name.as_str())).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }

    /// All that there is below a folder, with what says that it was touched.
    fn seen(folder: &Path) -> Vec<(std::path::PathBuf, u32, i64, i64)> {
        let mut all = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                all.extend(seen(&path));
            }
            let meta = fs::metadata(&path).unwrap();
            all.push((path, meta.mode(), meta.ctime(), meta.ctime_nsec()));
        }
        all.sort();
        all
    }

    #[test]
    fn given_state_folders_when_looked_at_then_how_they_stand_is_told_and_nothing_is_touched() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("state");
        assert_eq!(StateDir::look(&folder).unwrap(), Standing::Absent);
        assert_eq!(seen(outer.path()), []);
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        let before = seen(outer.path());
        assert_eq!(StateDir::look(&folder).unwrap(), Standing::Free);
        assert_eq!(seen(outer.path()), before, "an empty folder stays empty, and as open as it was");
        let state = StateDir::open(&folder).unwrap();
        let before = seen(outer.path());
        assert_eq!(StateDir::look(&folder).unwrap(), Standing::InUse);
        drop(state);
        assert_eq!(StateDir::look(&folder).unwrap(), Standing::Free);
        assert_eq!(seen(outer.path()), before);
        let file = outer.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.as_path(), Path::new("/tmp"), Path::new("/")] {
            let error = StateDir::look(path).unwrap_err();
            assert!(error.to_string().contains(&path.display().to_string()), "{error}");
        }
    }
}

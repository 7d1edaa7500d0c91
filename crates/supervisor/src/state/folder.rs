//! The state folder: opened privately, locked, read back with suspicion.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::io::Errno;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{journal::Journal, lock};
use crate::{
    child::Identity,
    files::{read_bounded, write_atomic},
};

/// The agent's log.
const LOG: &str = "agent.log";

/// Largest journal that is read back, in bytes.
const JOURNAL_LIMIT: u64 = 4 * 1024 * 1024;

/// Length of the record of the child, in bytes, filled with blanks.
const CHILD_RECORD: usize = 2048;

/// Why the state folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be made or entered.
    #[error(
        "cannot use the state folder {path}: {source}; create it writable for this user or name another one"
    )]
    Open {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else's folder, which would be closed to all others.
    #[error(
        "the folder {path} cannot be the state folder: it holds other files and other users may enter it; name an \
         empty folder or one that does not exist yet"
    )]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// Another supervisor holds it.
    #[error(
        "the state folder {path} is in use by another supervisor; stop that one or give this one its own folder"
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// A file in it cannot be written.
    #[error("cannot write {path}: {}", reason(.source))]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A full disk is named as such, for that is what an operator looks for (hard-cases.md, 15).
fn reason(source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "no space left on the disk".to_owned(),
        _ => source.to_string(),
    }
}

/// The child that a supervisor left or leaves behind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChildRecord {
    /// Which process.
    pub identity: Identity,
    /// The config file it was started with.
    pub config: PathBuf,
    /// The port of 127.0.0.1 on which it was told to answer.
    pub port: u16,
    /// When it was started, nanoseconds since 1970.
    pub started_unix_nano: u64,
    /// The fingerprint of the config that it has loaded; empty while that is not certain.
    #[serde(default)]
    pub loaded: String,
}

/// The state folder, locked for this supervisor as long as the value lives.
#[derive(Debug)]
pub struct StateDir {
    root: PathBuf,
    _lock: File,
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

    /// Whether an agent was supervised in this folder before: its log is made when that begins.
    #[must_use]
    pub fn has_run(root: &Path) -> bool {
        root.join(LOG).is_file()
    }

    /// Opens and locks the folder, making it with mode 0700 if need be.
    ///
    /// # Errors
    /// [`StateError`] when it cannot be made, entered or locked.
    pub fn open(root: &Path) -> Result<Self, StateError> {
        Self::refuse_foreign(root)?;
        let open = |source| StateError::Open { path: root.to_owned(), source };
        make_private(root).map_err(open)?;
        let root = fs::canonicalize(root).map_err(open)?;
        let lock_path = root.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&lock_path)
            .map_err(open)?;
        match lock::in_time(&lock) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(StateError::Locked { path: root }),
            Err(error) => return Err(open(error.into())),
        }
        make_private(&root.join("run")).map_err(open)?;
        make_private(&root.join("configs")).map_err(open)?;
        Ok(Self { root, _lock: lock })
    }

    /// The folder that holds the file the agent is started with, and is its working directory.
    #[must_use]
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The agent's log.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join(LOG)
    }

    /// The folder of one config's content.
    #[must_use]
    pub fn config(&self, content: &str) -> PathBuf {
        self.root.join("configs").join(content)
    }

    /// Removes the folders of all configs but these; what cannot be removed stays and is named in a warning.
    pub fn keep_configs(&self, keep: &[&str]) {
        let Ok(entries) = fs::read_dir(self.root.join("configs")) else { return };
        for entry in entries.filter_map(Result::ok) {
            if keep.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "an old config could not be removed");
            }
        }
    }

    /// Writes a file of the folder, with its parents, atomically.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old content stays.
    pub fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), StateError> {
        let parent = path.parent().unwrap_or(&self.root);
        make_private(parent)
            .and_then(|()| write_atomic(path, bytes))
            .map_err(|source| StateError::Write { path: path.to_owned(), source })
    }

    /// The journal; an empty one when there is none or it is corrupt.
    #[must_use]
    pub fn journal(&self) -> Journal {
        self.read_json("journal.json").unwrap_or_default()
    }

    /// Writes the journal.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old one stays.
    pub fn save_journal(&self, journal: &Journal) -> Result<(), StateError> {
        self.write_json("journal.json", journal)
    }

    /// The child that was last recorded.
    #[must_use]
    pub fn child(&self) -> Option<ChildRecord> {
        self.read_json("child.json")
    }

    /// Records the child. On a full disk the old record is overwritten in place, which needs no space because all
    /// records are of one length: a record that names a former process would make the next supervisor start a
    /// second agent.
    ///
    /// # Errors
    /// [`StateError::Write`].
    pub fn save_child(&self, record: &ChildRecord) -> Result<(), StateError> {
        let path = self.root.join("child.json");
        let failed = |source| StateError::Write { path: path.clone(), source };
        let mut text = serde_json::to_string_pretty(record).map_err(|error| failed(error.into()))?;
        text.push_str(&" ".repeat(CHILD_RECORD.saturating_sub(text.len())));
        let Err(error) = write_atomic(&path, text.as_bytes()) else { return Ok(()) };
        if !matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            return Err(failed(error));
        }
        let mut file = OpenOptions::new().write(true).open(&path).map_err(failed)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_data()).map_err(failed)
    }

    pub(super) fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), StateError> {
        let path = self.root.join(name);
        match serde_json::to_vec_pretty(value) {
            Ok(bytes) => self.write(&path, &bytes),
            Err(error) => Err(StateError::Write { path, source: error.into() }),
        }
    }

    pub(super) fn read_json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        let path = self.root.join(name);
        let error = match read_bounded(&path, JOURNAL_LIMIT) {
            Ok(None) => return None,
            Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(value) => return Some(value),
                Err(error) => error.to_string(),
            },
            Err(error) => error.to_string(),
        };
        let aside = self.root.join(format!("{name}.corrupt"));
        let moved = fs::rename(&path, &aside);
        tracing::warn!(
            path = %path.display(), aside = %aside.display(), moved = moved.is_ok(), error,
            "a state file is unreadable; it was moved aside and the supervisor goes on without it"
        );
        None
    }
}

/// The names of what the supervisor keeps in its folder; others beside them, such as files that were moved aside, begin
/// with one of these.
const OURS: [&str; 13] = [
    "agents",
    "connection-settings.json",
    "lock",
    "run",
    "configs",
    "journal.json",
    "child.json",
    "components.json",
    "own-telemetry.json",
    "agent.log",
    "instance-uid",
    "executed.jsonl",
    "scratch.log",
];

/// True for a folder that others than its owner may enter.
fn is_open_to_others(folder: &Path) -> io::Result<bool> {
    match fs::metadata(folder) {
        Ok(meta) => Ok(meta.is_dir() && meta.permissions().mode() & 0o077 != 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// True for a folder that is empty, or holds our lock and journal, or nothing but what may be ours.
fn is_ours(folder: &Path) -> io::Result<bool> {
    let is_file = |name: &str| folder.join(name).is_file();
    if is_file("lock") && is_file("journal.json") {
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

/// Makes a folder and its parents with mode 0700; one that is there and ours is made private.
fn make_private(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        let mode = fs::metadata(path)?.permissions().mode();
        // Such as /tmp: it is everybody's, and closing it would break the host.
        if mode & 0o1000 != 0 || path.parent().is_none() {
            return Err(io::Error::other("it is shared by all users and cannot be made private"));
        }
        if mode & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
        }
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_folder_in_use_when_opened_again_then_it_is_refused_until_released() {
        let folder = tempfile::tempdir().unwrap();
        let first = StateDir::open(folder.path()).unwrap();
        assert!(matches!(StateDir::open(folder.path()), Err(StateError::Locked { .. })));
        drop(first);
        StateDir::open(folder.path()).unwrap();
    }

    /// C193: state is private.
    #[test]
    fn given_a_new_folder_when_opened_then_nobody_else_can_enter() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a/b");
        let state = StateDir::open(&root).unwrap();
        for path in [root, state.run()] {
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        }
    }

    #[test]
    fn given_a_folder_that_others_enter_when_opened_then_only_our_own_or_an_empty_one_is_closed() {
        for (there, expect) in [
            (&[][..], true),
            (&["instance-uid"], true),
            (&["lock", "journal.json", "a-note-by-the-owner"], true),
            (&["lock", "agent.log", "child.json.corrupt"], true),
            (&["instance-uid", "dpkg"], false),
            (&["lock", "log"], false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
            for name in there {
                fs::write(folder.path().join(name), "").unwrap();
            }
            let opened = StateDir::open(folder.path());
            let mode = fs::metadata(folder.path()).unwrap().permissions().mode() & 0o777;
            assert_eq!((opened.is_ok(), mode), (expect, if expect { 0o700 } else { 0o755 }), "{there:?}");
            if let Err(error) = opened {
                assert!(error.to_string().contains("name an empty folder"), "{error}");
            }
        }
    }

    /// C193: nor does it stop the supervisor.
    #[test]
    fn given_a_corrupt_journal_when_read_then_it_is_moved_aside_and_work_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        fs::write(folder.path().join("journal.json"), b"{\"current\": 7").unwrap();
        assert_eq!(state.journal(), Journal::default());
        assert!(folder.path().join("journal.json.corrupt").exists());
        state.save_journal(&Journal::default()).unwrap();
        assert_eq!(state.journal(), Journal::default());
    }

    #[test]
    fn given_records_of_children_when_written_then_all_have_one_length_and_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        for (pid, config) in [(1, "/a"), (4_000_000, "/opt/a/long/path/to/fluent-bit.yaml")] {
            let record = ChildRecord {
                identity: Identity { pid, start_ticks: 7, boot_id: "b".into() },
                config: config.into(),
                port: 2020,
                started_unix_nano: 5,
                loaded: "f".into(),
            };
            state.save_child(&record).unwrap();
            assert_eq!(state.child(), Some(record));
            assert_eq!(fs::metadata(folder.path().join("child.json")).unwrap().len(), CHILD_RECORD as u64);
        }
    }

    #[test]
    fn given_no_space_when_told_then_the_sentence_says_so() {
        let error =
            StateError::Write { path: "/x/journal.json".into(), source: io::ErrorKind::StorageFull.into() };
        assert_eq!(error.to_string(), "cannot write /x/journal.json: no space left on the disk");
    }
}

//! The state folder: opened privately, locked, read back with suspicion.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use rustix::io::Errno;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{StateError, journal::Journal, lock, ours::refuse_shared};
use crate::{
    child::Identity,
    files::{make_folder, read_bounded, remove_folder, write_atomic},
};

/// The agent's log.
const LOG: &str = "agent.log";

/// Largest journal that is read back, in bytes.
const JOURNAL_LIMIT: u64 = 4 * 1024 * 1024;

/// Length of the record of the child, in bytes, filled with blanks.
const CHILD_RECORD: usize = 2048;

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
            if let Err(error) = remove_folder(&entry.path()) {
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
    ///
    /// # Errors
    /// [`StateError::Read`]: what it says is not known, and it must not be written anew.
    pub fn journal(&self) -> Result<Journal, StateError> {
        Ok(self.read_json("journal.json")?.unwrap_or_default())
    }

    /// Writes the journal.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old one stays.
    pub fn save_journal(&self, journal: &Journal) -> Result<(), StateError> {
        self.write_json("journal.json", journal)
    }

    /// The child that was last recorded; `None` when none was or the record is corrupt.
    ///
    /// # Errors
    /// [`StateError::Read`]: it may name a process that runs.
    pub fn child(&self) -> Result<Option<ChildRecord>, StateError> {
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

    /// Reads a file back. One whose content makes no sense is corrupt: it is moved aside, for it will make no more
    /// sense the next time. One that cannot be read (no handle is left, the disk fails, it is another user's) may be
    /// whole, and stays where it is.
    ///
    /// # Errors
    /// [`StateError::Read`].
    pub(super) fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StateError> {
        let path = self.root.join(name);
        let error = match read_bounded(&path, JOURNAL_LIMIT) {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => match serde_json::from_slice(&bytes) {
                Ok(value) => return Ok(Some(value)),
                Err(error) => error.to_string(),
            },
            Err(error) if error.kind() == io::ErrorKind::FileTooLarge => error.to_string(),
            Err(source) => return Err(StateError::Read { path, source }),
        };
        let aside = self.root.join(format!("{name}.corrupt"));
        let moved = fs::rename(&path, &aside);
        tracing::warn!(
            path = %path.display(), aside = %aside.display(), moved = moved.is_ok(), error,
            "a state file is corrupt; it was moved aside and the supervisor goes on without it"
        );
        Ok(None)
    }
}

/// Makes a folder and its parents with mode 0700; one that is there and ours is made private.
fn make_private(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return make_folder(path);
    }
    let mode = fs::metadata(path)?.permissions().mode();
    refuse_shared(path, mode)?;
    if mode & 0o077 != 0 {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;

//! Files that are put in place of one another, such that the way back needs no space on the disk.

use std::{
    ffi::OsString,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{StateDir, StateError};
use crate::files::{link, read_bounded, remove_file, rename, sync_folder};

impl StateDir {
    /// Writes a file of the folder unless it holds these bytes already. Where the file that [`StateDir::retain`] kept
    /// holds them, that one is renamed into place: neither needs space, for a full disk must not stand in the way of
    /// a config that is there.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old content stays.
    pub fn keep(&self, path: &Path, bytes: &[u8]) -> Result<(), StateError> {
        if holds(path, bytes) {
            return Ok(());
        }
        let former = former(path);
        if holds(&former, bytes) && rename(&former, path).and_then(|()| sync_folder(path)).is_ok() {
            return Ok(());
        }
        self.write(path, bytes)
    }

    /// True when a file holds exactly these bytes.
    #[must_use]
    pub fn has(&self, path: &Path, bytes: &[u8]) -> bool {
        holds(path, bytes)
    }

    /// Keeps the file that stands at `path`, if one does, under a second name before another takes its place.
    ///
    /// # Errors
    /// [`StateError::Write`]; nothing has changed at `path` then.
    pub fn retain(&self, path: &Path) -> Result<(), StateError> {
        let former = former(path);
        let failed = |source| StateError::Write { path: former.clone(), source };
        let there = |done: io::Result<()>| match done {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        };
        there(remove_file(&former)).map_err(failed)?;
        there(link(path, &former))
            // Some file systems know no second names.
            .or_else(|_| there(fs::copy(path, &former).and_then(|_| File::open(&former)?.sync_all())))
            .and_then(|()| sync_folder(path))
            .map_err(failed)
    }

    /// Gives up what [`StateDir::retain`] kept.
    pub fn release(&self, path: &Path) {
        // There need be none; one that stays behind is replaced by the next.
        let _ = remove_file(&former(path));
    }
}

/// The second name of a file.
fn former(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".former");
    name.into()
}

/// True when a file holds exactly these bytes.
fn holds(path: &Path, bytes: &[u8]) -> bool {
    read_bounded(path, bytes.len() as u64).ok().flatten().is_some_and(|there| there == bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_replaced_file_when_nothing_can_be_written_then_the_way_back_still_works() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        let path = state.run().join("f");
        state.keep(&path, b"good").unwrap();
        state.retain(&path).unwrap();
        state.keep(&path, b"new").unwrap();
        // A folder where the temporary file would go makes each write fail, for every user.
        fs::create_dir(state.run().join("f.tmp")).unwrap();
        assert!(state.keep(&path, b"other").is_err());
        state.keep(&path, b"good").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"good");
    }

    #[test]
    fn given_files_that_are_kept_when_kept_again_or_released_then_only_the_newest_counts() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(folder.path()).unwrap();
        let path = state.run().join("f");
        state.retain(&path).unwrap();
        for text in [b"1", b"2", b"3"] {
            state.keep(&path, text).unwrap();
            state.retain(&path).unwrap();
        }
        assert_eq!(fs::read(former(&path)).unwrap(), b"3");
        state.release(&path);
        assert!(!former(&path).exists());
        state.release(&path);
    }
}

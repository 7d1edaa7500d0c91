//! The data directory: who may use it, and where things lie in it.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Where the store lies.
#[must_use]
pub(crate) fn database(data_dir: &Path) -> PathBuf {
    data_dir.join("tidegate.db")
}

/// Where the history of metrics lies, which may be lost.
#[must_use]
pub(crate) fn history(data_dir: &Path) -> PathBuf {
    data_dir.join("metrics.db")
}

/// Makes the data directory where it is not there.
pub(crate) fn make(data_dir: &Path) -> Result<(), String> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data_dir)
        .map_err(|error| failed(data_dir, &error))
}

/// Takes the data directory for this process, until what is returned is dropped or the process ends.
pub(crate) fn lock(data_dir: &Path) -> Result<File, String> {
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(data_dir.join("lock"))
        .map_err(|error| failed(data_dir, &error))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(format!(
            "another server uses the data directory {}; stop it, or give another --data-dir",
            data_dir.display()
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(data_dir, &error)),
    }
}

fn failed(data_dir: &Path, error: &std::io::Error) -> String {
    format!("cannot use the data directory {}: {error}", data_dir.display())
}

//! Files that are read again when they change; what cannot be read leaves what was read before in force.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use crate::listen::Stopping;

/// What tells one state of a file from another; `None` for a file that is not there.
type Stamp = Option<(i64, i64, u64, u64)>;

type Load<T> = Box<dyn Fn() -> Result<T, String> + Send + Sync>;

/// What files hold, kept up to date.
pub(crate) struct Reloaded<T> {
    /// What it is, as the start of a log line.
    what: &'static str,
    paths: Vec<PathBuf>,
    load: Load<T>,
    current: RwLock<Arc<T>>,
    stamps: Mutex<Vec<Stamp>>,
}

/// Something that can be kept up to date.
pub(crate) trait Refresh: Send + Sync {
    /// Reads the files again where they changed since they were last looked at.
    fn refresh(&self);
}

impl<T> Reloaded<T> {
    /// Reads the files for the first time.
    pub(crate) fn new(
        what: &'static str,
        paths: Vec<PathBuf>,
        load: impl Fn() -> Result<T, String> + Send + Sync + 'static,
    ) -> Result<Self, String> {
        // Before they are read: a change between the two is seen the next time.
        let stamps = paths.iter().map(|path| stamp(path)).collect();
        let current = RwLock::new(Arc::new(load()?));
        Ok(Self { what, paths, load: Box::new(load), current, stamps: Mutex::new(stamps) })
    }

    /// What was read last.
    pub(crate) fn get(&self) -> Arc<T> {
        Arc::clone(&self.current.read())
    }
}

impl<T: Send + Sync> Refresh for Reloaded<T> {
    fn refresh(&self) {
        let found: Vec<Stamp> = self.paths.iter().map(|path| stamp(path)).collect();
        if std::mem::replace(&mut *self.stamps.lock(), found.clone()) == found {
            return;
        }
        match (self.load)() {
            Ok(value) => {
                *self.current.write() = Arc::new(value);
                tracing::info!("{} changed and were read again", self.what);
            }
            Err(error) => {
                tracing::error!(%error, "{} changed and cannot be used; the old ones stay in force", self.what);
            }
        }
    }
}

/// Looks after files until the server stops.
pub(crate) async fn watch(files: Vec<Arc<dyn Refresh>>, every: Duration, mut stopping: Stopping) {
    if files.is_empty() {
        return;
    }
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stopping.begun() => return,
            _ = ticks.tick() => {}
        }
        let files = files.clone();
        // A file may lie on a file system that hangs.
        let looked = tokio::task::spawn_blocking(move || files.iter().for_each(|file| file.refresh()));
        if let Err(error) = looked.await {
            tracing::error!(%error, "certificates and tokens could not be looked at");
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = std::fs::metadata(path).ok()?;
    // The time of change also tells of another mode or name.
    Some((found.ctime(), found.ctime_nsec(), found.len(), found.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_a_file_when_it_changes_then_it_is_read_once_and_a_bad_one_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        std::fs::write(&path, "1").unwrap();
        let reads = Arc::new(Mutex::new(0));
        let (from, counted) = (path.clone(), Arc::clone(&reads));
        let number = Reloaded::new("numbers", vec![path.clone()], move || {
            *counted.lock() += 1;
            let text = std::fs::read(&from).map_err(|error| error.to_string())?;
            String::from_utf8_lossy(&text).parse::<u32>().map_err(|error| error.to_string())
        })
        .unwrap();
        number.refresh();
        assert_eq!((*number.get(), *reads.lock()), (1, 1));
        std::fs::write(&path, "22").unwrap();
        number.refresh();
        number.refresh();
        assert_eq!((*number.get(), *reads.lock()), (22, 2));
        std::fs::write(&path, "none").unwrap();
        number.refresh();
        number.refresh();
        assert_eq!((*number.get(), *reads.lock()), (22, 3));
        std::fs::remove_file(&path).unwrap();
        number.refresh();
        assert_eq!((*number.get(), *reads.lock()), (22, 4));
    }
}

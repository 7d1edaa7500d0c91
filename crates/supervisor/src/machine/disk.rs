//! How full the disk is to which the agent buffers records. Asked beside everything else: a network file system that
//! does not answer must not hold the supervision up.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use tokio::sync::oneshot::{Receiver, error::TryRecvError};

use crate::{files::beside, kind::ComponentState};

/// How often it is asked.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the file system may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The last that was learned, and the question under way: never more than one.
#[derive(Debug, Default)]
pub(super) struct Disk {
    folder: Option<PathBuf>,
    asked: Option<Instant>,
    asking: Option<Receiver<bool>>,
    full: bool,
}

impl Disk {
    /// What is wrong with the file system of a folder, if something is; `whose` stands for the asker. Never waits.
    pub(super) fn look(&mut self, whose: &Path, folder: Option<&Path>) -> Option<ComponentState> {
        if self.folder.as_deref() != folder && self.asking.is_none() {
            *self = Self { folder: folder.map(Path::to_owned), ..Self::default() };
        }
        match self.asking.as_mut().map(Receiver::try_recv) {
            None | Some(Err(TryRecvError::Empty)) => {}
            Some(answer) => {
                self.full = answer.unwrap_or_default();
                self.asking = None;
            }
        }
        let since = self.asked.map(|at| at.elapsed());
        if self.asking.is_some() {
            let silent = since.is_some_and(|since| since >= PATIENCE);
            let what = "the file system for buffered records does not answer";
            return silent.then(|| ComponentState::failing("silent", what));
        }
        if let Some(folder) = self.folder.clone().filter(|_| since.is_none_or(|since| since >= PAUSE)) {
            self.asked = Some(Instant::now());
            self.asking = beside(whose, move || is_nearly_full(&folder));
        }
        let what = "less than 1 % of the disk for buffered records is free";
        self.full.then(|| ComponentState::failing("full", what))
    }
}

/// True when less than a hundredth of the space or of the inodes is left where a folder stands.
fn is_nearly_full(folder: &Path) -> bool {
    let Ok(disk) = rustix::fs::statvfs(folder) else { return false };
    let scarce = |free: u64, all: u64| all > 0 && free.saturating_mul(100) < all;
    scarce(disk.f_bavail, disk.f_blocks) || scarce(disk.f_favail, disk.f_files)
}

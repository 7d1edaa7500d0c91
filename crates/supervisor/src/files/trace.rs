//! What was done with files, in order: so that a test can ask what a power cut would have left of it.

use std::{
    cell::RefCell,
    path::{Path, PathBuf},
};

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// A folder was made.
    Folder(PathBuf),
    /// A file was made, with this content in it.
    File(PathBuf, Vec<u8>),
    /// The content of a file was synced.
    SyncedFile(PathBuf),
    /// The entries of a folder were synced.
    SyncedFolder(PathBuf),
    /// A name was given to what had another one in the same folder.
    Renamed(PathBuf, PathBuf),
    /// A second name in the same folder was given to a file.
    Linked(PathBuf, PathBuf),
    /// A name was taken away; of a folder, with all in it.
    Removed(PathBuf),
    /// A test has seen something succeed.
    Seen(&'static str),
}

thread_local! {
    static TRACE: RefCell<Option<Vec<Done>>> = const { RefCell::new(None) };
}

/// What this thread does while `work` runs.
pub(crate) fn of(work: impl FnOnce()) -> Vec<Done> {
    TRACE.set(Some(Vec::new()));
    work();
    TRACE.take().unwrap_or_default()
}

pub(crate) fn note(done: impl FnOnce() -> Done) {
    TRACE.with_borrow_mut(|trace| {
        if let Some(trace) = trace {
            trace.push(done());
        }
    });
}

/// The folder of a path.
pub(crate) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

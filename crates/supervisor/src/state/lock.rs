//! The lock of a state folder.

use std::{fs::File, thread::sleep, time::Duration};

use rustix::{
    fs::{FlockOperation, flock},
    io::Errno,
};

/// Locks a file. A program that this process is just about to start holds its locks as well until it is executed, so one
/// that was given up a moment ago may still seem held: it is tried for a fifth of a second.
pub(super) fn in_time(file: &File) -> Result<(), Errno> {
    tried(file, FlockOperation::NonBlockingLockExclusive)
}

/// Whether another holds the lock; it is given up again at once where none does.
pub(super) fn is_held(file: &File) -> Result<bool, Errno> {
    match tried(file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => flock(file, FlockOperation::Unlock).map(|()| false),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error),
    }
}

fn tried(file: &File, operation: FlockOperation) -> Result<(), Errno> {
    let mut tries = 0;
    loop {
        match flock(file, operation) {
            Err(Errno::WOULDBLOCK) if tries < 10 => {
                tries += 1;
                sleep(Duration::from_millis(20));
            }
            done => return done,
        }
    }
}

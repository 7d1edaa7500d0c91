//! Why the state folder, or a file in it, cannot be used.

use std::{io, path::PathBuf};

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
    /// A file in it is there and cannot be read. What stands in it is not known then, and it is left as it is.
    #[error(
        "cannot read {path}: {}; the file is left as it is: let this user read it, or run as the user that it belongs to",
        reason(.source)
    )]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_no_space_when_told_then_the_sentence_says_so() {
        let error =
            StateError::Write { path: "/x/journal.json".into(), source: io::ErrorKind::StorageFull.into() };
        assert_eq!(error.to_string(), "cannot write /x/journal.json: no space left on the disk");
    }
}

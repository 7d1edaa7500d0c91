//! The key of the marks that stand in the place of secrets of the host's own config: made once, so that drift shows over
//! restarts, and known to this host alone, so that nobody can try out which secret a mark stands for (OpAMP C085).

use std::{io, path::Path};

use tidegate_fluent::redact::Key;

use super::{StateDir, StateError};
use crate::files::{read_bounded, write_atomic};

/// Name of the file in the state folder.
const FILE: &str = "redaction-key";

/// Bytes of the key.
const BYTES: usize = 32;

impl StateDir {
    /// The key, made where there is none. One that cannot be kept serves for this run, as one does in the place of a key
    /// that cannot be read, which is left as it is.
    ///
    /// # Errors
    /// [`StateError::Write`] when the host gives no random bytes.
    pub fn redaction_key(&self) -> Result<Key, StateError> {
        let path = self.run().with_file_name(FILE);
        match read_bounded(&path, BYTES as u64) {
            Ok(Some(bytes)) if bytes.len() == BYTES => return Ok(Key::new(&bytes)),
            Ok(None) => {}
            Err(error) if error.kind() != io::ErrorKind::FileTooLarge => {
                tracing::warn!(path = %path.display(), %error, "the key cannot be read: marks change until the next start");
                return fresh(&path).map(|bytes| Key::new(&bytes));
            }
            _ => {
                tracing::warn!(path = %path.display(), "the key cannot be used: a new one is made, and marks change");
            }
        }
        let bytes = fresh(&path)?;
        if let Err(error) = write_atomic(&path, &bytes) {
            tracing::warn!(path = %path.display(), %error, "the key cannot be kept: marks will change with the next start");
        }
        Ok(Key::new(&bytes))
    }
}

fn fresh(path: &Path) -> Result<[u8; BYTES], StateError> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| StateError::Write { path: path.to_owned(), source: io::Error::other(error) })?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn given_a_state_folder_when_asked_again_then_the_key_is_the_same_and_its_own() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let key =
            |folder: &tempfile::TempDir| StateDir::open(folder.path()).unwrap().redaction_key().unwrap();
        let first = key(&one);
        assert_eq!(key(&one), first);
        assert_ne!(key(&other), first);
        let path = one.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "short").unwrap();
        let second = key(&one);
        assert_ne!(second, first);
        // Nobody can read a folder as a file.
        std::fs::rename(&path, one.path().join("aside")).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_ne!(key(&one), second);
        std::fs::remove_dir(&path).unwrap();
        std::fs::rename(one.path().join("aside"), &path).unwrap();
        assert_eq!(key(&one), second, "what could not be read for a while is still there");
    }
}

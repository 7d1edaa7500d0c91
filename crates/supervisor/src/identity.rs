//! The agent's uid: made once, kept in the state folder (OpAMP C042, C043).

use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use tidegate_opamp::InstanceUid;

use crate::files::{make_folder, read_bounded, write_atomic};

/// Name of the file in the state folder.
const FILE: &str = "instance-uid";

/// Longest file that is read, in bytes; a uid with its line end has 37.
const MOST_BYTES: u64 = 1024;

/// Why there is no uid.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The file or its folder cannot be used.
    #[error("cannot {what} {path}: {source}", path = .path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The host has no randomness.
    #[error("cannot make an instance uid: this host gives no random bytes")]
    Random,
}

/// The agent's uid, kept where it is known, made where it is not. A file that cannot be understood is moved aside
/// (OpAMP C193).
///
/// # Errors
/// [`IdentityError`].
pub fn load(state_dir: &Path) -> Result<InstanceUid, IdentityError> {
    let path = state_dir.join(FILE);
    let failed = |what, source| IdentityError::File { what, path: path.clone(), source };
    make_folder(state_dir).map_err(|source| failed("make the folder of", source))?;
    let broken = match read_bounded(&path, MOST_BYTES) {
        Ok(None) => false,
        Ok(Some(bytes)) => match std::str::from_utf8(&bytes).unwrap_or_default().trim().parse() {
            Ok(uid) => return Ok(uid),
            Err(_) => true,
        },
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => true,
        Err(error) => return Err(failed("read", error)),
    };
    if broken {
        let aside = state_dir.join(format!("{FILE}.broken"));
        std::fs::rename(&path, &aside).map_err(|source| failed("move aside", source))?;
        tracing::warn!(path = %path.display(), aside = %aside.display(), "the file is no uid: a new one is made");
    }
    let uid = make()?;
    store(state_dir, uid)?;
    Ok(uid)
}

/// Keeps a uid for the next start.
///
/// # Errors
/// [`IdentityError::File`]; the old file is whole then.
pub fn store(state_dir: &Path, uid: InstanceUid) -> Result<(), IdentityError> {
    let path = state_dir.join(FILE);
    write_atomic(&path, format!("{uid}\n").as_bytes()).map_err(|source| IdentityError::File {
        what: "write",
        path,
        source,
    })
}

fn make() -> Result<InstanceUid, IdentityError> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|_| IdentityError::Random)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(InstanceUid::v7(u64::try_from(since.as_millis()).unwrap_or_default(), random))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// C042, C043, C193: made once, of now, for this user only.
    #[test]
    fn given_a_new_folder_when_loaded_twice_then_one_private_uid_of_version_7_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("deep/state");
        let uid = load(&state).unwrap();
        let bytes = uid.as_bytes();
        assert_eq!((bytes[6] >> 4, bytes[8] >> 6), (7, 0b10), "version and variant");
        let made = bytes[..6].iter().fold(0, |millis, byte| (millis << 8) | u128::from(*byte));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
        assert!((now - 60_000..=now).contains(&made), "{made} is not now, {now}");
        assert_eq!(load(&state).unwrap(), uid);
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&state), mode(&state.join(FILE))), (0o700, 0o600));
    }

    /// C043, C045: a uid that was given is kept as well.
    #[test]
    fn given_a_new_uid_when_stored_then_it_is_the_one_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let (before, after) = (load(folder.path()).unwrap(), make().unwrap());
        store(folder.path(), after).unwrap();
        assert_eq!(load(folder.path()).unwrap(), after);
        assert_ne!(before, after);
    }

    /// C193: a broken file is no reason not to start.
    #[test]
    fn given_a_broken_file_when_loaded_then_it_is_moved_aside_and_a_new_uid_is_made() {
        for broken in [&b""[..], b"nonsense", &[0xFF; 16], &[b'0'; 2000]] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(FILE), broken).unwrap();
            let uid = load(folder.path()).unwrap();
            assert_eq!(load(folder.path()).unwrap(), uid);
            assert_eq!(std::fs::read(folder.path().join("instance-uid.broken")).unwrap(), broken);
        }
    }
}

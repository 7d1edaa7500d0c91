//! What a binary was found to be able to run, kept so that it is asked once and not at every start.

use std::{fs, io, os::unix::fs::MetadataExt as _, path::Path};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tidegate_opamp::{AvailableComponents, Message as _};

use super::{StateDir, StateError};
use crate::hex::{hex, unhex};

/// Name of the file in the state folder.
const FILE: &str = "components.json";

/// Counts changes of what is told of a binary, so that one that was asked before is asked again.
const FORM: u32 = 1;

/// A binary as it stands on disk: another one has another stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BinaryStamp {
    path: String,
    device: u64,
    inode: u64,
    bytes: u64,
    /// When it was last written, in nanoseconds since 1970.
    modified: i128,
}

impl BinaryStamp {
    /// The stamp of the file at `path`, links followed.
    ///
    /// # Errors
    /// What the file system said.
    pub fn of(path: &Path) -> io::Result<Self> {
        let meta = fs::metadata(path)?;
        Ok(Self {
            path: path.to_string_lossy().into_owned(),
            device: meta.dev(),
            inode: meta.ino(),
            bytes: meta.size(),
            modified: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
        })
    }
}

/// What came of asking a binary.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// Which binary.
    pub stamp: BinaryStamp,
    /// What it said; `None` for one that cannot tell.
    pub known: Option<Known>,
}

/// What a binary said that it can run.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its version; empty where it said none.
    pub version: String,
    /// The report.
    pub components: AvailableComponents,
}

#[derive(Deserialize, Serialize)]
struct Written {
    stamp: BinaryStamp,
    /// [`FORM`]; another one was written by a supervisor that told something else of the same binary.
    #[serde(default)]
    form: u32,
    version: String,
    /// An `AvailableComponents` in hex; empty for a binary that cannot tell.
    components: String,
}

impl StateDir {
    /// What came of asking the binary last, if it is this one.
    #[must_use]
    pub fn inventory(&self, stamp: &BinaryStamp) -> Option<Asked> {
        let written: Written = self.read_json(FILE).ok()??;
        if written.stamp != *stamp || written.form != FORM {
            return None;
        }
        let components = AvailableComponents::decode(Bytes::from(unhex(&written.components)?)).ok()?;
        let known = (!components.hash.is_empty()).then_some(Known { version: written.version, components });
        Some(Asked { stamp: written.stamp, known })
    }

    /// Keeps it.
    ///
    /// # Errors
    /// [`StateError::Write`]; the old content stays.
    pub fn save_inventory(&self, asked: &Asked) -> Result<(), StateError> {
        let (version, components) = asked
            .known
            .as_ref()
            .map(|known| (known.version.clone(), hex(&known.components.encode_to_vec())))
            .unwrap_or_default();
        self.write_json(FILE, &Written { stamp: asked.stamp.clone(), form: FORM, version, components })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_what_a_binary_said_when_kept_then_it_comes_back_for_that_binary_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = StateDir::open(&folder.path().join("state")).unwrap();
        let binary = folder.path().join("agent");
        fs::write(&binary, "1").unwrap();
        let stamp = BinaryStamp::of(&binary).unwrap();
        assert_eq!(state.inventory(&stamp), None);
        let components = AvailableComponents { hash: vec![1; 32].into(), ..AvailableComponents::default() };
        for known in [None, Some(Known { version: "5".into(), components })] {
            let asked = Asked { stamp: stamp.clone(), known };
            state.save_inventory(&asked).unwrap();
            assert_eq!(state.inventory(&stamp), Some(asked));
        }
        let file = folder.path().join("state").join(FILE);
        let older = fs::read_to_string(&file).unwrap().replace(r#""form": 1"#, r#""form": 0"#);
        fs::write(&file, older).unwrap();
        assert_eq!(state.inventory(&stamp), None, "another supervisor told something else");
        fs::write(folder.path().join("next"), "2").unwrap();
        fs::rename(folder.path().join("next"), &binary).unwrap();
        assert_eq!(state.inventory(&BinaryStamp::of(&binary).unwrap()), None);
        fs::remove_file(&binary).unwrap();
        assert!(BinaryStamp::of(&binary).is_err());
    }
}

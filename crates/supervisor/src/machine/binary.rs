//! The agent's program file: whether another stands in its place than the one that runs (hard-cases.md, 20).

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{kind::ComponentState, state::BinaryStamp};

/// How often it is looked at.
const LOOK: Duration = Duration::from_secs(10);

/// What is known of the file.
#[derive(Debug, Default)]
pub(super) struct Binary {
    /// The file that the process runs, once that is known; nothing in it for one that was not there.
    started: Option<Option<BinaryStamp>>,
    looked: Option<Instant>,
    seen: Option<ComponentState>,
}

impl Binary {
    /// Takes note of the file that a process is started from.
    pub(super) fn starts(&mut self, path: &Path) {
        *self = Self { started: BinaryStamp::of(path).ok().map(Some), ..Self::default() };
    }

    /// What is to be said of it; nothing while it is the one that runs. A process that was adopted is taken to run the
    /// one that is there.
    pub(super) fn look(&mut self, path: &Path) -> Option<ComponentState> {
        if self.looked.is_none_or(|at| at.elapsed() >= LOOK) {
            self.looked = Some(Instant::now());
            let now = BinaryStamp::of(path).ok();
            let started = self.started.get_or_insert_with(|| now.clone());
            self.seen = match now {
                None => Some(ComponentState::working(
                    "gone",
                    "the program file is gone: the agent runs on, but could not be started again",
                )),
                now if now != *started => Some(ComponentState::working(
                    "replaced",
                    "the program file was replaced: a restart takes up the new one",
                )),
                _ => None,
            };
        }
        self.seen.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Hard case 20.
    #[test]
    fn given_a_program_file_when_replaced_or_removed_then_it_is_said_until_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let (path, new) = (folder.path().join("agent"), folder.path().join("new"));
        fs::write(&path, "1").unwrap();
        let mut binary = Binary::default();
        binary.starts(&path);
        let look = |binary: &mut Binary| {
            binary.looked = None;
            binary.look(&path).map(|state| (state.healthy, state.status))
        };
        assert_eq!(look(&mut binary), None);
        fs::write(&new, "2").unwrap();
        fs::rename(&new, &path).unwrap();
        assert_eq!(look(&mut binary), Some((true, "replaced")));
        fs::remove_file(&path).unwrap();
        assert_eq!(look(&mut binary), Some((true, "gone")));
        fs::write(&path, "3").unwrap();
        binary.starts(&path);
        assert_eq!(look(&mut binary), None);
    }
}

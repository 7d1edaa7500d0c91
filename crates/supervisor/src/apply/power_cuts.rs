//! Power cuts, by all that POSIX allows them to take: what was written and not synced is there, or not, or half; names
//! that were given or taken in a folder since it was synced last are, up to some point, as they were.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{OfferedFile, OfferedFiles, load, store};
use crate::{
    child::Identity,
    files::trace::{self, Done, folder_of},
    state::{ChildRecord, Entry, Journal, StateDir, Unconfirmed},
};

/// What a name stands for: a folder, or one of the files that were ever made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

type Names = BTreeMap<PathBuf, Node>;

/// A disk: what was synced of each folder, and what was done in it since.
#[derive(Debug, Default)]
struct Disk {
    /// Contents, and whether they were synced.
    files: Vec<(Vec<u8>, bool)>,
    /// By folder.
    synced: BTreeMap<PathBuf, Names>,
    since: BTreeMap<PathBuf, Vec<(PathBuf, Option<Node>, PathBuf)>>,
    /// As a program sees it.
    seen: Names,
}

impl Disk {
    /// A name stands for something from now on; `gone` is taken away in the same breath, unless it is the name itself.
    fn name(&mut self, name: &Path, node: Option<Node>, gone: &Path) {
        self.seen.remove(gone);
        match node {
            Some(node) => drop(self.seen.insert(name.to_owned(), node)),
            None => drop(self.seen.remove(name)),
        }
        let folder = folder_of(name).to_owned();
        self.since.entry(folder).or_default().push((name.to_owned(), node, gone.to_owned()));
    }

    fn does(&mut self, done: &Done) {
        match done {
            Done::Folder(path) => {
                // Another one than had the name before.
                self.synced.remove(path);
                self.since.remove(path);
                self.name(path, Some(Node::Folder), path);
            }
            Done::File(path, bytes) => {
                self.files.push((bytes.clone(), false));
                self.name(path, Some(Node::File(self.files.len() - 1)), path);
            }
            Done::SyncedFile(path) => match self.seen.get(path) {
                Some(Node::File(file)) => self.files[*file].1 = true,
                other => panic!("{path:?} is {other:?}"),
            },
            Done::SyncedFolder(path) => {
                let names = self.seen.iter().filter(|(name, _)| folder_of(name) == path);
                let names = names.map(|(name, node)| (name.clone(), *node)).collect();
                self.synced.insert(path.clone(), names);
                self.since.remove(path);
            }
            Done::Renamed(from, to) => self.name(to, self.seen.get(from).copied(), from),
            Done::Linked(file, name) => self.name(name, self.seen.get(file).copied(), name),
            Done::Removed(path) => {
                let below: Vec<_> = self.seen.keys().filter(|name| name.starts_with(path)).cloned().collect();
                for name in below.iter().rev() {
                    self.name(name, None, name);
                }
            }
            Done::Seen(_) => {}
        }
    }

    /// What is left after a cut, written out below `to`; `dice` gives numbers below its argument.
    fn cut(&self, root: &Path, to: &Path, dice: &mut impl FnMut(usize) -> usize) {
        let mut names = self.synced.get(root).cloned().unwrap_or_default();
        let since = self.since.get(root).map(Vec::as_slice).unwrap_or_default();
        for (name, node, gone) in &since[..dice(since.len() + 1)] {
            names.remove(gone);
            match node {
                Some(node) => drop(names.insert(name.clone(), *node)),
                None => drop(names.remove(name)),
            }
        }
        for (name, node) in names {
            let there = to.join(name.file_name().unwrap());
            match node {
                Node::Folder => {
                    fs::create_dir(&there).unwrap();
                    self.cut(&name, &there, dice);
                }
                Node::File(file) => {
                    let (bytes, synced) = &self.files[file];
                    let length = if *synced { bytes.len() } else { dice(bytes.len() + 1) };
                    fs::write(there, &bytes[..length]).unwrap();
                }
            }
        }
    }
}

fn offered(name: &str) -> OfferedFiles {
    let file = |path: &str| OfferedFile {
        name: path.into(),
        path: path.into(),
        body: format!("{path} of {name}").into(),
        content_type: String::new(),
        role: String::new(),
    };
    OfferedFiles { files: vec![file("main.yaml"), file("d/e/parsers.conf")], main: 0 }
}

fn entry(name: &str) -> Entry {
    Entry { hash: "aa".into(), content: name.to_owned() }
}

fn child(pid: i32) -> ChildRecord {
    ChildRecord {
        identity: Identity { pid, start_ticks: 1, boot_id: "b".into() },
        config: "/c".into(),
        port: 1,
        started_unix_nano: 1,
        loaded: String::new(),
    }
}

/// What an apply writes, in its order: one of `kept` is proven, one of others rolled back.
fn applies(root: &Path, names: &[&'static str], kept: &[&str]) {
    let state = StateDir::open(root).unwrap();
    let mut journal = Journal::default();
    let run = state.run().join("fluent-bit.yaml");
    for (pid, name) in (1..).zip(names) {
        let former = journal.current.as_ref().map_or("own", |entry| entry.content.as_str()).to_owned();
        store(&state, name, &offered(name)).unwrap();
        journal.begin(&entry(name));
        state.save_journal(&journal).unwrap();
        state.retain(&run).unwrap();
        state.keep(&run, name.as_bytes()).unwrap();
        state.save_child(&child(pid)).unwrap();
        if kept.contains(name) {
            journal.commit(entry(name), true);
            state.save_journal(&journal).unwrap();
            trace::note(|| Done::Seen(name));
            state.release(&run);
        } else {
            state.keep(&run, former.as_bytes()).unwrap();
            journal.drop_candidate();
            journal.refuse(&entry(name), "bad");
        }
        state.keep_configs(&journal.contents());
        state.save_journal(&journal).unwrap();
    }
}

/// Hard case 16: whatever a cut takes, the journal is whole, an offer that was proven counts, the files of what it names
/// as running are there, and so is the last record of the process.
#[test]
fn given_applies_when_power_is_lost_after_any_step_then_the_last_good_config_is_known_and_whole() {
    const NAMES: [&str; 5] = ["a", "b", "bad", "c", "a"];
    let outer = tempfile::tempdir().unwrap();
    let outer = fs::canonicalize(outer.path()).unwrap();
    let root = outer.join("deep/state");
    let all = trace::of(|| applies(&root, &NAMES, &["a", "b", "c"]));
    assert!(all.len() > 150, "{}", all.len());
    // What is left is looked at a thousand times: where there is a disk that needs no time to sync, there.
    let memory = Path::new("/dev/shm");
    let mut random = 1_u64;
    let (mut disk, mut proven) = (Disk::default(), Vec::new());
    let mut lost_something = 0;
    for done in &all {
        disk.does(done);
        if let Done::Seen(name) = done {
            proven.push(*name);
        }
        for round in 0..6 {
            let mut dice = |sides: usize| {
                random =
                    random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                match round {
                    // The least and the most that may be left.
                    0 => 0,
                    1 => sides - 1,
                    _ => usize::try_from(random >> 33).unwrap() % sides,
                }
            };
            let left = tempfile::tempdir_in(if memory.is_dir() { memory } else { &outer }).unwrap();
            disk.cut(&outer, left.path(), &mut dice);
            lost_something += usize::from(round == 0 && !disk.since.is_empty());
            let state = left.path().join("deep/state");
            if !state.is_dir() {
                assert!(proven.is_empty());
                continue;
            }
            let state = StateDir::open(&state).unwrap();
            let journal = state.journal().unwrap();
            assert!(!left.path().join("deep/state/journal.json.corrupt").exists());
            let current = journal.current.as_ref().map(|entry| entry.content.as_str());
            let next = NAMES.iter().filter(|name| **name != "bad").nth(proven.len()).copied();
            assert!(
                current == proven.last().copied() || current == next,
                "{current:?} after {proven:?}, {done:?}"
            );
            let former = match &journal.unconfirmed {
                Some(Unconfirmed::Runs { former }) => former.as_ref(),
                _ => None,
            };
            for entry in journal.current.iter().chain(former) {
                assert_eq!(load(&state, &entry.content), Ok(offered(&entry.content)), "{done:?}");
            }
            let recorded = state.child().unwrap();
            assert!(proven.is_empty() || recorded.is_some(), "{done:?}");
        }
    }
    assert_eq!(proven, ["a", "b", "c", "a"]);
    assert!(lost_something > 50, "{lost_something}");
}

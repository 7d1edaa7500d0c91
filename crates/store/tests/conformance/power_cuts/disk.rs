//! A disk in memory that forgets what was not synced when its power is cut, as a file system for SQLite.

use std::collections::{BTreeMap, HashMap};
use std::io::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use sqlite_vfs::wip::{WalIndex, WalIndexLock};
use sqlite_vfs::{DatabaseHandle, LockKind, OpenAccess, OpenOptions, Vfs};

use super::file::{Change, Dice, Fate, File};

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    /// Locks of each database, by handle.
    locks: HashMap<String, HashMap<u64, LockKind>>,
    /// The shared memory beside each database: its regions and its locks, by place and handle.
    index: HashMap<String, BTreeMap<u32, Box<[u8; 32768]>>>,
    index_locks: HashMap<String, HashMap<(u8, u64), WalIndexLock>>,
    handles: u64,
    /// Files that are open in this life.
    open: usize,
    /// Rises with each cut: handles of before are dead.
    life: u64,
    /// Writes and syncs until the power is cut; `None` for never.
    left: Option<u64>,
    /// Writes and syncs since it was plugged in.
    used: u64,
    /// A sync is said to be done, and is not.
    lying: bool,
}

/// A disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

fn dead() -> Error {
    Error::other("there is no power")
}

impl State {
    fn alive(&self, life: u64) -> Result<()> {
        if self.life != life || self.left == Some(0) { Err(dead()) } else { Ok(()) }
    }

    /// Takes note of an operation that changes the disk; none comes through without power.
    fn tick(&mut self, life: u64) -> Result<()> {
        self.alive(life)?;
        self.used += 1;
        self.left = self.left.map(|left| left - 1);
        Ok(())
    }
}

impl Disk {
    /// Cuts the power after so many more writes and syncs.
    pub(crate) fn cut_after(&self, operations: u64) {
        self.0.lock().left = Some(operations);
    }

    /// Writes and syncs so far.
    pub(crate) fn operations(&self) -> u64 {
        self.0.lock().used
    }

    /// True once the power was cut.
    pub(crate) fn is_dead(&self) -> bool {
        self.0.lock().left == Some(0)
    }

    /// From now on syncs do nothing.
    pub(crate) fn lie(&self) {
        self.0.lock().lying = true;
    }

    /// Cuts the power, if it is not yet, and restores it: what was not synced meets its fate.
    pub(crate) fn restart(&self, fate: Fate, dice: &mut Dice) {
        let state = &mut *self.0.lock();
        for file in state.files.values_mut() {
            file.lose(fate, dice);
        }
        state.locks.clear();
        state.index.clear();
        state.index_locks.clear();
        state.life += 1;
        state.open = 0;
        state.left = None;
    }

    /// Waits until nobody has a file open: connections close on threads of their own.
    pub(crate) async fn idle(&self) {
        for _ in 0..2_000 {
            if self.0.lock().open == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("a connection was not closed");
    }
}

/// An open file.
#[derive(Debug)]
pub(crate) struct Handle {
    disk: Disk,
    name: String,
    id: u64,
    life: u64,
}

/// The shared memory beside a database. SQLite works on a copy, so two connections must take turns.
#[derive(Debug)]
pub(crate) struct Index {
    disk: Disk,
    name: String,
    id: u64,
    life: u64,
}

impl Vfs for Disk {
    type Handle = Handle;

    fn open(&self, name: &str, options: OpenOptions) -> Result<Handle> {
        let state = &mut *self.0.lock();
        if state.left == Some(0) {
            return Err(dead());
        }
        let file = state.files.entry(name.to_owned()).or_default();
        match (options.access, &file.seen) {
            (OpenAccess::Read | OpenAccess::Write, None) => return Err(ErrorKind::NotFound.into()),
            (OpenAccess::CreateNew, Some(_)) => return Err(ErrorKind::AlreadyExists.into()),
            (OpenAccess::Create | OpenAccess::CreateNew, None) => file.change(Change::Length(0)),
            _ => {}
        }
        state.handles += 1;
        state.open += 1;
        Ok(Handle { disk: self.clone(), name: name.to_owned(), id: state.handles, life: state.life })
    }

    fn delete(&self, name: &str) -> Result<()> {
        let state = &mut *self.0.lock();
        state.tick(state.life)?;
        let file = state.files.entry(name.to_owned()).or_default();
        if file.seen.is_none() {
            return Err(ErrorKind::NotFound.into());
        }
        file.change(Change::Gone);
        Ok(())
    }

    fn exists(&self, name: &str) -> Result<bool> {
        Ok(self.0.lock().files.get(name).is_some_and(|file| file.seen.is_some()))
    }

    fn temporary_name(&self) -> String {
        let mut state = self.0.lock();
        state.handles += 1;
        format!("temporary-{}", state.handles)
    }

    fn random(&self, buffer: &mut [i8]) {
        let mut dice = Dice(self.0.lock().handles + 1);
        buffer.fill_with(|| i8::try_from(dice.below(128)).unwrap());
    }

    fn sleep(&self, duration: Duration) -> Duration {
        std::thread::sleep(duration);
        duration
    }
}

impl Handle {
    fn with<T>(&self, work: impl FnOnce(&mut File) -> T) -> T {
        work(self.disk.0.lock().files.entry(self.name.clone()).or_default())
    }

    fn changed(&self, change: Change) -> Result<()> {
        let state = &mut *self.disk.0.lock();
        state.tick(self.life)?;
        state.files.entry(self.name.clone()).or_default().change(change);
        Ok(())
    }
}

impl DatabaseHandle for Handle {
    type WalIndex = Index;

    fn size(&self) -> Result<u64> {
        Ok(self.with(|file| file.seen.as_ref().map_or(0, Vec::len)) as u64)
    }

    fn read_exact_at(&mut self, buffer: &mut [u8], offset: u64) -> Result<()> {
        self.with(|file| {
            let content = file.seen.as_deref().unwrap_or_default();
            let rest = content.get(usize::try_from(offset).unwrap()..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            buffer[length..].fill(0);
            if length == buffer.len() { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
        })
    }

    fn write_all_at(&mut self, bytes: &[u8], offset: u64) -> Result<()> {
        self.changed(Change::Write { offset: usize::try_from(offset).unwrap(), bytes: bytes.to_owned() })
    }

    fn sync(&mut self, _data_only: bool) -> Result<()> {
        let state = &mut *self.disk.0.lock();
        state.tick(self.life)?;
        if state.lying {
            return Ok(());
        }
        let file = state.files.entry(self.name.clone()).or_default();
        let is_new = file.synced.is_none();
        file.sync();
        if is_new {
            // SQLite syncs the folder with the first sync of a journal, and so what was deleted in it is gone.
            state.files.values_mut().filter(|file| file.seen.is_none()).for_each(File::sync);
        }
        Ok(())
    }

    fn set_len(&mut self, size: u64) -> Result<()> {
        self.changed(Change::Length(usize::try_from(size).unwrap()))
    }

    fn lock(&mut self, lock: LockKind) -> Result<bool> {
        let state = &mut *self.disk.0.lock();
        state.alive(self.life)?;
        let held = state.locks.entry(self.name.clone()).or_default();
        let others = held.iter().filter(|(id, _)| **id != self.id).map(|(_, lock)| *lock);
        let hinders = |other: LockKind| match lock {
            LockKind::None => false,
            LockKind::Shared => matches!(other, LockKind::Pending | LockKind::Exclusive),
            LockKind::Reserved => !matches!(other, LockKind::None | LockKind::Shared),
            LockKind::Pending | LockKind::Exclusive => other != LockKind::None,
        };
        if others.into_iter().any(hinders) {
            return Ok(false);
        }
        held.insert(self.id, lock);
        Ok(true)
    }

    fn reserved(&mut self) -> Result<bool> {
        let state = self.disk.0.lock();
        let held = state.locks.get(&self.name);
        let is = |lock: &LockKind| !matches!(lock, LockKind::None | LockKind::Shared);
        Ok(held.is_some_and(|held| held.values().any(is)))
    }

    fn current_lock(&self) -> Result<LockKind> {
        let state = self.disk.0.lock();
        let held = state.locks.get(&self.name).and_then(|held| held.get(&self.id));
        Ok(held.copied().unwrap_or(LockKind::None))
    }

    fn wal_index(&self, _readonly: bool) -> Result<Index> {
        Ok(Index { disk: self.disk.clone(), name: self.name.clone(), id: self.id, life: self.life })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let state = &mut *self.disk.0.lock();
        if state.life != self.life {
            return;
        }
        state.open -= 1;
        if let Some(held) = state.locks.get_mut(&self.name) {
            held.remove(&self.id);
        }
        if let Some(held) = state.index_locks.get_mut(&self.name) {
            held.retain(|(_, id), _| *id != self.id);
        }
    }
}

impl WalIndex for Index {
    fn map(&mut self, region: u32) -> Result<[u8; 32768]> {
        let state = &mut *self.disk.0.lock();
        state.alive(self.life)?;
        let regions = state.index.entry(self.name.clone()).or_default();
        Ok(**regions.entry(region).or_insert_with(|| Box::new([0; 32768])))
    }

    fn lock(&mut self, places: Range<u8>, lock: WalIndexLock) -> Result<bool> {
        let state = &mut *self.disk.0.lock();
        state.alive(self.life)?;
        let held = state.index_locks.entry(self.name.clone()).or_default();
        let hinders = |other: WalIndexLock| match lock {
            WalIndexLock::None => false,
            WalIndexLock::Shared => other == WalIndexLock::Exclusive,
            WalIndexLock::Exclusive => other != WalIndexLock::None,
        };
        let others = held.iter().filter(|((place, id), _)| places.contains(place) && *id != self.id);
        if others.into_iter().any(|(_, other)| hinders(*other)) {
            return Ok(false);
        }
        held.extend(places.map(|place| ((place, self.id), lock)));
        Ok(true)
    }

    fn delete(self) -> Result<()> {
        let state = &mut *self.disk.0.lock();
        state.alive(self.life)?;
        state.index.remove(&self.name);
        Ok(())
    }

    fn pull(&mut self, region: u32, data: &mut [u8; 32768]) -> Result<()> {
        if let Some(shared) = self.disk.0.lock().index.get(&self.name).and_then(|index| index.get(&region)) {
            data.copy_from_slice(&**shared);
        }
        Ok(())
    }

    fn push(&mut self, region: u32, data: &[u8; 32768]) -> Result<()> {
        let state = &mut *self.disk.0.lock();
        state.alive(self.life)?;
        let regions = state.index.entry(self.name.clone()).or_default();
        regions.insert(region, Box::new(*data));
        Ok(())
    }
}

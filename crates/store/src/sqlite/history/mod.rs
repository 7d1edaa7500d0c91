//! A history in a SQLite file of its own. Nothing in it is needed: a file that is damaged or of another version is
//! thrown away and begun anew, and backups leave it out.

mod file;

use std::collections::VecDeque;

use parking_lot::Mutex;
use tidegate_fleet::Timestamp;
use tidegate_fleet::metrics::Block;
use tidegate_opamp::InstanceUid;

use super::Location;
use crate::StoreError;
use crate::history::{Flushed, History, HistoryBounds};
use file::File;

/// Blocks that may wait for being written: what 100,000 agents make in two minutes and a half.
const WAITING: usize = 50_000;

/// Their bytes all together.
const WAITING_BYTES: usize = 64 * 1024 * 1024;

/// A history in SQLite.
#[derive(Debug)]
pub struct SqliteHistory {
    /// Held while what waits is written: a reader finds a block here or there.
    file: Mutex<File>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    blocks: VecDeque<Block>,
    bytes: usize,
    dropped: usize,
}

impl SqliteHistory {
    /// Opens a history; one that cannot be used is begun anew, with a warning.
    ///
    /// # Errors
    /// [`StoreError::Open`] when a new one cannot be made either.
    pub fn open(location: &Location, bounds: HistoryBounds) -> Result<Self, StoreError> {
        Ok(Self { file: Mutex::new(File::open(location, bounds)?), waiting: Mutex::default() })
    }
}

fn bytes(block: &Block) -> usize {
    // Names are shared as long as they wait, but may be the only copy.
    size_of::<Block>() + block.points.len() + block.names.len()
}

impl History for SqliteHistory {
    fn put(&self, block: Block) {
        let mut waiting = self.waiting.lock();
        let bytes = bytes(&block);
        if waiting.blocks.len() >= WAITING || waiting.bytes + bytes > WAITING_BYTES {
            waiting.dropped += 1;
            return;
        }
        waiting.bytes += bytes;
        waiting.blocks.push_back(block);
    }

    fn flush(&self, now: Timestamp) -> Result<Flushed, StoreError> {
        let mut file = self.file.lock();
        let Waiting { blocks, dropped, .. } = std::mem::take(&mut *self.waiting.lock());
        file.write(&blocks)?;
        let removed = file.shorten(now)?;
        Ok(Flushed { written: blocks.len(), removed, dropped, bytes: file.used()? })
    }

    fn read(&self, agent: &InstanceUid, from: Timestamp, to: Timestamp) -> Result<Vec<Block>, StoreError> {
        let mut file = self.file.lock();
        let mut blocks = file.read(agent, from, to)?;
        let reaches = |block: &&Block| block.agent == *agent && block.to > from && block.from < to;
        blocks.extend(self.waiting.lock().blocks.iter().filter(reaches).cloned());
        Ok(blocks)
    }
}

//! The file of a history.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OptionalExtension, TransactionBehavior};
use sha2::{Digest as _, Sha256};
use tidegate_fleet::Timestamp;
use tidegate_fleet::metrics::Block;
use tidegate_opamp::InstanceUid;

use super::super::{Location, codec::signed};
use crate::StoreError;
use crate::history::HistoryBounds;

/// Marks a file as a history of ours ("TGmh").
const APPLICATION_ID: u64 = 0x5447_6D68;

const VERSION: u64 = 1;

/// The log is folded in after 1000 pages (4 MB). Nobody waits for a block to be on disk, and a power cut may cost the
/// last ones.
const CONNECTION: &str =
    "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
    PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 8388608;";

/// Blocks that are removed in one statement, and how many statements a flush may take: at 100,000 agents a flush
/// writes 1,700.
const REMOVED_AT_ONCE: u32 = 2_000;
const REMOVALS: usize = 20;

/// Most blocks that are read at once: weeks of one agent.
const READ: u32 = 20_000;

/// Names whose ids are remembered.
const LAYOUTS: usize = 10_000;

/// How exactly it is noted when names were last used.
const LAYOUT_NOTE: u64 = 60 * 60 * 1000;

/// A file that is open.
#[derive(Debug)]
pub(super) struct File {
    location: Location,
    bounds: HistoryBounds,
    connection: Connection,
    /// Ids of names, and when it was noted last that they are in use.
    layouts: HashMap<Arc<[u8]>, (i64, u64)>,
    /// When unused names were last looked for.
    swept: Timestamp,
}

impl File {
    pub(super) fn open(location: &Location, bounds: HistoryBounds) -> Result<Self, StoreError> {
        let connection = match connect(location, bounds) {
            Ok(connection) => connection,
            Err(reason) => {
                discard(location, &reason);
                connect(location, bounds)
                    .map_err(|reason| StoreError::Open { path: name(location), reason })?
            }
        };
        let (location, layouts, swept) = (location.clone(), HashMap::new(), Timestamp(0));
        Ok(Self { location, bounds, connection, layouts, swept })
    }

    /// Begins anew where the file turns out to be damaged; true when it was.
    fn heal(&mut self, error: &rusqlite::Error) -> bool {
        let damaged =
            matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase));
        if !damaged {
            return false;
        }
        // The damaged file is let go of before it is removed.
        if let Ok(nothing) = Connection::open_in_memory() {
            drop(std::mem::replace(&mut self.connection, nothing));
        }
        discard(&self.location, &error.to_string());
        self.layouts.clear();
        match connect(&self.location, self.bounds) {
            Ok(connection) => self.connection = connection,
            Err(reason) => tracing::error!(file = name(&self.location), reason, "no new history can be made"),
        }
        true
    }

    /// Writes blocks in one transaction. Where there is no room, the oldest make some.
    pub(super) fn write(&mut self, blocks: &VecDeque<Block>) -> Result<(), StoreError> {
        if blocks.is_empty() {
            return Ok(());
        }
        let Err(error) = self.insert(blocks) else { return Ok(()) };
        self.layouts.clear();
        let full = error.sqlite_error_code() == Some(ErrorCode::DiskFull);
        if full {
            let count = u32::try_from(blocks.len()).unwrap_or(u32::MAX).max(REMOVED_AT_ONCE);
            self.remove_oldest(count).map_err(StoreError::write)?;
        }
        if full || self.heal(&error) {
            return self.insert(blocks).map_err(StoreError::write);
        }
        Err(StoreError::write(error))
    }

    fn insert(&mut self, blocks: &VecDeque<Block>) -> rusqlite::Result<()> {
        let Self { connection, layouts, .. } = self;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut insert = transaction.prepare_cached(
                "INSERT INTO blocks (agent, begins, ends, layout, points) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for block in blocks {
                let layout = layout(&transaction, layouts, block)?;
                let agent = &block.agent.as_bytes()[..];
                insert.execute((agent, signed(block.from.0), signed(block.to.0), layout, &*block.points))?;
            }
        }
        transaction.commit()
    }

    pub(super) fn read(
        &mut self,
        agent: &InstanceUid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Block>, StoreError> {
        match self.select(agent, from, to) {
            Ok(blocks) => Ok(blocks),
            Err(error) if self.heal(&error) => Ok(Vec::new()),
            Err(error) => Err(StoreError::read("the history of metrics")(error)),
        }
    }

    fn select(&self, agent: &InstanceUid, from: Timestamp, to: Timestamp) -> rusqlite::Result<Vec<Block>> {
        let mut select = self.connection.prepare_cached(
            "SELECT begins, ends, names, points FROM blocks JOIN layouts ON layouts.id = layout
             WHERE agent = ?1 AND ends > ?2 AND begins < ?3 ORDER BY ends LIMIT ?4",
        )?;
        let bounds = (&agent.as_bytes()[..], signed(from.0), signed(to.0), READ);
        let block = |row: &rusqlite::Row<'_>| {
            let time = |value: i64| Timestamp(value.cast_unsigned());
            let (names, points): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
            let (from, to) = (time(row.get(0)?), time(row.get(1)?));
            Ok(Block { agent: *agent, from, to, names: names.into(), points: points.into() })
        };
        select.query_map(bounds, block)?.collect()
    }

    /// Removes what is too old, and the oldest where it is too much; how many blocks went.
    pub(super) fn shorten(&mut self, now: Timestamp) -> Result<usize, StoreError> {
        self.try_shorten(now).or_else(
            |error| {
                if self.heal(&error) { Ok(0) } else { Err(StoreError::write(error)) }
            },
        )
    }

    fn try_shorten(&mut self, now: Timestamp) -> rusqlite::Result<usize> {
        let mut removed = 0;
        // Some room is left for what the next flush writes.
        let room = self.bounds.bytes / 20 * 19;
        for _ in 0..REMOVALS {
            let Some(oldest) = self.oldest()? else { break };
            let is_old = now.since(oldest) > self.bounds.retention;
            if !is_old && self.bytes()? <= room {
                break;
            }
            // A few at the edge of their age go with the others.
            removed += self.remove_oldest(if is_old { 200 } else { REMOVED_AT_ONCE })?;
        }
        if now.since(self.swept) > Duration::from_millis(LAYOUT_NOTE) {
            self.swept = now;
            let oldest = self.oldest()?.unwrap_or(now);
            // Those that were noted an hour ago may have been used since.
            let unused = oldest.0.saturating_sub(2 * LAYOUT_NOTE);
            self.connection.execute("DELETE FROM layouts WHERE last_used < ?1", [signed(unused)])?;
            self.layouts.clear();
        }
        // A quota that was lowered: the file gives back what it does not use.
        let pages = pragma(&self.connection, "page_count")?;
        if pages * pragma(&self.connection, "page_size")? > self.bounds.bytes {
            // A page is given back with each step.
            let mut vacuum = self.connection.prepare("PRAGMA incremental_vacuum(2000)")?;
            let mut steps = vacuum.query([])?;
            while steps.next()?.is_some() {}
        }
        Ok(removed)
    }

    fn oldest(&self) -> rusqlite::Result<Option<Timestamp>> {
        let sql = "SELECT ends FROM blocks ORDER BY id LIMIT 1";
        let ends: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?;
        Ok(ends.map(|ends| Timestamp(ends.cast_unsigned())))
    }

    fn remove_oldest(&self, count: u32) -> rusqlite::Result<usize> {
        let sql = "DELETE FROM blocks WHERE id IN (SELECT id FROM blocks ORDER BY id LIMIT ?1)";
        self.connection.prepare_cached(sql)?.execute([count])
    }

    /// Bytes in use, the log apart.
    fn bytes(&self) -> rusqlite::Result<u64> {
        let number = |name| pragma(&self.connection, name);
        Ok(number("page_count")?.saturating_sub(number("freelist_count")?) * number("page_size")?)
    }

    /// The same, for those who ask.
    pub(super) fn used(&self) -> Result<u64, StoreError> {
        self.bytes().map_err(StoreError::read("the size of the history"))
    }
}

/// The id of a block's names, which are put down where they are not, or not as being in use.
fn layout(
    connection: &Connection,
    layouts: &mut HashMap<Arc<[u8]>, (i64, u64)>,
    block: &Block,
) -> rusqlite::Result<i64> {
    if let Some((id, noted)) = layouts.get(&block.names)
        && block.to.0.saturating_sub(*noted) < LAYOUT_NOTE
    {
        return Ok(*id);
    }
    let hash = Sha256::digest(&block.names);
    let sql = "INSERT INTO layouts (hash, names, last_used) VALUES (?1, ?2, ?3)
        ON CONFLICT (hash) DO UPDATE SET last_used = max(last_used, excluded.last_used) RETURNING id";
    let values = (&hash[..], &*block.names, signed(block.to.0));
    let id = connection.prepare_cached(sql)?.query_row(values, |row| row.get(0))?;
    if layouts.len() >= LAYOUTS {
        layouts.clear();
    }
    layouts.insert(Arc::clone(&block.names), (id, block.to.0));
    Ok(id)
}

/// A number that SQLite keeps of the file.
fn pragma(connection: &Connection, name: &str) -> rusqlite::Result<u64> {
    let number: i64 = connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))?;
    Ok(number.cast_unsigned())
}

fn connect(location: &Location, bounds: HistoryBounds) -> Result<Connection, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let connection = match location {
        Location::File(path) => Connection::open(path).map_err(text)?,
        Location::Memory => Connection::open_in_memory().map_err(text)?,
    };
    let is = |name: &str, value: u64| pragma(&connection, name).map(|found| found == value).map_err(text);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(text)?;
    connection.execute_batch(CONNECTION).map_err(text)?;
    if tables == 0 {
        connection.execute_batch(include_str!("schema.sql")).map_err(text)?;
        connection.pragma_update(None, "application_id", signed(APPLICATION_ID)).map_err(text)?;
        connection.pragma_update(None, "user_version", signed(VERSION)).map_err(text)?;
    } else if !is("application_id", APPLICATION_ID)? {
        return Err("it is no history of metrics".to_owned());
    } else if !is("user_version", VERSION)? {
        return Err("it was made by another version".to_owned());
    }
    let page = pragma(&connection, "page_size").map_err(text)?;
    let pages = i64::try_from(bounds.bytes / page.max(1)).unwrap_or(i64::MAX);
    // Not even a fault of ours makes the file larger.
    connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).map_err(text)?;
    Ok(connection)
}

/// Throws a file away that cannot be used.
fn discard(location: &Location, reason: &str) {
    let Location::File(path) = location else { return };
    tracing::warn!(file = %path.display(), reason, "the history of metrics cannot be used and is begun anew");
    for file in [path.clone(), beside(path, "-wal"), beside(path, "-shm")] {
        if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %file.display(), %error, "it cannot be removed");
        }
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn name(location: &Location) -> String {
    match location {
        Location::File(path) => path.display().to_string(),
        Location::Memory => "in memory".to_owned(),
    }
}

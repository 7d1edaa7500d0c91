//! SQLite: one file, one writer thread, group commit (decision D2).

mod agents;
mod aside;
mod codec;
mod files;
mod garbage;
mod hashes;
mod history;
mod read;
mod rows;
mod schema;
mod settings;
mod write;
mod writer;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tidegate_fleet::{AuditEntry, Timestamp};

use crate::{Answered, Change, Lease, Revision, Snapshot, Standing, Store, StoreError, Transaction};
pub use files::{Checked, Restored, back_up, check, restore};
pub use history::SqliteHistory;
use writer::Writer;

/// Where a store lies.
#[derive(Clone, Debug)]
pub enum Location {
    /// In a file, made when it is not there.
    File(PathBuf),
    /// In memory, for tests; gone with the store.
    Memory,
}

/// A store in one SQLite database.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    reader: Mutex<Connection>,
    was_clean: bool,
}

impl SqliteStore {
    /// Opens a store, brings its schema up to date and checks its integrity.
    ///
    /// # Errors
    /// [`StoreError::Open`], naming the file: it cannot be opened, is damaged, is no store, or comes from a newer
    /// version.
    pub fn open(location: &Location) -> Result<Self, StoreError> {
        let uri = match location {
            Location::File(path) => path.display().to_string(),
            Location::Memory => {
                static COUNT: AtomicU64 = AtomicU64::new(0);
                format!("file:tidegate-{}?mode=memory&cache=shared", COUNT.fetch_add(1, Ordering::Relaxed))
            }
        };
        let failed = |reason: String| StoreError::Open { path: uri.clone(), reason };
        let connect = || {
            Connection::open_with_flags(&uri, OpenFlags::default()).map_err(|error| failed(error.to_string()))
        };
        if let Location::File(path) = location {
            files::refuse_half_restored(path).map_err(failed)?;
        }
        let mut connection = connect()?;
        schema::prepare(&mut connection).map_err(failed)?;
        // From here on a crash leaves sequence numbers that are lower bounds; `close` says otherwise.
        let was_clean = schema::mark_unclean(&connection).map_err(failed)?;
        let reader = connect()?;
        reader.busy_timeout(std::time::Duration::from_secs(5)).map_err(|error| failed(error.to_string()))?;
        let writer = Writer::start(connection).map_err(|error| failed(error.to_string()))?;
        Ok(Self { writer, reader: Mutex::new(reader), was_clean })
    }
}

impl Store for SqliteStore {
    fn load(&self) -> Result<Snapshot, StoreError> {
        read::snapshot(&mut self.reader.lock(), self.was_clean)
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, StoreError>> {
        self.writer.commit(transaction).boxed()
    }

    fn changes_since(&self, revision: Revision, limit: usize) -> Result<Option<Vec<Change>>, StoreError> {
        read::changes_since(&self.reader.lock(), revision, limit)
    }

    fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError> {
        // One statement, so that two nodes cannot both win: it changes the row only where the lease is free or ours.
        let statement = "INSERT INTO leases (name, holder, epoch, expires_at) VALUES (?1, ?2, 1, ?4)
            ON CONFLICT (name) DO UPDATE SET
              epoch = leases.epoch + (leases.holder <> excluded.holder),
              holder = excluded.holder,
              expires_at = excluded.expires_at
            WHERE leases.holder = excluded.holder OR leases.expires_at <= ?3
            RETURNING epoch";
        let connection = self.reader.lock();
        let epoch: Option<i64> = connection
            .query_row(statement, (name, holder, codec::signed(now.0), codec::signed(until.0)), |row| {
                row.get(0)
            })
            .optional()
            .map_err(StoreError::write)?;
        Ok(epoch.map(|epoch| Lease {
            name: name.to_owned(),
            holder: holder.to_owned(),
            epoch: epoch.cast_unsigned(),
            until,
        }))
    }

    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        read::audit(&self.reader.lock(), limit)
    }

    fn answered(&self, actor: &str, key: &str, now: Timestamp) -> Result<Option<Answered>, StoreError> {
        aside::answer(&self.reader.lock(), actor, key, now).map_err(StoreError::read("an answer"))
    }

    fn standing(&self) -> Result<Standing, StoreError> {
        let bytes = read::size(&self.reader.lock())?;
        Ok(Standing { bytes, ..self.writer.standing() })
    }

    fn collect_garbage(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.writer.collect_garbage(now).boxed()
    }

    fn close(&self, clean: bool) -> BoxFuture<'_, Result<(), StoreError>> {
        self.writer.close(clean).boxed()
    }
}

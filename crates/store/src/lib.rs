//! The Store trait and its engines. The only crate that knows SQL.
//!
//! State is held in memory by the server; what is here is the truth that survives it (decision D1). An act of an
//! operator reaches the store only as [`Transaction::intent`], which cannot be made without its audit entry. What may be
//! lost, the past of agents' metrics, is a [`History`] with a file of its own.

mod aside;
mod error;
mod history;
mod lease;
mod snapshot;
mod sqlite;
mod standing;
mod transaction;

use futures_util::future::BoxFuture;
use tidegate_fleet::{AuditEntry, Timestamp};

pub use aside::{Alias, Answered, KnownComponents, Labels};
pub use error::StoreError;
pub use history::{Flushed, History, HistoryBounds};
pub use lease::Lease;
pub use snapshot::{Snapshot, StoredEvent};
pub use sqlite::{Checked, Location, Restored, SqliteHistory, SqliteStore, back_up, check, restore};
pub use standing::{LastCommit, Standing};
pub use transaction::{Change, Revision, Transaction, Write};

/// Where the fleet's state lives. One conformance suite holds every engine to what is said here.
pub trait Store: Send + Sync + 'static {
    /// Everything that is known, to be read once at start.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or holds what cannot be.
    fn load(&self) -> Result<Snapshot, StoreError>;

    /// Writes a transaction: all of it or nothing. Resolves once it is on disk.
    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, StoreError>>;

    /// What was written after `revision`, oldest first, at most `limit` rows; `None` when the record does not reach
    /// back that far and everything must be loaded anew.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn changes_since(&self, revision: Revision, limit: usize) -> Result<Option<Vec<Change>>, StoreError>;

    /// Takes or renews a lease for `holder` until `until`; `None` while another holder's has not run out. Each new
    /// holder gets a higher epoch, which fences off the one before.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    fn take_lease(
        &self,
        name: &str,
        holder: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Lease>, StoreError>;

    /// The newest audit entries, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn audit(&self, limit: usize) -> Result<Vec<AuditEntry>, StoreError>;

    /// The answer that `actor` was given for an idempotency key, where there is one that still holds at `now`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn answered(&self, actor: &str, key: &str, now: Timestamp) -> Result<Option<Answered>, StoreError>;

    /// How it fares.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn standing(&self) -> Result<Standing, StoreError>;

    /// Removes bodies that nothing refers to and history beyond its bounds and days; returns how many rows went.
    fn collect_garbage(&self, now: Timestamp) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Ends the store after everything that was handed to it is written. `clean` says that every sequence number is
    /// in it, so that the next start can trust them (ruling A16).
    fn close(&self, clean: bool) -> BoxFuture<'_, Result<(), StoreError>>;
}

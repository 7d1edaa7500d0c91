//! The writer thread. It takes what waits, writes it as one SQLite transaction and answers each when that is on
//! disk: the more that waits, the more share one sync.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior};
use tidegate_fleet::Timestamp;
use tokio::sync::{mpsc, oneshot};

use super::hashes::Hashes;
use super::{garbage, write};
use crate::{LastCommit, Revision, Standing, StoreError, Transaction};

/// Transactions that may wait; a caller beyond that waits for room.
const QUEUE: usize = 4096;

/// Transactions written as one at most.
const GROUP: usize = 512;

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Job {
    Commit(Transaction, Answer<Revision>),
    CollectGarbage(Timestamp, Answer<u64>),
    Close { clean: bool, answer: Answer<()> },
}

/// The way to the writer thread.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    standing: Arc<Mutex<Standing>>,
}

impl Writer {
    pub(super) fn start(mut connection: Connection) -> std::io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel(QUEUE);
        let standing = Arc::<Mutex<Standing>>::default();
        let told = Arc::clone(&standing);
        std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || run(&mut connection, &mut queue, &told))?;
        Ok(Self { jobs, standing })
    }

    /// What was written so far; the size is another's to know.
    pub(super) fn standing(&self) -> Standing {
        *self.standing.lock()
    }

    pub(super) async fn commit(&self, transaction: Transaction) -> Result<Revision, StoreError> {
        self.ask(|answer| Job::Commit(transaction, answer)).await
    }

    pub(super) async fn collect_garbage(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.ask(|answer| Job::CollectGarbage(now, answer)).await
    }

    pub(super) async fn close(&self, clean: bool) -> Result<(), StoreError> {
        self.ask(|answer| Job::Close { clean, answer }).await
    }

    async fn ask<T>(&self, job: impl FnOnce(Answer<T>) -> Job) -> Result<T, StoreError> {
        let (answer, result) = oneshot::channel();
        self.jobs.send(job(answer)).await.map_err(|_| StoreError::Closed)?;
        result.await.map_err(|_| StoreError::Closed)?
    }
}

fn run(connection: &mut Connection, queue: &mut mpsc::Receiver<Job>, standing: &Mutex<Standing>) {
    while let Some(job) = queue.blocking_recv() {
        let mut group = Vec::new();
        let mut other = None;
        match job {
            Job::Commit(transaction, answer) => {
                group.push((transaction, answer));
                while group.len() < GROUP && other.is_none() {
                    match queue.try_recv() {
                        Ok(Job::Commit(transaction, answer)) => group.push((transaction, answer)),
                        Ok(job) => other = Some(job),
                        Err(_) => break,
                    }
                }
            }
            job => other = Some(job),
        }
        if !group.is_empty() {
            commit(connection, group, standing);
        }
        match other {
            Some(Job::CollectGarbage(now, answer)) => {
                // An answer that nobody waits for is dropped: the caller is gone.
                let _ = answer.send(garbage::collect(connection, now).map_err(StoreError::write));
            }
            Some(Job::Close { clean, answer }) => {
                let _ = answer.send(close(connection, clean));
                return;
            }
            Some(Job::Commit(..)) | None => {}
        }
    }
}

/// Writes a group. One that cannot be written fails alone; a commit that fails, fails them all.
fn commit(
    connection: &mut Connection,
    group: Vec<(Transaction, Answer<Revision>)>,
    standing: &Mutex<Standing>,
) {
    let begun = Instant::now();
    let results = write_group(connection, &group);
    match results {
        Ok(results) => {
            let ended = Instant::now();
            let transactions = results.iter().filter(|result| result.is_ok()).count();
            // Before the answers leave, so that who has one finds it counted.
            let mut standing = standing.lock();
            standing.transactions += transactions as u64;
            if transactions > 0 {
                standing.last_commit = Some(LastCommit { ended, took: ended - begun, transactions });
            }
            drop(standing);
            for ((_, answer), result) in group.into_iter().zip(results) {
                let _ = answer.send(result);
            }
        }
        Err(error) => {
            let error = StoreError::write(error);
            for (_, answer) in group {
                let _ = answer.send(Err(error.clone()));
            }
        }
    }
}

fn write_group(
    connection: &mut Connection,
    group: &[(Transaction, Answer<Revision>)],
) -> rusqlite::Result<Vec<Result<Revision, StoreError>>> {
    let mut hashes = Hashes::default();
    let mut whole = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // One that is alone is undone with the whole. A savepoint keeps a copy of every page that is touched.
    if let [(transaction, _)] = group {
        let result = write_one(&whole, &mut hashes, transaction).map_err(StoreError::write);
        if result.is_ok() {
            whole.commit()?;
        }
        return Ok(vec![result]);
    }
    let mut results = Vec::with_capacity(group.len());
    for (transaction, _) in group {
        let mut savepoint = whole.savepoint()?;
        match write_one(&savepoint, &mut hashes, transaction) {
            Ok(revision) => {
                savepoint.commit()?;
                results.push(Ok(revision));
            }
            Err(error) => {
                savepoint.rollback()?;
                results.push(Err(StoreError::write(error)));
            }
        }
    }
    whole.commit()?;
    Ok(results)
}

fn write_one<'a>(
    connection: &Connection,
    hashes: &mut Hashes<'a>,
    transaction: &'a Transaction,
) -> rusqlite::Result<Revision> {
    let revision: i64 = connection
        .prepare_cached("UPDATE meta SET value = value + 1 WHERE key = 'revision' RETURNING value")?
        .query_row([], |row| row.get(0))?;
    if let Some(entry) = &transaction.audit {
        write::audit(connection, entry)?;
    }
    transaction.writes.iter().try_for_each(|row| write::write(connection, hashes, revision, row))?;
    Ok(Revision(revision.cast_unsigned()))
}

fn close(connection: &Connection, clean: bool) -> Result<(), StoreError> {
    connection
        .execute("UPDATE meta SET value = ?1 WHERE key = 'clean'", [i64::from(clean)])
        .map_err(StoreError::write)?;
    // A checkpoint leaves one file to copy; readers may hold it up, and then it is done at the next start.
    let _ = connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)");
    Ok(())
}

//! A store as files: checked, copied while a server writes, put back. None of it needs a server.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use tidegate_fleet::{AuditEntry, Timestamp};

use super::{schema, write};
use crate::{Revision, StoreError};

/// How far a restored store's revision jumps, so that none is given twice: what was read before the restoring must
/// not pass for what is there now.
const REVISION_JUMP: i64 = 1_000_000;

/// A store that was checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Version of its schema.
    pub version: u32,
    /// Its last transaction.
    pub revision: Revision,
    /// Agents in it.
    pub agents: u64,
    /// Size of its file, in bytes.
    pub bytes: u64,
}

/// A store that was put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// What was put back.
    pub checked: Checked,
    /// Where the database lies that was there before.
    pub replaced: Option<PathBuf>,
}

/// Checks a store from end to end: it is one of ours, every page and index of it is sound, every reference leads
/// somewhere. A server may run on it.
///
/// # Errors
/// [`StoreError::Open`], naming the file and what is wrong with it.
pub fn check(database: &Path) -> Result<Checked, StoreError> {
    let connection = open(database)?;
    verify(&connection, database)
}

/// Copies a store to `target`, as it is at this moment; a server may run on it. The copy is checked before it gets
/// its name, readable by its owner alone, and on disk when this returns. Only with `replace` may `target` be there.
///
/// # Errors
/// [`StoreError::Open`] for a store that cannot be used; [`StoreError::Copy`] for a copy that cannot be made, and
/// then `target` is as it was.
pub fn back_up(database: &Path, target: &Path, replace: bool) -> Result<Checked, StoreError> {
    let failed = |reason: String| copy_error(database, target, reason);
    if same_file(database, target) {
        return Err(failed("it is the store itself; name another file".into()));
    }
    if !replace && target.symlink_metadata().is_ok() {
        return Err(failed("it is there already; name another file, or replace it with --force".into()));
    }
    let partial = beside(target, ".partial");
    let made = copy(database, &partial, |copy| copy.execute_batch(MARK_UNCLEAN));
    let named = made.and_then(|checked| {
        let place = |error: io::Error| failed(error.to_string());
        if replace {
            fs::rename(&partial, target).map_err(place)?;
        } else {
            // Unlike a renaming, this does not replace what came there in the meantime.
            fs::hard_link(&partial, target).map_err(place)?;
            fs::remove_file(&partial).map_err(place)?;
        }
        sync_folder(target).map_err(place)?;
        Ok(checked)
    });
    if named.is_err() {
        discard(&partial);
    }
    named
}

/// Puts a backup in the place of `database`, which no server may use meanwhile; what was there is kept beside it. The
/// next start takes sequence numbers for lower bounds and asks agents for what they have to say.
///
/// # Errors
/// [`StoreError::Open`] for a backup that cannot be used, and [`StoreError::Copy`] for one that cannot be put back.
/// Either way the store is as it was; or else it does not open until the restoring is done again, and says so.
pub fn restore(backup: &Path, database: &Path, now: Timestamp) -> Result<Restored, StoreError> {
    let failed = |reason: String| copy_error(backup, database, reason);
    if same_file(backup, database) {
        return Err(failed("it is the store itself; name a backup".into()));
    }
    check(backup)?;
    let partial = beside(database, ".partial");
    let entry = AuditEntry {
        at: now,
        actor: "system".into(),
        face: "system".into(),
        action: "restore-store".into(),
        target: backup.display().to_string(),
        detail: "acts after this backup was made are not in the store".into(),
    };
    let made = copy(backup, &partial, |copy| {
        copy.execute_batch(MARK_UNCLEAN)?;
        copy.execute("UPDATE meta SET value = value + ?1 WHERE key = 'revision'", [REVISION_JUMP])?;
        copy.execute_batch(
            "DELETE FROM changes;
             INSERT INTO changes (revision, kind, key) SELECT value, 'restore', '' FROM meta WHERE key = 'revision'",
        )?;
        write::audit(copy, &entry)
    });
    let checked = made.inspect_err(|_| discard(&partial))?;
    let replaced = swap(&partial, database, now).map_err(|error| failed(error.to_string()))?;
    Ok(Restored { checked, replaced })
}

/// Says that sequence numbers are lower bounds, whatever the store said of itself.
const MARK_UNCLEAN: &str = "UPDATE meta SET value = 0 WHERE key = 'clean'";

/// Puts `partial` in the place of `database`. From the first change on to the last a file stands beside it by which
/// [`refuse_half_restored`] knows that the work is not done: a database without its log would open, and miss acts.
fn swap(partial: &Path, database: &Path, now: Timestamp) -> io::Result<Option<PathBuf>> {
    let ready = restoring(database);
    fs::rename(partial, &ready)?;
    let mut replaced = None;
    if database.try_exists()? {
        let kept = beside(database, &format!(".replaced-{}", now.0));
        // Links, so that the old store stays whole until its copy under the new name is.
        fs::hard_link(database, &kept)?;
        let log = beside(database, "-wal");
        if log.try_exists()? {
            fs::hard_link(&log, beside(&kept, "-wal"))?;
        }
        replaced = Some(kept);
    }
    sync_folder(database)?;
    for leftover in ["-wal", "-shm", "-journal"] {
        remove(&beside(database, leftover))?;
    }
    sync_folder(database)?;
    fs::rename(&ready, database)?;
    sync_folder(database)?;
    Ok(replaced)
}

/// A store whose restoring was cut short does not open: its log may be gone already.
pub(super) fn refuse_half_restored(database: &Path) -> Result<(), String> {
    if restoring(database).exists() {
        return Err("a restoring was cut short; run `tidegate-server restore FILE` again".into());
    }
    Ok(())
}

fn restoring(database: &Path) -> PathBuf {
    beside(database, ".restoring")
}

/// Copies a store into a new file, changes the copy, checks it and brings it to disk.
fn copy(
    from: &Path,
    to: &Path,
    change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
) -> Result<Checked, StoreError> {
    let source = open(from)?;
    let failed = |reason: String| copy_error(from, to, reason);
    let name = to.to_str().ok_or_else(|| failed("its name is not UTF-8".into()))?;
    remove(to).map_err(|error| failed(error.to_string()))?;
    // Made before SQLite fills it, so that nobody else can read it at any time.
    let file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| failed(error.to_string()))?;
    // One read transaction: a server that writes meanwhile is not held up, and what it writes is not in the copy.
    let made = source.execute("VACUUM INTO ?1", [name]).and_then(|_| {
        let copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        change(&copy)
    });
    made.map_err(|error| failed(error.to_string()))?;
    let checked = check(to)?;
    // SQLite does not sync what it vacuums into.
    file.sync_all().map_err(|error| failed(error.to_string()))?;
    Ok(checked)
}

fn open(database: &Path) -> Result<Connection, StoreError> {
    let failed = |reason: String| open_error(database, reason);
    // SQLite's own sentence for a file that is missing says less.
    fs::metadata(database).map_err(|error| failed(error.to_string()))?;
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(|error| failed(error.to_string()))?;
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(|error| failed(error.to_string()))?;
    match schema::recognize(&connection).map_err(failed)? {
        0 => Err(open_error(database, "it holds no store".into())),
        _ => Ok(connection),
    }
}

fn verify(connection: &Connection, database: &Path) -> Result<Checked, StoreError> {
    let failed = |reason: String| open_error(database, reason);
    let text = |error: rusqlite::Error| failed(error.to_string());
    let damaged = |damage: &str| failed(format!("it is damaged ({damage}); use a backup"));
    let found: String =
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(text)?;
    if found != "ok" {
        return Err(damaged(&found));
    }
    let dangling: Option<String> = connection
        .query_row("SELECT \"table\" FROM pragma_foreign_key_check", [], |row| row.get(0))
        .optional()
        .map_err(text)?;
    if let Some(table) = dangling {
        return Err(damaged(&format!("a row of {table} refers to one that is missing")));
    }
    let number = |statement: &str| -> Result<u64, StoreError> {
        connection.query_row(statement, [], |row| row.get(0)).map(i64::cast_unsigned).map_err(text)
    };
    Ok(Checked {
        version: schema::recognize(connection).map_err(failed)?,
        revision: Revision(number("SELECT value FROM meta WHERE key = 'revision'")?),
        agents: number("SELECT count(*) FROM agents")?,
        bytes: fs::metadata(database).map_err(|error| failed(error.to_string()))?.len(),
    })
}

fn open_error(database: &Path, reason: String) -> StoreError {
    StoreError::Open { path: database.display().to_string(), reason }
}

fn copy_error(from: &Path, to: &Path, reason: String) -> StoreError {
    StoreError::Copy { from: from.display().to_string(), to: to.display().to_string(), reason }
}

/// The path with something after its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}

fn same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what is left of a copy that failed; that failure is what the caller hears of.
fn discard(partial: &Path) {
    for ending in ["", "-journal"] {
        let _ = remove(&beside(partial, ending));
    }
}

/// A name is on disk once its folder is.
fn sync_folder(of: &Path) -> io::Result<()> {
    let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

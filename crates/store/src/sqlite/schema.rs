//! The schema and its versions.

use rusqlite::Connection;

/// Migrations in order; the database's `user_version` counts those that were run.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema_1.sql"),
    include_str!("schema_2.sql"),
    include_str!("schema_3.sql"),
    include_str!("schema_4.sql"),
];

/// Marks a file as a store of ours ("TGst").
const APPLICATION_ID: i32 = 0x5447_7374;

/// A commit is on disk when it is answered. What a savepoint may have to undo is kept in memory, bounded by the group
/// that is written: in a temporary file it would be written twice, and fail when the disk of those is full. The log is
/// folded into the database after 1000 pages (4 MB) by the commit that reached them; where a long reading held that up,
/// such as a backup, its file shrinks again to 64 MB at most.
const CONNECTION: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
    PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 67108864;";

/// Sets a connection up for writing, checks the file and runs the migrations that are missing.
pub(super) fn prepare(connection: &mut Connection) -> Result<(), String> {
    let text = |error: rusqlite::Error| error.to_string();
    connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(text)?;
    let version = recognize(connection)?;
    let damage: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(text)?;
    if damage != "ok" {
        return Err(format!(
            "it is damaged ({damage}); put a backup back with `tidegate-server restore FILE`"
        ));
    }
    connection.execute_batch(CONNECTION).map_err(text)?;
    for (number, migration) in (1u32..).zip(MIGRATIONS).skip(version as usize) {
        let transaction = connection.transaction().map_err(text)?;
        transaction.execute_batch(migration).map_err(text)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(text)?;
        transaction.pragma_update(None, "user_version", number).map_err(text)?;
        transaction.commit().map_err(text)?;
    }
    Ok(())
}

/// The version of a database that is one of ours, or empty and then 0.
pub(super) fn recognize(connection: &Connection) -> Result<u32, String> {
    let text = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            format!("{error}; put a backup back with `tidegate-server restore FILE`")
        }
        _ => error.to_string(),
    };
    let application: i32 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(text)?;
    let version: u32 = connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(text)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(text)?;
    if application != APPLICATION_ID && tables > 0 {
        return Err("it is a database of another program; name another data directory".into());
    }
    if version as usize > MIGRATIONS.len() {
        return Err(format!(
            "it has schema version {version}, this program knows up to {}; use a newer one",
            MIGRATIONS.len()
        ));
    }
    Ok(version)
}

/// Notes that a server runs on this store; returns whether the one before ended in order.
pub(super) fn mark_unclean(connection: &Connection) -> Result<bool, String> {
    let text = |error: rusqlite::Error| error.to_string();
    let clean: i64 = connection
        .query_row("SELECT value FROM meta WHERE key = 'clean'", [], |row| row.get(0))
        .map_err(text)?;
    connection.execute("UPDATE meta SET value = 0 WHERE key = 'clean'", []).map_err(text)?;
    Ok(clean == 1)
}

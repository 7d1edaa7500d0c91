//! The rows of a statement.

use rusqlite::{Connection, Row};

/// All of them, each as `read` takes it.
pub(super) fn rows<T>(
    connection: &Connection,
    statement: &str,
    parameters: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    connection.prepare(statement)?.query_map(parameters, read)?.collect()
}

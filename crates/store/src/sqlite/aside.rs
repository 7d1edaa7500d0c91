//! Rows that stand beside the agents' records, in and out.

use std::collections::HashMap;

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, Row, params};
use tidegate_fleet::Timestamp;
use tidegate_fleet::schemas::{Schema, SchemaHash};
use tidegate_opamp::InstanceUid;

use super::codec::{self, damaged, signed, time};
use super::rows::rows;
use crate::{Alias, Answered, KnownComponents, Labels};

/// Says what an agent's labels are now.
pub(super) fn write_labels(
    connection: &Connection,
    agent: &InstanceUid,
    labels: &Labels,
) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM labels WHERE agent = ?1")?.execute([agent.as_bytes()])?;
    let mut insert =
        connection.prepare_cached("INSERT INTO labels (agent, key, value) VALUES (?1, ?2, ?3)")?;
    for (key, value) in labels {
        insert.execute(params![agent.as_bytes(), key, value])?;
    }
    Ok(())
}

pub(super) fn labels(connection: &Connection) -> rusqlite::Result<HashMap<InstanceUid, Labels>> {
    let mut all: HashMap<_, Labels> = HashMap::new();
    let mut statement = connection.prepare("SELECT agent, key, value FROM labels")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let agent = codec::uid(0, row.get_ref(0)?.as_blob()?)?;
        all.entry(agent).or_default().insert(row.get(1)?, row.get(2)?);
    }
    Ok(all)
}

/// Moves everything of an agent to another uid and notes where it went.
pub(super) fn rename(connection: &Connection, alias: &Alias) -> rusqlite::Result<()> {
    let (old, new) = (alias.old.as_bytes(), alias.new.as_bytes());
    // What the new uid had goes first: the record that moves is the one that speaks.
    forget(connection, &alias.new)?;
    for statement in [
        "UPDATE agents SET uid = ?2 WHERE uid = ?1",
        "UPDATE assignments SET agent = ?2 WHERE agent = ?1",
        "UPDATE former_configs SET agent = ?2 WHERE agent = ?1",
        "UPDATE labels SET agent = ?2 WHERE agent = ?1",
        "UPDATE commands SET agent = ?2 WHERE agent = ?1",
        "UPDATE agent_settings SET agent = ?2 WHERE agent = ?1",
        "UPDATE connection_settings SET agent = ?2 WHERE agent = ?1",
        // No chains and no circles: every alias names the uid that is in use.
        "UPDATE aliases SET new = ?2 WHERE new = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([old, new])?;
    }
    connection.prepare_cached("DELETE FROM aliases WHERE old = ?1")?.execute([new])?;
    connection
        .prepare_cached("REPLACE INTO aliases (old, new, since) VALUES (?1, ?2, ?3)")?
        .execute(params![old, new, signed(alias.since.0)])?;
    Ok(())
}

/// Removes everything of an agent but what history says of it.
pub(super) fn forget(connection: &Connection, agent: &InstanceUid) -> rusqlite::Result<()> {
    for statement in [
        "DELETE FROM agents WHERE uid = ?1",
        "DELETE FROM assignments WHERE agent = ?1",
        "DELETE FROM former_configs WHERE agent = ?1",
        "DELETE FROM labels WHERE agent = ?1",
        "DELETE FROM commands WHERE agent = ?1",
        "DELETE FROM agent_settings WHERE agent = ?1",
        "DELETE FROM aliases WHERE new = ?1",
    ] {
        connection.prepare_cached(statement)?.execute([agent.as_bytes()])?;
    }
    Ok(())
}

pub(super) fn aliases(connection: &Connection) -> rusqlite::Result<Vec<Alias>> {
    rows(connection, "SELECT old, new, since FROM aliases ORDER BY since, old", [], |row| {
        Ok(Alias {
            old: codec::uid(0, row.get_ref(0)?.as_blob()?)?,
            new: codec::uid(1, row.get_ref(1)?.as_blob()?)?,
            since: time(row.get(2)?),
        })
    })
}

pub(super) fn write_components(connection: &Connection, known: &KnownComponents) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO components (hash, components, since) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
        )?
        .execute(params![&known.hash[..], &known.components[..], signed(known.since.0)])?;
    Ok(())
}

pub(super) fn components(connection: &Connection) -> rusqlite::Result<Vec<KnownComponents>> {
    let statement = "SELECT hash, components, since FROM components ORDER BY since, hash";
    rows(connection, statement, [], |row| {
        Ok(KnownComponents { hash: blob(row, 0)?, components: blob(row, 1)?, since: time(row.get(2)?) })
    })
}

pub(super) fn write_schema(connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO schemas (hash, kind, version, plugins, bytes, packed, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            schema.hash.0,
            schema.kind,
            schema.version,
            schema.plugins,
            schema.bytes,
            &schema.packed[..],
            signed(schema.since.0)
        ])?;
    Ok(())
}

pub(super) fn remove_schema(connection: &Connection, hash: &SchemaHash) -> rusqlite::Result<()> {
    connection.prepare_cached("DELETE FROM schemas WHERE hash = ?1")?.execute([hash.0])?;
    Ok(())
}

pub(super) fn schemas(connection: &Connection) -> rusqlite::Result<Vec<Schema>> {
    let statement = "SELECT hash, kind, version, plugins, bytes, packed, since FROM schemas ORDER BY hash";
    rows(connection, statement, [], |row| {
        Ok(Schema {
            hash: SchemaHash(codec::hash(0, row.get_ref(0)?.as_blob()?)?.0),
            kind: row.get(1)?,
            version: row.get(2)?,
            plugins: row.get(3)?,
            bytes: row.get(4)?,
            packed: blob(row, 5)?,
            since: time(row.get(6)?),
        })
    })
}

/// Keeps an answer; one that is kept already and still holds makes it fail, and its transaction with it.
pub(super) fn write_answer(connection: &Connection, answer: &Answered) -> rusqlite::Result<()> {
    let expired = answer.created_at.0.saturating_sub(Answered::KEPT_MS);
    let written = connection
        .prepare_cached(
            "INSERT INTO idempotency (actor, key, fingerprint, status, location, body, created_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (actor, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
               location = excluded.location, body = excluded.body, created_at = excluded.created_at
             WHERE idempotency.created_at <= ?8",
        )?
        .execute(params![
            answer.actor,
            answer.key,
            &answer.fingerprint[..],
            answer.status,
            answer.location,
            &answer.body[..],
            signed(answer.created_at.0),
            signed(expired),
        ])?;
    if written == 1 { Ok(()) } else { Err(rusqlite::Error::StatementChangedRows(written)) }
}

pub(super) fn answer(
    connection: &Connection,
    actor: &str,
    key: &str,
    now: Timestamp,
) -> rusqlite::Result<Option<Answered>> {
    let statement = "SELECT fingerprint, status, location, body, created_at FROM idempotency
        WHERE actor = ?1 AND key = ?2";
    let answered = connection
        .prepare_cached(statement)?
        .query_row([actor, key], |row| {
            Ok(Answered {
                actor: actor.to_owned(),
                key: key.to_owned(),
                fingerprint: blob(row, 0)?,
                status: row.get(1)?,
                location: row.get(2)?,
                body: blob(row, 3)?,
                created_at: time(row.get(4)?),
            })
        })
        .optional()?;
    Ok(answered.filter(|answered| answered.holds_at(now)))
}

fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    let bytes = row.get_ref(column)?.as_blob().map_err(|error| damaged(column, &error.to_string()))?;
    Ok(Bytes::copy_from_slice(bytes))
}

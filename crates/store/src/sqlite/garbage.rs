//! What nothing refers to any more, and history beyond its bounds.

use rusqlite::Connection;
use tidegate_fleet::Timestamp;

use super::codec::signed;
use crate::Answered;

/// Rows of history that are kept.
const KEEP_EVENTS: i64 = 20_000;
const KEEP_CHANGES: i64 = 100_000;
const KEEP_ENDED_COMMANDS: i64 = 10_000;
const KEEP_PUSHES: i64 = 1_000;

/// Builds whose components are kept; a fleet runs tens.
const KEEP_COMPONENTS: i64 = 1_000;

/// Answers that are kept within their day.
const KEEP_ANSWERS: i64 = 20_000;

/// How long an alias leads to the uid in use, in milliseconds: 30 days.
const ALIAS_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// Each takes one parameter and meets an index: none reads what it does not remove, but for the newest rows it counts.
const BY_NUMBER: [(&str, i64); 6] = [
    (
        "DELETE FROM events WHERE number <= (SELECT number FROM events ORDER BY number DESC LIMIT 1 OFFSET ?1)",
        KEEP_EVENTS,
    ),
    (
        "DELETE FROM changes WHERE revision <=
           (SELECT revision FROM changes ORDER BY revision DESC LIMIT 1 OFFSET ?1)",
        KEEP_CHANGES,
    ),
    (
        "DELETE FROM commands WHERE id IN (SELECT id FROM commands WHERE finished_at IS NOT NULL
           ORDER BY finished_at DESC LIMIT -1 OFFSET ?1)",
        KEEP_ENDED_COMMANDS,
    ),
    (
        "DELETE FROM pushes WHERE id IN (SELECT id FROM pushes ORDER BY at DESC LIMIT -1 OFFSET ?1)",
        KEEP_PUSHES,
    ),
    (
        "DELETE FROM components WHERE hash IN (SELECT hash FROM components ORDER BY since DESC LIMIT -1 OFFSET ?1)",
        KEEP_COMPONENTS,
    ),
    (
        "DELETE FROM idempotency WHERE created_at <=
           (SELECT created_at FROM idempotency ORDER BY created_at DESC LIMIT 1 OFFSET ?1)",
        KEEP_ANSWERS,
    ),
];

/// Bodies and configs are few beside agents; each is looked up once in an index of those that use it.
const UNUSED: [&str; 2] = [
    "DELETE FROM configs WHERE NOT EXISTS (SELECT 1 FROM assignments WHERE config = hash)
       AND NOT EXISTS (SELECT 1 FROM former_configs WHERE config = hash)
       AND NOT EXISTS (SELECT 1 FROM pushes WHERE config = hash)",
    "DELETE FROM bodies WHERE NOT EXISTS (SELECT 1 FROM agents WHERE effective_body = hash)",
];

/// Removes what nothing refers to and history beyond its bounds.
pub(super) fn collect(connection: &mut Connection, now: Timestamp) -> rusqlite::Result<u64> {
    let transaction = connection.transaction()?;
    let mut removed = 0;
    for (statement, keep) in BY_NUMBER {
        removed += transaction.prepare_cached(statement)?.execute([keep])?;
    }
    for (statement, age) in [
        ("DELETE FROM idempotency WHERE created_at <= ?1", Answered::KEPT_MS),
        ("DELETE FROM aliases WHERE since <= ?1", ALIAS_MS),
    ] {
        let before = now.0.saturating_sub(age);
        removed += transaction.prepare_cached(statement)?.execute([signed(before)])?;
    }
    for statement in UNUSED {
        removed += transaction.prepare_cached(statement)?.execute([])?;
    }
    transaction.commit()?;
    Ok(removed as u64)
}

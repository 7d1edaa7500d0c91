//! Stores of earlier versions, as those versions wrote them.

use rusqlite::{Connection, params};

use super::*;

/// The first version's tables, exactly as released.
const VERSION_1: &str = include_str!("../../src/sqlite/schema_1.sql");

/// The columns that version 1 had, by a connection of its own: nothing of today's code takes part.
fn store_of_version_1(path: &std::path::Path, body: &Config) {
    let raw = Connection::open(path).unwrap();
    raw.execute_batch("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; BEGIN;").unwrap();
    raw.execute_batch(VERSION_1).unwrap();
    raw.execute_batch("PRAGMA application_id = 1413968756; PRAGMA user_version = 1; COMMIT;").unwrap();
    // AgentToServer.agent_description (3) with one identifying attribute, and an EffectiveConfig with one file.
    let pair = b"\x0a\x0cservice.name\x12\x0c\x0a\x0afluent-bit";
    let mut reported = vec![0x1a, pair.len() as u8 + 2, 0x0a, pair.len() as u8];
    reported.extend_from_slice(pair);
    let effective = b"\x0a\x0e\x0a\x0c\x0a\x01a\x12\x07\x0a\x01x\x12\x02\x6f\x6b";
    raw.execute("INSERT INTO bodies VALUES (?1, ?2)", params![[3_u8; 32], effective]).unwrap();
    let agent =
        "INSERT INTO agents VALUES (?1, NULL, 10, 11, 41, 3, 'up-http', 12, ?2, ?3, 13, NULL, 14, NULL, NULL,
        NULL, NULL, NULL)";
    raw.execute(agent, params![uid(1).as_bytes(), reported, [3_u8; 32]]).unwrap();
    let files: &[u8] = b"\x0a\x0e\x0a\x01a\x12\x09\x0a\x01x\x1a\x04main";
    raw.execute("INSERT INTO configs VALUES (?1, ?2, 5)", params![body.hash.0, files]).unwrap();
    let targets: Vec<u8> = [uid(1), uid(2)].iter().flat_map(|uid| *uid.as_bytes()).collect();
    raw.execute(
        "INSERT INTO pushes VALUES ('p-1', ?1, 'name:*', 'admin', 6, ?2)",
        params![body.hash.0, targets],
    )
    .unwrap();
    raw.execute("INSERT INTO push_refusals VALUES ('p-1', ?1, 'no capability')", params![uid(3).as_bytes()])
        .unwrap();
    raw.execute("INSERT INTO assignments VALUES (?1, ?2, 'p-1', 9)", params![uid(1).as_bytes(), body.hash.0])
        .unwrap();
    let command =
        "INSERT INTO commands VALUES ('c-1', ?1, 'restart', NULL, NULL, NULL, 1, 'sent', 'admin', 1, 2, 3, 7,
        NULL, NULL, NULL, NULL)";
    raw.execute(command, params![uid(1).as_bytes()]).unwrap();
    raw.execute("INSERT INTO events VALUES (41, 8, 'health', ?1, 't')", params![uid(1).as_bytes()]).unwrap();
    raw.execute("INSERT INTO audit VALUES (1, 7, 'admin', 'rest', 'push-config', 'p-1', 'detail')", [])
        .unwrap();
    raw.execute_batch("UPDATE meta SET value = 6 WHERE key = 'revision'").unwrap();
}

fn version(path: &std::path::Path) -> u32 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

/// The released schema is history: a change to it would pass every test over new stores and break the old ones.
#[test]
fn given_the_first_schema_then_it_is_the_one_that_was_released() {
    let size = VERSION_1.len();
    let sum = VERSION_1.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    assert_eq!(
        (size, sum),
        (3218, 666_125_511_004_704_114),
        "schema_1.sql was changed; changes go into the newest schema"
    );
}

#[tokio::test]
async fn given_a_store_of_version_1_when_opened_then_it_is_of_this_version_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    let body = config("x");
    store_of_version_1(&path, &body);
    let store = durable(&folder)();
    assert_eq!(version(&path), 4);
    let snapshot = store.load().unwrap();
    let [known] = &snapshot.agents[..] else { panic!("{:?}", snapshot.agents) };
    assert_eq!((known.uid, known.sequence, known.capabilities.0), (uid(1), Sequence::Exact(41), 3));
    assert_eq!(known.attributes().get("service.name"), Some("fluent-bit"));
    assert_eq!(known.reported().effective_config.as_ref().unwrap().observed_at, Timestamp(14));
    assert_eq!(known.desired().unwrap().config, body);
    assert_eq!(snapshot.pushes, [push(&body)]);
    assert_eq!((snapshot.commands.len(), snapshot.commands[0].state), (1, CommandState::Sent));
    assert_eq!((snapshot.events[0].number, snapshot.revision), (41, Revision(6)));
    assert_eq!(store.audit(10).unwrap().len(), 1);
    assert!(snapshot.labels.is_empty() && snapshot.aliases.is_empty() && snapshot.components.is_empty());
    let labels = Labels::from([("ring".to_owned(), "1".to_owned())]);
    let write = Write::Labels { agent: uid(1), labels: labels.clone() };
    assert_eq!(store.commit(Transaction::intent(audit("x"), vec![write])).await.unwrap(), Revision(7));
    assert_eq!(store.load().unwrap().labels[&uid(1)], labels);
}

/// The second version's tables, exactly as released.
const VERSION_2: &str = include_str!("../../src/sqlite/schema_2.sql");

#[test]
fn given_the_second_schema_then_it_is_the_one_that_was_released() {
    let sum = VERSION_2.bytes().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    assert_eq!(
        (VERSION_2.len(), sum),
        (2615, 6_472_040_114_061_093_749),
        "schema_2.sql was changed; changes go into the newest schema"
    );
}

#[tokio::test]
async fn given_a_store_of_version_2_when_opened_then_what_it_knew_of_builds_stays_and_schemas_can_be_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    store_of_version_1(&path, &config("x"));
    let raw = Connection::open(&path).unwrap();
    raw.execute_batch(VERSION_2).unwrap();
    raw.execute_batch("INSERT INTO components VALUES (x'6831', x'0a00', 5); PRAGMA user_version = 2")
        .unwrap();
    drop(raw);
    let store = durable(&folder)();
    assert_eq!(version(&path), 4);
    let snapshot = store.load().unwrap();
    assert_eq!((snapshot.agents.len(), snapshot.components.len(), snapshot.schemas.len()), (1, 1, 0));
    let kept = aside::schema(1);
    store.commit(Transaction::observed(vec![Write::Schema(Arc::clone(&kept))])).await.unwrap();
    drop(store);
    assert_eq!(durable(&folder)().load().unwrap().schemas, [(*kept).clone()]);
}

/// A migration that stops half-way leaves the version it found, whole.
#[test]
fn given_a_migration_that_fails_then_the_store_stays_at_its_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.db");
    store_of_version_1(&path, &config("x"));
    let raw = Connection::open(&path).unwrap();
    // The last statement of version 2 that makes something meets a name that is taken.
    raw.execute_batch("CREATE TABLE commands_agent (x)").unwrap();
    let error = SqliteStore::open(&Location::File(path.clone())).unwrap_err().to_string();
    assert!(error.contains("commands_agent"), "{error}");
    assert_eq!(version(&path), 1);
    let made: i64 = raw
        .query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'labels'", [], |row| row.get(0))
        .unwrap();
    assert_eq!(made, 0);
    raw.execute_batch("DROP TABLE commands_agent").unwrap();
    drop(raw);
    assert_eq!(SqliteStore::open(&Location::File(path)).unwrap().load().unwrap().agents.len(), 1);
}

//! Stores as files: backups, the way back, checks.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open(&self, name: &str) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&Location::File(self.path(name)))
    }

    /// A store of some agents, one a transaction.
    async fn store(&self, name: &str, agents: std::ops::Range<u8>) -> SqliteStore {
        let store = self.open(name).unwrap();
        for number in agents {
            let body = config("x");
            let assign = Write::Assign {
                agent: uid(number),
                config: body.hash,
                push: PushId("p".into()),
                since: Timestamp(1),
            };
            let writes = vec![Write::Agent(Box::new(agent(number))), Write::Config(body), assign];
            store.commit(Transaction::intent(audit("p"), writes)).await.unwrap();
        }
        store
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = std::fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn count(path: &Path) -> u64 {
    check(path).unwrap().agents
}

/// What a backup holds was true at one moment, however busy the server is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn given_a_store_that_is_written_to_when_backed_up_then_the_copy_is_of_one_moment() {
    let place = Place::new();
    let store = Arc::new(place.store("store.db", 1..3).await);
    let writing = tokio::spawn({
        let store = Arc::clone(&store);
        async move {
            for number in 3..=250 {
                store
                    .commit(Transaction::observed(vec![Write::Agent(Box::new(agent(number)))]))
                    .await
                    .unwrap();
            }
        }
    });
    let mut last = 0;
    while !writing.is_finished() {
        let (from, to) = (place.path("store.db"), place.path("backup.db"));
        let made = tokio::task::spawn_blocking(move || back_up(&from, &to, true)).await.unwrap().unwrap();
        assert_eq!(made.agents, made.revision.0, "each transaction brought one agent");
        assert!(made.agents >= last.max(2), "acts that were acknowledged are missing");
        last = made.agents;
    }
    writing.await.unwrap();
    assert_eq!(count(&place.path("backup.db")), last);
    let mode = std::fs::metadata(place.path("backup.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(place.names(), ["backup.db", "store.db", "store.db-shm", "store.db-wal"]);
}

#[tokio::test]
async fn given_a_backup_that_is_there_when_backed_up_then_it_is_replaced_only_when_told_to() {
    let place = Place::new();
    let _store = place.store("store.db", 1..4).await;
    let (from, to) = (place.path("store.db"), place.path("backup.db"));
    std::fs::write(&to, "something dear").unwrap();
    let error = back_up(&from, &to, false).unwrap_err().to_string();
    assert!(error.contains("backup.db: it is there already") && error.contains("--force"), "{error}");
    assert_eq!(std::fs::read(&to).unwrap(), b"something dear");
    assert_eq!(back_up(&from, &to, true).unwrap().agents, 3);
    for force in [false, true] {
        let error = back_up(&from, &from, force).unwrap_err().to_string();
        assert!(error.contains("it is the store itself"), "{error}");
    }
    let error = back_up(&from, &place.path("no/such/folder.db"), false).unwrap_err().to_string();
    assert!(error.contains("no/such/folder.db"), "{error}");
    let error = back_up(&place.path("nothing.db"), &place.path("b"), false).unwrap_err().to_string();
    assert!(error.contains("nothing.db: No such file"), "{error}");
    assert!(!place.path("nothing.db").exists() && !place.path("b").exists());
}

/// Ruling A16: a restored server knows that agents have gone on counting.
#[tokio::test]
async fn given_a_backup_when_restored_then_it_holds_and_what_was_there_is_kept() {
    let place = Place::new();
    let store = place.store("store.db", 1..4).await;
    let (database, backup) = (place.path("store.db"), place.path("backup.db"));
    store.close(true).await.unwrap();
    drop(store);
    back_up(&database, &backup, false).unwrap();
    let store = place.store("store.db", 4..6).await;
    // As after a crash: the newest acts are in the log alone.
    let crashed = Place::new();
    for name in ["store.db", "store.db-wal"] {
        std::fs::copy(place.path(name), crashed.path(name)).unwrap();
    }
    drop(store);
    let restored = restore(&backup, &crashed.path("store.db"), Timestamp(77)).unwrap();
    assert_eq!(restored.checked.agents, 3);
    let replaced = restored.replaced.unwrap();
    assert_eq!(replaced, crashed.path("store.db.replaced-77"));
    assert_eq!(count(&replaced), 5, "the replaced store kept its log");

    let store = crashed.open("store.db").unwrap();
    let snapshot = store.load().unwrap();
    assert!(!snapshot.clean);
    assert_eq!(snapshot.agents[0].sequence, Sequence::AtLeast(u64::MAX));
    assert!(snapshot.agents.iter().all(|agent| agent.desired().is_some()));
    assert!(snapshot.revision > Revision(5), "a revision of the store that was replaced comes again");
    assert_eq!(store.changes_since(Revision(5), 10).unwrap(), None, "who followed must read anew");
    let entries = store.audit(1).unwrap();
    assert_eq!((entries[0].action.as_str(), entries[0].at), ("restore-store", Timestamp(77)));
    assert_eq!(count(&backup), 3, "the backup is as it was");
}

#[tokio::test]
async fn given_files_that_are_no_sound_backup_when_restored_then_the_store_stays_as_it_was() {
    let place = Place::new();
    let store = place.store("store.db", 1..100).await;
    let (database, backup) = (place.path("store.db"), place.path("backup.db"));
    back_up(&database, &backup, false).unwrap();
    store.close(true).await.unwrap();
    drop(store);
    let before = std::fs::read(&database).unwrap();
    let bytes = std::fs::read(&backup).unwrap();
    let spoilt = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = bytes.clone();
        change(&mut bytes);
        std::fs::write(place.path(name), bytes).unwrap();
    };
    spoilt("short.db", &|bytes| bytes.truncate(bytes.len() / 2));
    spoilt("zeros.db", &|bytes| {
        let last_page = bytes.len() - 4096;
        bytes[last_page..].fill(0);
    });
    spoilt("text.db", &|bytes| bytes[..64].fill(b'x'));
    std::fs::write(place.path("empty.db"), "").unwrap();
    spoilt("newer.db", &|_| {});
    rusqlite::Connection::open(place.path("newer.db"))
        .unwrap()
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    spoilt("dangling.db", &|_| {});
    rusqlite::Connection::open(place.path("dangling.db"))
        .unwrap()
        .execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM configs")
        .unwrap();
    for (name, part) in [
        ("short.db", "malformed"),
        ("zeros.db", "damaged"),
        ("text.db", "not a database"),
        ("empty.db", "holds no store"),
        ("newer.db", "schema version 99"),
        ("dangling.db", "a row of assignments refers to one that is missing"),
        ("missing.db", "No such file"),
        ("store.db", "it is the store itself"),
    ] {
        let error = restore(&place.path(name), &database, Timestamp(1)).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains(part), "{name}: {error}");
        assert!(!place.path("store.db.restoring").exists(), "{name}");
        assert!(!place.path("store.db.partial").exists(), "{name}");
    }
    assert_eq!(std::fs::read(&database).unwrap(), before);
    assert_eq!(place.open("store.db").unwrap().load().unwrap().agents.len(), 99);
}

/// A store that lost its log half-way would open, and miss acts: it does not.
#[tokio::test]
async fn given_a_restoring_that_was_cut_short_then_the_store_does_not_open_until_it_is_done_again() {
    let place = Place::new();
    drop(place.store("store.db", 1..4).await);
    let (database, backup) = (place.path("store.db"), place.path("backup.db"));
    back_up(&database, &backup, false).unwrap();
    std::fs::copy(&backup, place.path("store.db.restoring")).unwrap();
    let error = place.open("store.db").unwrap_err().to_string();
    assert!(
        error.contains("a restoring was cut short") && error.contains("tidegate-server restore"),
        "{error}"
    );
    restore(&backup, &database, Timestamp(1)).unwrap();
    assert_eq!(place.open("store.db").unwrap().load().unwrap().agents.len(), 3);
}

/// What a server says of a damaged store at its start names the way out.
#[tokio::test]
async fn given_a_damaged_store_when_opened_then_the_way_out_is_named() {
    let place = Place::new();
    let store = place.store("store.db", 1..100).await;
    let damaged = place.path("damaged.db");
    back_up(&place.path("store.db"), &damaged, false).unwrap();
    store.close(true).await.unwrap();
    let mut bytes = std::fs::read(&damaged).unwrap();
    let last_page = bytes.len() - 4096;
    bytes[last_page..].fill(0);
    std::fs::write(&damaged, &bytes).unwrap();
    let error = place.open("damaged.db").unwrap_err().to_string();
    assert!(error.contains("damaged.db: it is damaged"), "{error}");
    assert!(error.contains("tidegate-server restore FILE"), "{error}");
}

//! What every engine must do, asked of each.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on may end

#[path = "conformance/aside.rs"]
mod aside;
#[path = "conformance/files.rs"]
mod files;
#[path = "conformance/history.rs"]
mod history;
#[path = "conformance/migrations.rs"]
mod migrations;
#[path = "conformance/power_cuts.rs"]
mod power_cuts;
#[path = "conformance/settings.rs"]
mod settings;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tidegate_fleet::agent::{Assignment, Desired, Fact, Link, Reported, Sequence, Transport};
use tidegate_fleet::*;
use tidegate_opamp::*;
use tidegate_store::*;

type Open = Box<dyn Fn() -> Arc<dyn Store>>;

/// Engines that keep what they hold over a reopening.
fn durable(folder: &tempfile::TempDir) -> Open {
    let file = folder.path().join("store.db");
    Box::new(move || Arc::new(SqliteStore::open(&Location::File(file.clone())).unwrap()))
}

fn memory() -> Arc<dyn Store> {
    Arc::new(SqliteStore::open(&Location::Memory).unwrap())
}

fn uid(number: u8) -> InstanceUid {
    InstanceUid::from_bytes(&[number; 16]).unwrap()
}

fn config(body: &'static str) -> Config {
    let file = AgentConfigObject {
        body: Bytes::from_static(body.as_bytes()),
        role: "main".into(),
        ..Default::default()
    };
    Config::new(
        AgentConfigMap { config_map: [("a".to_owned(), file)].into(), ..Default::default() },
        Timestamp(5),
    )
}

fn agent(number: u8) -> Agent {
    let mut agent = Agent::new(uid(number), Timestamp(10));
    agent.sequence = Sequence::Exact(u64::MAX);
    agent.capabilities = AgentCapabilities(1 << 63 | 1);
    agent.link = Link::Up { transport: Transport::Http, since: Timestamp(11) };
    let description = AgentDescription {
        identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
        ..AgentDescription::default()
    };
    let files =
        EffectiveConfig { config_map: Some((*config("x").files).clone()), ..EffectiveConfig::default() };
    agent.restore(Reported {
        description: Some(Fact::new(&description, Timestamp(12))),
        effective_config: Some(Fact::new(&files, Timestamp(13))),
        ..Reported::default()
    });
    agent
}

fn command(id: &str, state: CommandState) -> Command {
    let outcome = Outcome {
        state,
        answer_kind: Some("result".into()),
        answer: Some(Bytes::from_static(b"{}")),
        detail: "d".into(),
    };
    Command {
        id: CommandId(id.into()),
        agent: uid(1),
        kind: CommandKind::Custom {
            capability: "c".into(),
            kind: "t".into(),
            data: Bytes::from_static(b"\0\xff"),
            answers: true,
        },
        state,
        actor: "admin".into(),
        created_at: Timestamp(1),
        deadline: Timestamp(2),
        sent_at: Some(Timestamp(3)),
        start_time_when_sent: u64::MAX,
        finished_at: state.is_final().then_some(Timestamp(4)),
        outcome: state.is_final().then_some(outcome),
    }
}

fn push(config: &Config) -> Push {
    Push {
        id: PushId("p-1".into()),
        config: config.hash,
        query: "name:*".into(),
        actor: "admin".into(),
        at: Timestamp(6),
        targets: vec![uid(1), uid(2)],
        refused: vec![(uid(3), "no capability".into())],
        origin: Origin::Config,
    }
}

/// What is told of a store is true of it once a commit is answered.
#[tokio::test]
async fn given_commits_when_answered_then_the_store_tells_of_them_and_of_its_size() {
    let store = memory();
    let before = store.standing().unwrap();
    assert_eq!((before.transactions, before.last_commit), (0, None));
    for number in 1..=3 {
        store.commit(Transaction::observed(vec![Write::Agent(Box::new(agent(number)))])).await.unwrap();
    }
    let standing = store.standing().unwrap();
    assert_eq!((standing.transactions, standing.last_commit.unwrap().transactions), (3, 1));
    assert!(standing.bytes >= 4096 && standing.bytes >= before.bytes, "{standing:?}");
    let missing = Write::Former { agent: uid(1), former: Some(Arc::new(assignment("unknown"))) };
    store.commit(Transaction::observed(vec![missing])).await.unwrap_err();
    assert_eq!(store.standing().unwrap().transactions, 3, "what was not stored is not counted");
}

fn assignment(body: &'static str) -> Assignment {
    Assignment { config: config(body), push: PushId("p-0".into()), since: Timestamp(3) }
}

fn audit(target: &str) -> AuditEntry {
    AuditEntry::new(Timestamp(7), &Actor::admin(Face::Rest), Action::PushConfig, target, "detail")
}

#[tokio::test]
async fn given_every_kind_of_row_when_reopened_then_it_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let (config, event) =
        (config("x"), Event { at: Timestamp(8), kind: EventKind::Health, agent: uid(1), text: "t".into() });
    let store = open();
    let writes = vec![
        Write::Agent(Box::new(agent(1))),
        Write::Config(config.clone()),
        Write::Push(push(&config)),
        Write::Assign { agent: uid(1), config: config.hash, push: PushId("p-1".into()), since: Timestamp(9) },
        Write::Command(Box::new(command("c-1", CommandState::Sent))),
        Write::Command(Box::new(command("c-2", CommandState::Unknown))),
        Write::Event(StoredEvent { number: 41, event: event.clone() }),
    ];
    assert_eq!(store.commit(Transaction::intent(audit("p-1"), writes)).await.unwrap(), Revision(1));
    store.close(true).await.unwrap();
    drop(store);

    let snapshot = open().load().unwrap();
    let mut expected = agent(1);
    let assignment = Assignment { config: config.clone(), push: PushId("p-1".into()), since: Timestamp(9) };
    expected.assign(Some(Desired::new(assignment.into())));
    assert_eq!(snapshot.agents, [expected]);
    assert_eq!(
        snapshot.commands,
        [command("c-1", CommandState::Sent), command("c-2", CommandState::Unknown)]
    );
    assert_eq!(snapshot.pushes, [push(&config)]);
    assert_eq!(snapshot.events, [StoredEvent { number: 41, event }]);
    assert_eq!((snapshot.revision, snapshot.clean), (Revision(1), true));
}

#[tokio::test]
async fn given_no_close_in_order_when_reopened_then_numbers_are_lower_bounds_and_sockets_are_down() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let mut connected = agent(1);
    connected.link = Link::Up { transport: Transport::WebSocket, since: Timestamp(11) };
    open().commit(Transaction::observed(vec![Write::Agent(Box::new(connected))])).await.unwrap();
    let snapshot = open().load().unwrap();
    assert!(!snapshot.clean);
    assert_eq!(snapshot.agents[0].sequence, Sequence::AtLeast(u64::MAX));
    assert_eq!(snapshot.agents[0].link, Link::Down { since: Timestamp(11) });
}

#[tokio::test]
async fn given_a_row_that_cannot_be_written_then_its_transaction_leaves_nothing_and_others_go_on() {
    let store = memory();
    let missing = config("never stored");
    let bad = vec![
        Write::Agent(Box::new(agent(1))),
        Write::Assign { agent: uid(1), config: missing.hash, push: PushId("p".into()), since: Timestamp(1) },
    ];
    let bad = store.commit(Transaction::intent(audit("bad"), bad));
    let good = store.commit(Transaction::observed(vec![Write::Agent(Box::new(agent(2)))]));
    let (bad, good) = futures_util::future::join(bad, good).await;
    assert!(matches!(bad, Err(StoreError::Write(_))), "{bad:?}");
    assert_eq!(good.unwrap(), Revision(1));
    let uids: Vec<_> = store.load().unwrap().agents.iter().map(|agent| agent.uid).collect();
    assert_eq!(uids, [uid(2)]);
    assert!(store.audit(10).unwrap().is_empty(), "the audit entry went with its act");
}

#[tokio::test]
async fn given_transactions_then_changes_since_tells_them_in_order() {
    let store = memory();
    for number in 1..=3 {
        store.commit(Transaction::observed(vec![Write::Agent(Box::new(agent(number)))])).await.unwrap();
    }
    let changes = store.changes_since(Revision(1), 10).unwrap().unwrap();
    let keys: Vec<_> =
        changes.iter().map(|change| (change.revision.0, change.kind.as_str(), change.key.clone())).collect();
    assert_eq!(keys, [(2, "agent", uid(2).to_string()), (3, "agent", uid(3).to_string())]);
    assert_eq!(store.changes_since(Revision(3), 10).unwrap().unwrap(), []);
}

#[tokio::test]
async fn given_two_holders_then_a_lease_has_one_and_its_epoch_rises() {
    let store = memory();
    let take = |holder: &str, now| {
        store.take_lease("rollouts", holder, Timestamp(now), Timestamp(now + 10)).unwrap()
    };
    assert_eq!(take("a", 0).unwrap().epoch, 1);
    assert_eq!(take("b", 5), None);
    assert_eq!(take("a", 8).unwrap().epoch, 1);
    assert_eq!(take("b", 18).unwrap().epoch, 2);
    assert_eq!(take("a", 19), None);
}

#[tokio::test]
async fn given_intents_then_the_audit_log_tells_the_newest_first() {
    let store = memory();
    for target in ["one", "two"] {
        store.commit(Transaction::intent(audit(target), Vec::new())).await.unwrap();
    }
    let targets: Vec<_> = store.audit(10).unwrap().into_iter().map(|entry| entry.target).collect();
    assert_eq!(targets, ["two", "one"]);
}

#[tokio::test]
async fn given_bodies_that_nothing_refers_to_then_they_are_collected_and_others_stay() {
    let store = memory();
    store.commit(Transaction::observed(vec![Write::Agent(Box::new(agent(1)))])).await.unwrap();
    let mut changed = agent(1);
    let files =
        EffectiveConfig { config_map: Some((*config("y").files).clone()), ..EffectiveConfig::default() };
    changed.restore(Reported {
        effective_config: Some(Fact::new(&files, Timestamp(14))),
        ..changed.reported().clone()
    });
    store.commit(Transaction::observed(vec![Write::Agent(Box::new(changed.clone()))])).await.unwrap();
    assert_eq!(store.collect_garbage(Timestamp(20)).await.unwrap(), 1);
    assert_eq!(store.collect_garbage(Timestamp(20)).await.unwrap(), 0);
    assert_eq!(store.load().unwrap().agents[0].reported(), changed.reported());
}

#[tokio::test]
async fn given_numbers_that_jumped_then_history_is_bounded_by_its_length_alone() {
    let store = memory();
    let event = Event { at: Timestamp(1), kind: EventKind::Health, agent: uid(1), text: "t".into() };
    let writes = [1, 2, 100_001, 100_002]
        .map(|number| Write::Event(StoredEvent { number, event: event.clone() }))
        .to_vec();
    store.commit(Transaction::observed(writes)).await.unwrap();
    assert_eq!(store.collect_garbage(Timestamp(20)).await.unwrap(), 0);
    assert_eq!(store.load().unwrap().events.len(), 4);
}

#[tokio::test]
async fn given_a_closed_store_then_a_commit_is_refused() {
    let store = memory();
    store.close(true).await.unwrap();
    let result =
        tokio::time::timeout(Duration::from_secs(5), store.commit(Transaction::observed(Vec::new()))).await;
    assert!(matches!(result.unwrap(), Err(StoreError::Closed)));
}

#[test]
fn given_files_that_are_no_store_then_opening_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let open =
        |name: &str| SqliteStore::open(&Location::File(folder.path().join(name))).unwrap_err().to_string();
    std::fs::write(folder.path().join("text.db"), "this is no database, however long it may be ".repeat(40))
        .unwrap();
    assert!(open("text.db").contains("text.db: file is not a database"), "{}", open("text.db"));
    let other = rusqlite::Connection::open(folder.path().join("other.db")).unwrap();
    other.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(open("other.db").contains("database of another program"));
    let newer = SqliteStore::open(&Location::File(folder.path().join("newer.db"))).unwrap();
    drop(newer);
    let raw = rusqlite::Connection::open(folder.path().join("newer.db")).unwrap();
    raw.execute_batch("PRAGMA user_version = 99").unwrap();
    assert!(open("newer.db").contains("schema version 99"));
    assert!(open("missing/folder.db").contains("cannot open the store"));
}

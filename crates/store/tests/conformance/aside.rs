//! What stands beside the agents' records: labels, aliases, components, answers.

use tidegate_fleet::schemas::{Schema, SchemaHash};

use super::*;

fn labels(pairs: &[(&str, &str)]) -> Labels {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn label(number: u8, pairs: &[(&str, &str)]) -> Write {
    Write::Labels { agent: uid(number), labels: labels(pairs) }
}

fn known(hash: &'static [u8], since: u64) -> KnownComponents {
    KnownComponents {
        hash: Bytes::from_static(hash),
        components: Bytes::from_static(b"\x0a\x00"),
        since: Timestamp(since),
    }
}

fn answered(key: &str, status: u16, created_at: u64) -> Answered {
    Answered {
        actor: "admin".into(),
        key: key.into(),
        fingerprint: Bytes::from_static(&[7; 32]),
        status,
        location: Some("/api/v1/pushes/p-1".into()),
        body: Bytes::from_static(b"{\"id\":\"p-1\"}"),
        created_at: Timestamp(created_at),
    }
}

fn answer(key: &str, status: u16, created_at: u64) -> Write {
    Write::Answered(Box::new(answered(key, status, created_at)))
}

/// S168: what was learned of builds outlives the server, as do labels and aliases.
#[tokio::test]
async fn given_labels_aliases_and_components_when_reopened_then_they_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let alias = Alias { old: uid(8), new: uid(9), since: Timestamp(3) };
    let writes = vec![
        label(1, &[("ring", "1"), ("team", "log")]),
        label(2, &[("ring", "2")]),
        Write::Rename(alias),
        Write::Components(known(b"h1", 1)),
        Write::Components(known(b"h2", 2)),
        Write::Components(KnownComponents { components: Bytes::new(), ..known(b"h1", 9) }),
    ];
    open().commit(Transaction::intent(audit("labels"), writes)).await.unwrap();
    let store = open();
    let snapshot = store.load().unwrap();
    let expected = [(uid(1), labels(&[("ring", "1"), ("team", "log")])), (uid(2), labels(&[("ring", "2")]))];
    assert_eq!(snapshot.labels, expected.into());
    assert_eq!(snapshot.aliases, [alias]);
    assert_eq!(snapshot.components, [known(b"h1", 1), known(b"h2", 2)], "the first of a hash stays");
    let change =
        store.commit(Transaction::intent(audit("labels"), vec![label(1, &[("ring", "3")]), label(2, &[])]));
    change.await.unwrap();
    assert_eq!(store.load().unwrap().labels, [(uid(1), labels(&[("ring", "3")]))].into());
    let kinds: Vec<_> = store
        .changes_since(Revision(1), 10)
        .unwrap()
        .unwrap()
        .into_iter()
        .map(|change| change.kind)
        .collect();
    assert_eq!(kinds, ["labels", "labels"]);
}

pub(super) fn schema(number: u8) -> Arc<Schema> {
    Arc::new(Schema {
        hash: SchemaHash([number; 32]),
        kind: "fluent-bit".into(),
        version: "5.1.1".into(),
        plugins: 111,
        bytes: 252_527,
        packed: Bytes::from_static(b"\x1f\x8b\0"),
        since: Timestamp(number.into()),
    })
}

#[tokio::test]
async fn given_schemas_when_reopened_then_they_are_as_they_were_and_those_that_were_removed_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let again = Arc::new(Schema { version: "other".into(), ..(*schema(2)).clone() });
    let writes = [schema(2), schema(1), schema(3), again].map(Write::Schema);
    open().commit(Transaction::observed(writes.to_vec())).await.unwrap();
    let store = open();
    let held = |store: &dyn Store| store.load().unwrap().schemas;
    assert_eq!(held(&*store), [1, 2, 3].map(|number| (*schema(number)).clone()), "the first of a hash stays");
    let gone = [3, 9].map(|number| Write::RemoveSchema(SchemaHash([number; 32])));
    store.commit(Transaction::observed(gone.to_vec())).await.unwrap();
    store.collect_garbage(Timestamp(u64::MAX / 2)).await.unwrap();
    assert_eq!(held(&*store), [1, 2].map(|number| (*schema(number)).clone()));
}

fn former(agent: u8, config: &Config) -> Write {
    let former = Assignment { config: config.clone(), push: PushId("p-0".into()), since: Timestamp(3) };
    Write::Former { agent: uid(agent), former: Some(Arc::new(former)) }
}

/// What an agent goes back to is kept for as long as it may be needed, with its files, and no longer.
#[tokio::test]
async fn given_what_agents_go_back_to_when_stored_then_it_outlives_its_push_and_goes_when_it_is_taken_away() {
    let store = memory();
    let (old, new) = (config("old"), config("new"));
    let origin = Origin::RollBack(PushId("p-0".into()));
    let writes = vec![
        Write::Agent(Box::new(agent(1))),
        Write::Config(old.clone()),
        Write::Config(new.clone()),
        Write::Push(Push { origin: origin.clone(), ..push(&new) }),
        Write::Assign { agent: uid(1), config: new.hash, push: PushId("p-1".into()), since: Timestamp(9) },
        former(1, &old),
    ];
    store.commit(Transaction::intent(audit("p-1"), writes)).await.unwrap();
    store.collect_garbage(Timestamp(10)).await.unwrap();
    let snapshot = store.load().unwrap();
    assert_eq!(snapshot.pushes[0].origin, origin);
    let known = snapshot.agents[0].desired().unwrap().former().unwrap();
    assert_eq!((&known.config, &*known.push.0, known.since), (&old, "p-0", Timestamp(3)));
    let none = vec![Write::Former { agent: uid(1), former: None }];
    store.commit(Transaction::observed(none)).await.unwrap();
    assert_eq!(store.load().unwrap().agents[0].desired().unwrap().former(), None);
    assert_eq!(store.collect_garbage(Timestamp(11)).await.unwrap(), 1, "nothing needs the old files");
}

/// Ruling A7: a new uid takes everything of the agent with it.
#[tokio::test]
async fn given_an_agent_when_its_uid_changes_then_all_of_it_moves_and_aliases_lead_to_the_last() {
    let store = memory();
    let body = config("x");
    let writes = vec![
        Write::Agent(Box::new(agent(1))),
        Write::Agent(Box::new(agent(2))),
        label(1, &[("ring", "1")]),
        label(2, &[("of", "the replaced")]),
        Write::Config(body.clone()),
        Write::Push(push(&body)),
        Write::Assign { agent: uid(1), config: body.hash, push: PushId("p-1".into()), since: Timestamp(9) },
        former(1, &body),
        Write::Command(Box::new(command("c-1", CommandState::Queued))),
    ];
    store.commit(Transaction::observed(writes)).await.unwrap();
    let rename =
        |old, new, since| Write::Rename(Alias { old: uid(old), new: uid(new), since: Timestamp(since) });
    store.commit(Transaction::observed(vec![rename(1, 2, 20)])).await.unwrap();
    let snapshot = store.load().unwrap();
    let [moved] = &snapshot.agents[..] else { panic!("{:?}", snapshot.agents) };
    assert_eq!((moved.uid, moved.desired().unwrap().config.hash), (uid(2), body.hash));
    assert_eq!(moved.desired().unwrap().former().unwrap().config, body);
    assert_eq!(snapshot.labels, [(uid(2), labels(&[("ring", "1")]))].into());
    assert_eq!(snapshot.commands[0].agent, uid(2));
    store.commit(Transaction::observed(vec![rename(2, 3, 21)])).await.unwrap();
    let pairs = |store: &dyn Store| -> Vec<_> {
        store.load().unwrap().aliases.iter().map(|alias| (alias.old, alias.new)).collect()
    };
    assert_eq!(pairs(&*store), [(uid(1), uid(3)), (uid(2), uid(3))]);
    store.commit(Transaction::observed(vec![rename(3, 1, 22)])).await.unwrap();
    assert_eq!(
        pairs(&*store),
        [(uid(2), uid(1)), (uid(3), uid(1))],
        "no alias leads away from the uid in use"
    );
}

#[tokio::test]
async fn given_an_agent_when_it_is_forgotten_then_nothing_of_it_but_history_is_left() {
    let store = memory();
    let body = config("x");
    let writes = vec![
        Write::Agent(Box::new(agent(1))),
        Write::Agent(Box::new(agent(2))),
        label(1, &[("ring", "1")]),
        Write::Config(body.clone()),
        Write::Push(push(&body)),
        Write::Assign { agent: uid(1), config: body.hash, push: PushId("p-1".into()), since: Timestamp(9) },
        Write::Command(Box::new(command("c-1", CommandState::Queued))),
        Write::Rename(Alias { old: uid(7), new: uid(1), since: Timestamp(1) }),
        Write::Agent(Box::new(agent(1))),
        Write::Forget(uid(1)),
    ];
    store.commit(Transaction::intent(audit("forget"), writes)).await.unwrap();
    let snapshot = store.load().unwrap();
    let uids: Vec<_> = snapshot.agents.iter().map(|agent| agent.uid).collect();
    assert_eq!(uids, [uid(2)]);
    assert!(snapshot.labels.is_empty() && snapshot.commands.is_empty() && snapshot.aliases.is_empty());
    assert_eq!(snapshot.pushes, [push(&body)]);
}

/// S161: an older record of a command, written behind, undoes no later one.
#[tokio::test]
async fn given_a_command_when_older_states_of_it_are_written_after_later_ones_then_the_later_ones_stay() {
    use CommandState::{Acknowledged, Cancelled, Queued, Sent, Succeeded, Unknown};
    let store = memory();
    for (written, kept) in [
        (Queued, Queued),
        (Sent, Sent),
        (Queued, Sent),
        (Acknowledged, Acknowledged),
        (Sent, Acknowledged),
        (Unknown, Unknown),
        (Acknowledged, Unknown),
        (Succeeded, Succeeded),
        (Queued, Succeeded),
        (Cancelled, Cancelled),
    ] {
        let write = Write::Command(Box::new(command("c-1", written)));
        store.commit(Transaction::observed(vec![write])).await.unwrap();
        assert_eq!(store.load().unwrap().commands, [command("c-1", kept)], "{written:?}");
    }
}

/// An answer is kept with the act that it tells of: both or neither, once a day.
#[tokio::test]
async fn given_a_key_that_was_answered_when_it_comes_again_then_its_act_is_not_stored_twice() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let act = |key: &str, status, at, name: &'static str| {
        Transaction::intent(audit(name), vec![Write::Config(config(name)), answer(key, status, at)])
    };
    open().commit(act("k", 202, 1_000, "first")).await.unwrap();
    let store = open();
    assert!(matches!(store.commit(act("k", 202, 2_000, "second")).await, Err(StoreError::Answered)));
    let now = Timestamp(2_000);
    assert_eq!(store.answered("admin", "k", now).unwrap(), Some(answered("k", 202, 1_000)));
    assert_eq!(store.answered("another", "k", now).unwrap(), None);
    assert_eq!(store.answered("admin", "other", now).unwrap(), None);
    assert_eq!(store.audit(10).unwrap().len(), 1, "the second act went with its answer");
    let tomorrow = 1_000 + Answered::KEPT_MS;
    assert!(store.answered("admin", "k", Timestamp(tomorrow - 1)).unwrap().is_some());
    assert_eq!(store.answered("admin", "k", Timestamp(tomorrow)).unwrap(), None);
    store.commit(act("k", 200, tomorrow, "third")).await.unwrap();
    assert_eq!(store.answered("admin", "k", Timestamp(tomorrow)).unwrap().unwrap().status, 200);
}

#[tokio::test]
async fn given_days_that_pass_then_old_answers_and_aliases_are_collected() {
    let store = memory();
    let day = Answered::KEPT_MS;
    let alias = |number, since| {
        Write::Rename(Alias { old: uid(number), new: uid(number + 10), since: Timestamp(since) })
    };
    let writes = vec![answer("old", 200, 0), answer("new", 200, 5), alias(1, 1), alias(2, day)];
    store.commit(Transaction::observed(writes)).await.unwrap();
    assert_eq!(store.collect_garbage(Timestamp(day)).await.unwrap(), 1);
    assert!(store.answered("admin", "new", Timestamp(day)).unwrap().is_some());
    assert_eq!(store.collect_garbage(Timestamp(30 * day + 1)).await.unwrap(), 2);
    let left: Vec<_> = store.load().unwrap().aliases.iter().map(|alias| alias.old).collect();
    assert_eq!(left, [uid(2)]);
}

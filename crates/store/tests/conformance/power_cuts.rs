//! Power cuts, which a kill cannot show: whatever was not synced is lost, kept or torn, and yet every commit that was
//! answered is there, whole.
//!
//! The store runs on a disk in memory (`disk`), in WAL mode as it always does. The one difference: SQLite's shared
//! memory is a copy for each connection there, so the reading and the writing connection take turns in these tests.

#[path = "power_cuts/disk.rs"]
mod disk;
#[path = "power_cuts/file.rs"]
mod file;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use disk::Disk;
use file::{Dice, Fate};

/// Power cuts of one sweep that is not told otherwise.
const CUTS: u64 = 60;

/// Acts of one workload.
const ACTS: u32 = 16;

/// A machine with a store on a disk of its own.
struct Machine {
    disk: Disk,
    uri: String,
}

impl Machine {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cut-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let disk = Disk::default();
        sqlite_vfs::register(&name, disk.clone(), false).unwrap();
        Self { disk, uri: format!("file:store.db?vfs={name}") }
    }

    fn open(&self) -> Result<SqliteStore, StoreError> {
        SqliteStore::open(&Location::File(self.uri.clone().into()))
    }

    /// Acts, a stop in order, a start and acts again, until the power is gone; gives the acts that were answered.
    async fn work(&self, from: u32) -> BTreeSet<u32> {
        let mut answered = BTreeSet::new();
        for (half, clean) in [(from, true), (from + ACTS / 2, false)] {
            let Ok(store) = self.open() else { return answered };
            for first in (half..half + ACTS / 2).step_by(4) {
                // Four at a time, so that some share a sync.
                let acts = (first..first + 4).map(|number| store.commit(act(number)));
                let results = futures_util::future::join_all(acts).await;
                answered.extend(
                    (first..first + 4).zip(results).filter(|(_, result)| result.is_ok()).map(|(n, _)| n),
                );
            }
            // Without power these fail, and nothing was promised.
            let _ = store.collect_garbage(Timestamp(20)).await;
            let _ = store.close(clean).await;
            drop(store);
            if self.disk.is_dead() {
                return answered;
            }
            self.disk.idle().await;
        }
        answered
    }

    /// The acts that a store holds after the power is back; each must be there whole or not at all.
    fn held(&self, place: &str) -> BTreeSet<u32> {
        let store = self.open().unwrap_or_else(|error| panic!("{place}: {error}"));
        let snapshot = store.load().unwrap_or_else(|error| panic!("{place}: {error}"));
        let agents: BTreeMap<_, _> = snapshot.agents.iter().map(|agent| (agent.uid, agent)).collect();
        let audited: BTreeSet<_> =
            store.audit(1_000_000).unwrap().into_iter().map(|entry| entry.target).collect();
        let commands: BTreeSet<_> = snapshot.commands.iter().map(|command| command.id.0.clone()).collect();
        let held: BTreeSet<_> = audited.iter().map(|target| target.parse().unwrap()).collect();
        assert_eq!((agents.len(), commands.len()), (held.len(), held.len()), "{place}");
        for number in &held {
            let agent = agents.get(&uid_of(*number)).unwrap_or_else(|| panic!("{place}: half of {number}"));
            let desired = agent.desired().as_ref().map(|desired| desired.config.hash);
            assert_eq!(desired, Some(body_of(*number).hash), "{place}: {number}");
            assert!(commands.contains(&format!("{number}")), "{place}: half of {number}");
            assert!(snapshot.labels.contains_key(&agent.uid), "{place}: half of {number}");
        }
        assert_eq!(snapshot.revision.0, held.len() as u64, "{place}");
        held
    }

    /// Every page and index is sound.
    fn check(&self, place: &str) {
        let raw = rusqlite::Connection::open(&self.uri).unwrap();
        let found: String = raw.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(found, "ok", "{place}");
    }
}

fn uid_of(number: u32) -> InstanceUid {
    let mut bytes = [1; 16];
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    InstanceUid::from_bytes(&bytes).unwrap()
}

/// Bodies of less than a page and of several.
fn body_of(number: u32) -> Config {
    let body = format!("number: {number}\n").repeat(1 + usize::try_from(number % 5).unwrap() * 200);
    let file = AgentConfigObject { body: body.into(), ..AgentConfigObject::default() };
    let config_map = [("a".to_owned(), file)].into();
    Config::new(AgentConfigMap { config_map, ..AgentConfigMap::default() }, Timestamp(1))
}

/// An act that touches many tables; its number is the target in the audit log.
fn act(number: u32) -> Transaction {
    let body = body_of(number);
    let uid = uid_of(number);
    let push = PushId(format!("p-{number}"));
    let command = Command { agent: uid, ..command(&number.to_string(), CommandState::Queued) };
    let mut known = agent(1);
    known.uid = uid;
    let writes = vec![
        Write::Agent(Box::new(known)),
        Write::Config(body.clone()),
        Write::Push(Push { id: push.clone(), targets: vec![uid], ..super::push(&body) }),
        Write::Assign { agent: uid, config: body.hash, push, since: Timestamp(1) },
        Write::Command(Box::new(command)),
        Write::Labels { agent: uid, labels: [("n".to_owned(), number.to_string())].into() },
    ];
    Transaction::intent(audit(&number.to_string()), writes)
}

fn setting(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Decision D1: the power is cut at every point of a store's life, one after another.
#[tokio::test]
async fn given_a_power_cut_at_any_point_when_the_store_is_opened_then_every_answered_act_is_there_whole() {
    let whole = Machine::new();
    assert_eq!(whole.work(0).await.len(), usize::try_from(ACTS).unwrap());
    let operations = whole.disk.operations();
    let cuts = setting("TIDEGATE_POWER_CUTS").unwrap_or(CUTS).min(operations);
    let mut dice = Dice(setting("TIDEGATE_POWER_SEED").unwrap_or(1));
    let (mut answered_in_all, mut missing_unanswered) = (0, 0);
    for cut in 0..cuts {
        let at = cut * operations / cuts;
        let fate = [Fate::Lost, Fate::Torn, Fate::Kept, Fate::Torn][usize::try_from(cut % 4).unwrap()];
        let place = format!("a cut after {at} of {operations} operations, what was not synced is {fate:?}");
        let machine = Machine::new();
        machine.disk.cut_after(at);
        let answered = machine.work(0).await;
        machine.disk.restart(fate, &mut dice);
        if cut % 2 == 0 {
            machine.check(&place);
        }
        let held = machine.held(&place);
        let lost: Vec<_> = answered.difference(&held).collect();
        assert!(lost.is_empty(), "{place}: {lost:?} of {answered:?} are lost");
        answered_in_all += answered.len();
        missing_unanswered += usize::try_from(ACTS).unwrap() - held.len();
    }
    println!("{cuts} cuts within {operations} operations, {answered_in_all} acts answered, none lost");
    assert!(answered_in_all > 0 && missing_unanswered > 0, "no cut came in the middle");
}

/// A store that lives through one cut after another stays sound, and keeps what it held before.
#[tokio::test]
async fn given_one_power_cut_after_another_then_nothing_that_was_there_once_is_lost() {
    let machine = Machine::new();
    let mut dice = Dice(setting("TIDEGATE_POWER_SEED").unwrap_or(2));
    let mut held = BTreeSet::new();
    for round in 0..12 {
        machine.disk.cut_after(30 + dice.below(400));
        let answered = machine.work(round * ACTS).await;
        let fate = [Fate::Lost, Fate::Torn, Fate::Kept][usize::try_from(dice.below(3)).unwrap()];
        machine.disk.restart(fate, &mut dice);
        let place = format!("round {round}, what was not synced is {fate:?}");
        let now = machine.held(&place);
        machine.disk.idle().await;
        machine.check(&place);
        assert!(
            now.is_superset(&answered) && now.is_superset(&held),
            "{place}: {answered:?}, {held:?}, {now:?}"
        );
        held = now;
    }
    assert!(!held.is_empty());
}

/// The disk does forget: on one that only says that it synced, acts are lost, and the tests above would see it.
#[tokio::test]
async fn given_a_disk_that_lies_about_syncs_when_the_power_is_cut_then_answered_acts_are_lost() {
    let machine = Machine::new();
    drop(machine.open().unwrap());
    machine.disk.idle().await;
    machine.disk.lie();
    let answered = machine.work(0).await;
    assert_eq!(answered.len(), usize::try_from(ACTS).unwrap());
    machine.disk.restart(Fate::Lost, &mut Dice(1));
    assert_eq!(machine.held("a disk that lies"), BTreeSet::new());
}

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tidegate_custom::{CHATOPS, prefixed};
use tokio::sync::Semaphore as Gate;
use tokio::time::timeout;

use super::*;
use crate::handlers::Handling;

const PATIENCE: Duration = Duration::from_secs(10);

/// Echoes a message once its gate opens.
struct Slow {
    gate: Arc<Gate>,
    begun: Arc<AtomicUsize>,
}

impl Handler for Slow {
    fn capability(&self) -> &str {
        CHATOPS
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let gate = Arc::clone(&self.gate);
        self.begun.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            gate.acquire_owned().await.unwrap().forget();
            Some(CustomMessage { kind: "done".to_owned(), ..message })
        })
    }

    fn is_idempotent(&self, message: &CustomMessage) -> bool {
        message.kind == "idempotent"
    }

    fn refuse(&self, message: &CustomMessage, refusal: Refusal<'_>) -> Option<CustomMessage> {
        let kind = match refusal {
            Refusal::NotDone(_) => "refused",
            Refusal::Unknown(_) => "unknown",
        };
        Some(CustomMessage { kind: kind.to_owned(), ..message.clone() })
    }
}

struct World {
    dispatcher: Dispatcher,
    answers: mpsc::Receiver<CustomMessage>,
    commands: mpsc::Receiver<AgentCommand>,
    gate: Arc<Gate>,
    begun: Arc<AtomicUsize>,
    state: tempfile::TempDir,
}

fn world() -> World {
    world_in(tempfile::tempdir().unwrap())
}

/// A supervisor in the folder that another one left.
fn world_in(state: tempfile::TempDir) -> World {
    let gate = Arc::new(Gate::new(0));
    let begun = Arc::new(AtomicUsize::new(0));
    let (answering, answers) = mpsc::channel(64);
    let (commanding, commands) = mpsc::channel(1);
    let registry = Registry::default().with(Slow { gate: Arc::clone(&gate), begun: Arc::clone(&begun) });
    let dispatcher = Dispatcher::start(commanding, answering, registry, state.path(), Box::new(|_| {}));
    World { dispatcher, answers, commands, gate, begun, state }
}

fn message(id: Option<u32>) -> Effect {
    let data = id.map_or(json!({}), |id| json!({ "id": id }));
    Effect::Custom(CustomMessage {
        capability: prefixed(CHATOPS),
        data: serde_json::to_vec(&data).unwrap().into(),
        ..CustomMessage::default()
    })
}

/// The same, of a kind that may be carried out twice.
fn idempotent(id: u32) -> Effect {
    let Effect::Custom(message) = message(Some(id)) else { unreachable!() };
    Effect::Custom(CustomMessage { kind: "idempotent".to_owned(), ..message })
}

impl World {
    /// Waits until so many messages are being carried out.
    async fn begun(&self, count: usize) {
        let begun = async {
            while self.begun.load(Ordering::SeqCst) < count {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, begun).await.unwrap();
    }

    /// Another supervisor in its place, as if this one had been killed: what it was about to do is not done.
    fn killed(self) -> World {
        let Self { dispatcher, state, .. } = self;
        drop(dispatcher);
        world_in(state)
    }

    async fn answer(&mut self) -> String {
        timeout(PATIENCE, self.answers.recv()).await.unwrap().unwrap().kind
    }

    async fn command(&mut self) -> AgentCommand {
        timeout(PATIENCE, self.commands.recv()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn given_a_message_with_an_id_when_it_comes_twice_then_it_is_carried_out_once_and_answered_twice() {
    let mut world = world();
    world.dispatcher.carry_out(message(Some(1)));
    world.dispatcher.carry_out(message(Some(1)));
    world.gate.add_permits(1);
    assert_eq!(world.answer().await, "done");
    assert!(world.answers.try_recv().is_err(), "the duplicate was carried out too");
    // The gate is shut: only a remembered answer can come.
    world.dispatcher.carry_out(message(Some(1)));
    assert_eq!(world.answer().await, "done");
}

/// C161: the queue is bounded, and whoever finds it full is told.
#[tokio::test]
async fn given_more_messages_than_may_wait_then_the_rest_is_refused_at_once() {
    let mut world = world();
    for _ in 0..QUEUED {
        world.dispatcher.carry_out(message(None));
    }
    // Four of them are begun, so that four more fit.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    for _ in 0..IN_FLIGHT + 3 {
        world.dispatcher.carry_out(message(None));
    }
    for _ in 0..3 {
        assert_eq!(world.answer().await, "refused");
    }
    assert!(world.answers.try_recv().is_err());
    world.gate.add_permits(QUEUED + IN_FLIGHT);
    for _ in 0..QUEUED + IN_FLIGHT {
        assert_eq!(world.answer().await, "done");
    }
}

/// C063, C089, C157: the newest offer wins, those that it replaces are answered, restarts are one.
#[tokio::test]
async fn given_offers_and_restarts_faster_than_they_are_taken_then_the_newest_offer_and_one_restart_wait() {
    let mut world = world();
    let offer =
        |hash: u8| AgentRemoteConfig { config_hash: vec![hash].into(), ..AgentRemoteConfig::default() };
    for hash in 1..=5 {
        world.dispatcher.carry_out(Effect::Apply(offer(hash)));
        world.dispatcher.carry_out(Effect::Restart);
    }
    let (mut offers, mut replaced, mut restarts) = (Vec::new(), Vec::new(), 0);
    for _ in 0..6 {
        match world.command().await {
            AgentCommand::Apply(offer) => offers.push(offer.config_hash[0]),
            AgentCommand::Replaced(hash) => replaced.push(hash[0]),
            AgentCommand::Restart => restarts += 1,
            other => panic!("nobody asked for {other:?}"),
        }
    }
    assert_eq!((offers, replaced, restarts), (vec![5], vec![1, 2, 3, 4], 1));
    assert!(timeout(Duration::from_millis(50), world.commands.recv()).await.is_err());
}

#[tokio::test]
async fn given_a_capability_without_a_handler_then_its_message_is_ignored() {
    let mut world = world();
    let unknown = CustomMessage { capability: "com.example".to_owned(), ..CustomMessage::default() };
    world.dispatcher.carry_out(Effect::Custom(unknown));
    world.gate.add_permits(1);
    world.dispatcher.carry_out(message(Some(9)));
    assert_eq!(world.answer().await, "done");
    assert!(world.answers.try_recv().is_err());
}

#[tokio::test]
async fn given_an_act_that_was_answered_when_it_comes_to_the_next_supervisor_then_only_its_answer_goes() {
    let mut world = world();
    world.dispatcher.carry_out(message(Some(1)));
    world.gate.add_permits(1);
    assert_eq!(world.answer().await, "done");
    let mut next = world.killed();
    next.dispatcher.carry_out(message(Some(1)));
    assert_eq!(next.answer().await, "done");
    assert_eq!(next.begun.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn given_a_crash_in_the_middle_when_the_next_supervisor_starts_then_the_outcome_is_unknown_for_good() {
    let mut world = world();
    world.dispatcher.carry_out(message(Some(1)));
    world.begun(1).await;
    let mut next = world.killed();
    assert_eq!(next.answer().await, "unknown", "nobody had to ask");
    next.gate.add_permits(1);
    next.dispatcher.carry_out(message(Some(1)));
    assert_eq!(next.answer().await, "unknown");
    let mut third = next.killed();
    third.gate.add_permits(1);
    third.dispatcher.carry_out(message(Some(1)));
    assert_eq!(third.answer().await, "unknown");
    third.dispatcher.carry_out(message(Some(2)));
    assert_eq!(third.answer().await, "done", "only the answer to the question came before");
    assert_eq!(third.begun.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn given_an_idempotent_act_when_the_supervisor_dies_in_it_then_it_is_carried_out_anew() {
    let mut world = world();
    world.dispatcher.carry_out(idempotent(1));
    world.begun(1).await;
    let mut next = world.killed();
    next.dispatcher.carry_out(idempotent(1));
    next.gate.add_permits(1);
    assert_eq!(next.answer().await, "done");
}

#[tokio::test]
async fn given_a_disk_that_takes_nothing_then_only_what_is_idempotent_is_carried_out() {
    let mut world = world();
    // A folder where the journal would go refuses every write, for every user.
    let blocker = world.state.path().join("executed.jsonl.tmp");
    std::fs::create_dir(&blocker).unwrap();
    world.gate.add_permits(2);
    world.dispatcher.carry_out(message(Some(1)));
    assert_eq!(world.answer().await, "refused");
    world.dispatcher.carry_out(idempotent(2));
    assert_eq!(world.answer().await, "done");
    // With room again the refused one may come again: it was never begun.
    std::fs::remove_dir(&blocker).unwrap();
    world.dispatcher.carry_out(message(Some(1)));
    assert_eq!(world.answer().await, "done");
    assert_eq!(world.begun.load(Ordering::SeqCst), 2);
}

fn own(hash: &'static str, metrics: bool, logs: bool) -> Box<OwnOffer> {
    let to = |wanted: bool| wanted.then(tidegate_opamp::TelemetryConnectionSettings::default);
    Box::new(OwnOffer { hash: hash.into(), metrics: to(metrics), logs: to(logs) })
}

/// C119: of offers that wait the newest counts, with what it leaves out of the older one; a new uid comes before it.
#[tokio::test]
async fn given_offers_of_own_telemetry_faster_than_they_are_taken_then_they_are_one_and_a_uid_comes_first() {
    let mut world = world();
    let uid = InstanceUid::v7(1, [1; 10]);
    world.dispatcher.carry_out(Effect::OwnTelemetry(own("1", true, false)));
    world.dispatcher.carry_out(Effect::OwnTelemetry(own("2", false, true)));
    world.dispatcher.carry_out(Effect::NewUid(uid));
    assert!(matches!(world.command().await, AgentCommand::Renamed(found) if found == uid));
    let AgentCommand::OwnTelemetry(found) = world.command().await else { panic!("no offer") };
    assert_eq!(found, own("2", true, true));
}

/// C120, C193: an offer survives a supervisor that ends before it was taken; what is damaged is no offer.
#[tokio::test]
async fn given_a_supervisor_that_is_killed_when_the_next_one_starts_then_the_last_offer_is_handed_on_again() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut world = world();
    assert_eq!(world.dispatcher.resume_own_telemetry(), None);
    world.dispatcher.carry_out(Effect::OwnTelemetry(own("1", true, false)));
    world.dispatcher.carry_out(Effect::OwnTelemetry(own("2", false, true)));
    let mut world = world.killed();
    assert_eq!(world.dispatcher.resume_own_telemetry(), Some("2".into()));
    let AgentCommand::OwnTelemetry(found) = world.command().await else { panic!("no offer") };
    assert_eq!(found, own("2", true, true));

    let file = world.state.path().join("own-telemetry-offer.bin");
    assert_eq!(
        std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600,
        "it may hold credentials"
    );
    std::fs::write(&file, [0xFF; 3]).unwrap();
    let world = world.killed();
    assert_eq!(world.dispatcher.resume_own_telemetry(), None);
}

use std::time::Duration;

use serde_json::json;
use tidegate_custom::{CHATOPS, prefixed};
use tokio::sync::Semaphore as Gate;
use tokio::time::timeout;

use super::*;
use crate::handlers::Handling;

const PATIENCE: Duration = Duration::from_secs(10);

/// Echoes a message once its gate opens.
struct Slow(Arc<Gate>);

impl Handler for Slow {
    fn capability(&self) -> &'static str {
        CHATOPS
    }

    fn handle(&self, message: CustomMessage) -> Handling {
        let gate = Arc::clone(&self.0);
        Box::pin(async move {
            gate.acquire_owned().await.unwrap().forget();
            Some(CustomMessage { kind: "done".to_owned(), ..message })
        })
    }

    fn refuse(&self, message: &CustomMessage, _why: &str) -> Option<CustomMessage> {
        Some(CustomMessage { kind: "refused".to_owned(), ..message.clone() })
    }
}

struct World {
    dispatcher: Dispatcher,
    answers: mpsc::Receiver<CustomMessage>,
    commands: mpsc::Receiver<AgentCommand>,
    gate: Arc<Gate>,
}

fn world() -> World {
    let gate = Arc::new(Gate::new(0));
    let (answering, answers) = mpsc::channel(64);
    let (commanding, commands) = mpsc::channel(1);
    let registry = Registry::default().with(Slow(Arc::clone(&gate)));
    let dispatcher = Dispatcher::start(commanding, answering, registry, Box::new(|_| {}));
    World { dispatcher, answers, commands, gate }
}

fn message(id: Option<u32>) -> Effect {
    let data = id.map_or(json!({}), |id| json!({ "id": id }));
    Effect::Custom(CustomMessage {
        capability: prefixed(CHATOPS),
        data: serde_json::to_vec(&data).unwrap().into(),
        ..CustomMessage::default()
    })
}

impl World {
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

/// C063, C157: the newest offer wins, restarts are one.
#[tokio::test]
async fn given_offers_and_restarts_faster_than_they_are_taken_then_the_newest_offer_and_one_restart_wait() {
    let mut world = world();
    let offer =
        |hash: u8| AgentRemoteConfig { config_hash: vec![hash].into(), ..AgentRemoteConfig::default() };
    for hash in 1..=5 {
        world.dispatcher.carry_out(Effect::Apply(offer(hash)));
        world.dispatcher.carry_out(Effect::Restart);
    }
    let (mut offers, mut restarts) = (Vec::new(), 0);
    for _ in 0..2 {
        match world.command().await {
            AgentCommand::Apply(offer) => offers.push(offer.config_hash[0]),
            AgentCommand::Restart => restarts += 1,
            other => panic!("nobody asked for {other:?}"),
        }
    }
    assert_eq!((offers, restarts), (vec![5], 1));
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

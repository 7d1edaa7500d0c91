//! From what the server asked for to who carries it out. Nothing here is waited for by the connection: offers,
//! restarts and custom messages are put down and carried out by tasks of their own (OpAMP C023).

mod executed;
mod journal;
mod offered;
mod remembered;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use tidegate_custom::message_id;
use tidegate_opamp::{AgentRemoteConfig, CustomMessage, InstanceUid};
use tokio::sync::{Semaphore, mpsc};

use crate::agent::{AgentCommand, OwnOffer};
use crate::client::{Effect, Outlet};
use crate::handlers::{Handler, Refusal, Registry};
use executed::Executed;
use offered::Offered;
use remembered::{Key, Seen};

/// Most custom messages that are carried out at the same time.
pub const IN_FLIGHT: usize = 4;

/// Most custom messages that wait for their turn; what comes beyond is answered with a failure.
pub const QUEUED: usize = 16;

/// Most offers that were replaced before they were handed on and still get their answer.
const REPLACED: usize = 16;

/// What is said of an act that a supervisor did not survive.
const UNKNOWN: &str = "unknown outcome: the supervisor ended or began anew while this was carried out; it is not carried out again";

/// Called with a new uid of the agent; persists it.
pub type OnNewUid = Box<dyn FnMut(InstanceUid) + Send>;

/// Carries out effects. Its tasks end when it is dropped.
pub struct Dispatcher {
    pending: Arc<Mutex<Pending>>,
    /// Wakes the task that hands on what is pending; one place is enough.
    wake: mpsc::Sender<()>,
    registry: Registry,
    jobs: mpsc::Sender<Job>,
    answers: mpsc::Sender<CustomMessage>,
    executed: Arc<Mutex<Executed>>,
    offered: Offered,
    on_new_uid: OnNewUid,
}

/// What the process side has not taken yet.
#[derive(Debug, Default)]
struct Pending {
    /// The newest offer; a newer one replaces one that still waits (OpAMP C063).
    offer: Option<AgentRemoteConfig>,
    /// Hashes of those that were replaced, the oldest first.
    replaced: VecDeque<Bytes>,
    /// Restarts that came while one waits are one restart (OpAMP C157).
    restart: bool,
    /// Destinations of own telemetry; what a newer offer leaves out of an older one is kept (OpAMP C119).
    own: Option<Box<OwnOffer>>,
    /// The uid that the agent has by now.
    renamed: Option<InstanceUid>,
}

impl Pending {
    fn offer(&mut self, offer: AgentRemoteConfig) {
        let older = self.offer.replace(offer).filter(|older| Some(&older.config_hash) != self.newest());
        if let Some(older) = older.filter(|_| self.replaced.len() < REPLACED) {
            self.replaced.push_back(older.config_hash);
        }
    }

    fn newest(&self) -> Option<&Bytes> {
        self.offer.as_ref().map(|offer| &offer.config_hash)
    }

    fn next(&mut self) -> Option<AgentCommand> {
        if let Some(uid) = self.renamed.take() {
            return Some(AgentCommand::Renamed(uid));
        }
        if let Some(hash) = self.replaced.pop_front() {
            return Some(AgentCommand::Replaced(hash));
        }
        if let Some(offer) = self.offer.take() {
            return Some(AgentCommand::Apply(offer));
        }
        let own = self.own.take().map(AgentCommand::OwnTelemetry);
        own.or_else(|| std::mem::take(&mut self.restart).then_some(AgentCommand::Restart))
    }
}

struct Job {
    handler: Arc<dyn Handler>,
    message: CustomMessage,
    key: Option<Key>,
}

impl Job {
    /// Carries it out, if need be once it is written down that it begins.
    async fn carry_out(self, executed: &Mutex<Executed>) -> Option<CustomMessage> {
        let Self { handler, message, key } = self;
        let Some(key) = key else { return handler.handle(message).await };
        if !handler.is_idempotent(&message)
            && let Err(error) = executed.lock().write_down(&key)
        {
            tracing::error!(id = key.id, %error, "a custom message is refused: it cannot be written down");
            let why = format!("it is not carried out, for that it begins cannot be written down: {error}");
            return handler.refuse(&message, Refusal::NotDone(&why));
        }
        let answer = handler.handle(message).await;
        executed.lock().finish(&key, answer.clone());
        answer
    }
}

impl Dispatcher {
    /// Starts the tasks. `commands` leads to the process side, `answers` to the client; which messages were carried out
    /// is kept in `state_dir`, and those that an earlier supervisor did not end are answered now. Must be called inside
    /// a tokio runtime.
    #[must_use]
    pub fn start(
        commands: mpsc::Sender<AgentCommand>,
        answers: mpsc::Sender<CustomMessage>,
        registry: Registry,
        state_dir: &Path,
        on_new_uid: OnNewUid,
    ) -> Self {
        let pending = Arc::new(Mutex::new(Pending::default()));
        let (wake, woken) = mpsc::channel(1);
        let (jobs, queue) = mpsc::channel(QUEUED);
        let (executed, interrupted) = Executed::load(state_dir);
        let executed = Arc::new(Mutex::new(executed));
        tokio::spawn(forward(commands, woken, Arc::clone(&pending)));
        tokio::spawn(work(queue, answers.clone(), Arc::clone(&executed)));
        let offered = Offered::new(state_dir);
        let dispatcher = Self { pending, wake, registry, jobs, answers, executed, offered, on_new_uid };
        interrupted.iter().for_each(|key| dispatcher.interrupted(key));
        dispatcher
    }

    /// Hands the last offer of destinations for own telemetry on again, for nobody knows whether an earlier supervisor
    /// still did; one that was answered is known by its hash, which is given back.
    #[must_use]
    pub fn resume_own_telemetry(&self) -> Option<Bytes> {
        let offer = self.offered.load()?;
        let hash = offer.hash.clone();
        self.own_telemetry(Box::new(offer));
        Some(hash)
    }

    fn own_telemetry(&self, offer: Box<OwnOffer>) {
        let mut pending = self.pending.lock();
        let offer = offer.over(pending.own.take());
        if let Err(error) = self.offered.store(&offer) {
            tracing::warn!(%error, "an offer of own telemetry is lost if the supervisor ends before it is carried out");
        }
        pending.own = Some(offer);
        drop(pending);
        self.wake();
    }

    /// Answers a message that an earlier supervisor began; from now on that is its answer.
    fn interrupted(&self, key: &Key) {
        tracing::warn!(id = key.id, capability = key.capability, "a custom message was begun and not ended");
        let Some(handler) = self.registry.find(&key.capability) else { return };
        let message = CustomMessage {
            capability: key.capability.clone(),
            data: serde_json::json!({ "id": key.id }).to_string().into(),
            ..CustomMessage::default()
        };
        let answer = handler.refuse(&message, Refusal::Unknown(UNKNOWN));
        self.executed.lock().finish(key, answer.clone());
        answer.into_iter().for_each(|answer| self.answer(answer));
    }

    fn custom(&mut self, message: CustomMessage) {
        let Some(handler) = self.registry.find(&message.capability) else { return };
        let key = message_id(&message.data).map(|id| Key { capability: handler.capability().to_owned(), id });
        if let Some(key) = &key {
            match self.executed.lock().begin(key) {
                Seen::Never => {}
                Seen::Before(answer) => {
                    tracing::info!(id = key.id, "a custom message came twice: it is not carried out again");
                    return answer.into_iter().for_each(|answer| self.answer(answer));
                }
            }
        }
        let job = Job { handler, message, key };
        let Err(refused) = self.jobs.try_send(job) else { return };
        let Job { handler, message, key } = refused.into_inner();
        let why = format!("{IN_FLIGHT} custom messages are being carried out and {QUEUED} wait: try later");
        tracing::warn!(capability = handler.capability(), "a custom message is refused: too many wait");
        let answer = handler.refuse(&message, Refusal::NotDone(&why));
        if let Some(key) = &key {
            self.executed.lock().finish(key, answer.clone());
        }
        answer.into_iter().for_each(|answer| self.answer(answer));
    }

    fn wake(&self) {
        // A full channel wakes the task already; a closed one belongs to an agent that is not supervised any more.
        let _ = self.wake.try_send(());
    }

    fn answer(&self, answer: CustomMessage) {
        if self.answers.try_send(answer).is_err() {
            tracing::warn!("the answer to a custom message is dropped: too many wait for being sent");
        }
    }
}

impl Outlet for Dispatcher {
    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Apply(offer) => {
                self.pending.lock().offer(offer);
                self.wake();
            }
            Effect::Restart => {
                self.pending.lock().restart = true;
                self.wake();
            }
            Effect::Custom(message) => self.custom(message),
            Effect::OwnTelemetry(offer) => self.own_telemetry(offer),
            Effect::NewUid(uid) => {
                (self.on_new_uid)(uid);
                self.pending.lock().renamed = Some(uid);
                self.wake();
            }
            Effect::Connect(_) | Effect::Interval(_) | Effect::Retreat(_) => {}
        }
    }
}

/// Hands what is pending to the process side, which takes one command at a time.
async fn forward(
    commands: mpsc::Sender<AgentCommand>,
    mut woken: mpsc::Receiver<()>,
    pending: Arc<Mutex<Pending>>,
) {
    while woken.recv().await.is_some() {
        loop {
            // Taken before the wait, so that the lock is not held over it.
            let Some(command) = pending.lock().next() else { break };
            if commands.send(command).await.is_err() {
                tracing::warn!("an offer or restart is dropped: the agent is not supervised any more");
                return;
            }
        }
    }
}

/// Takes jobs off the queue, at most [`IN_FLIGHT`] at a time.
async fn work(
    mut queue: mpsc::Receiver<Job>,
    answers: mpsc::Sender<CustomMessage>,
    executed: Arc<Mutex<Executed>>,
) {
    let permits = Arc::new(Semaphore::new(IN_FLIGHT));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let Some(job) = queue.recv().await else { return };
        if answers.is_closed() {
            // Its dispatcher is gone, and another one may carry on from the journal.
            return;
        }
        let (answers, executed) = (answers.clone(), Arc::clone(&executed));
        tokio::spawn(async move {
            if let Some(answer) = job.carry_out(&executed).await {
                // An error says that the client is gone, and with it whoever wanted the answer.
                let _ = answers.send(answer).await;
            }
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests;

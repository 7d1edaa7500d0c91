//! Schemas of agents' builds: which of them are here, and the gathering of one that is not, by the custom messages of
//! one agent. However many agents report a build, one is asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use tidegate_custom::schema::{CHUNK, SchemaHash};
use tidegate_custom::{Message, SCHEMA, bare, message_id, parse};
use tidegate_fleet::agent::Link;
use tidegate_fleet::schemas::{Gathering, Library, Schema, Taken};
use tidegate_fleet::{Agent, Event, EventKind};
use tidegate_opamp::{AgentToServer, CustomMessage, InstanceUid, ServerToAgent};
use tidegate_store::{Transaction, Write};

use super::{Core, Entry};

/// The type of message that says why there is no piece.
const FAILURE: &str = tidegate_custom::chatops::FAILURE;

/// Agents that are tried in one turn, so that a build whose agents have all left takes no longer.
const MAX_TRIED: usize = 100;

/// The schemas that are held, and who is asked for the next.
#[derive(Debug, Default)]
pub(crate) struct Schemas {
    library: RwLock<Library>,
    gathering: Mutex<Gathering>,
    /// Whether an agent is to be asked for something; looked at with every message, so without a lock.
    due: AtomicBool,
}

impl Schemas {
    /// The schemas that a store holds.
    pub(super) fn new(stored: Vec<Schema>) -> Self {
        Self { library: RwLock::new(Library::new(stored)), ..Self::default() }
    }

    /// A schema that is held.
    pub(crate) fn get(&self, hash: &SchemaHash) -> Option<Arc<Schema>> {
        self.library.read().get(hash).cloned()
    }

    /// Every schema that is held, newest first.
    pub(crate) fn all(&self) -> Vec<Arc<Schema>> {
        let mut all: Vec<_> = self.library.read().all().cloned().collect();
        all.sort_by_key(|schema| (std::cmp::Reverse(schema.since), schema.hash));
        all
    }

    fn gather<T>(&self, work: impl FnOnce(&mut Gathering) -> T) -> T {
        let mut gathering = self.gathering.lock();
        let done = work(&mut gathering);
        self.due.store(gathering.due().is_some(), Ordering::Release);
        done
    }

    /// What an agent is to be asked for now.
    pub(super) fn ask(&self, agent: &InstanceUid) -> Option<CustomMessage> {
        if !self.due.load(Ordering::Acquire) {
            return None;
        }
        let fetch = self.gather(|gathering| gathering.ask(agent))?;
        fetch.to_message().ok()
    }
}

impl Core {
    /// The schema of an agent's build, where that is known.
    pub(crate) fn schema_hash(&self, agent: &Agent) -> Option<SchemaHash> {
        self.components.schema(&agent.reported().available_components.as_ref()?.get().hash)
    }

    /// An agent told what its build can run: where it can give a schema that is not here, it may be asked for that.
    pub(super) fn want_schema(&self, agent: &Agent) {
        let Some(hash) = self.schema_hash(agent) else { return };
        if !self.schemas.library.read().holds(&hash) && gives_schemas(agent) {
            self.schemas.gather(|gathering| gathering.offered(hash, agent.uid));
        }
    }

    /// Puts what an agent is to be asked for into a message to it, where there is room: a command stands alone (OpAMP
    /// S158), and there is one custom message in each (S166).
    pub(super) fn ask_for_schema(&self, agent: &InstanceUid, message: &mut ServerToAgent) {
        if message.command.is_none() && message.custom_message.is_none() && message.error_response.is_none() {
            message.custom_message = self.schemas.ask(agent);
        }
    }

    /// Takes a piece of a schema out of a message: it answers no command, and what follows must not take it for one that
    /// does. What a command asked for has an id.
    pub(super) fn take_piece(self: &Arc<Self>, message: &mut AgentToServer, uid: InstanceUid) {
        let piece = message.custom_message.take_if(|custom| {
            bare(&custom.capability) == SCHEMA
                && matches!(custom.kind.as_str(), CHUNK | FAILURE)
                && message_id(&custom.data).is_none()
        });
        let Some(piece) = piece else { return };
        let now = self.now();
        let taken = match parse(&piece) {
            Ok(Message::SchemaChunk(chunk)) => {
                self.schemas.gather(|gathering| gathering.take(&uid, &chunk, now))
            }
            Ok(Message::SchemaUnavailable(said)) => {
                self.schemas.gather(|gathering| gathering.refused(&uid, said, now))
            }
            Ok(_) => return,
            Err(error) => self.schemas.gather(|gathering| gathering.unreadable(&uid, error.to_string())),
        };
        match taken {
            Taken::More => {}
            Taken::Whole(hash, packed) => {
                // The agent's answer does not wait for it.
                tokio::spawn(Arc::clone(self).learn_schema(uid, hash, packed));
            }
            Taken::Failed(reason) => {
                self.metrics.schemas_refused.inc();
                let reason = tidegate_custom::excerpt(&reason, 512).0.escape_debug().to_string();
                tracing::info!(agent = %uid, reason, "an agent did not give the schema of its build");
            }
            Taken::Unasked => drop(self.metrics.schemas_refused.inc()),
        }
    }

    async fn learn_schema(self: Arc<Self>, uid: InstanceUid, hash: SchemaHash, packed: Bytes) {
        let now = self.now();
        let read = tokio::task::spawn_blocking(move || Schema::read(hash, packed, now)).await;
        let held = match read {
            Ok(Ok(schema)) => self.keep_schema(uid, Arc::new(schema)).await,
            Ok(Err(error)) => {
                tracing::warn!(agent = %uid, %error, "the schema that an agent gave is not taken");
                false
            }
            Err(error) => {
                tracing::error!(agent = %uid, %error, "the schema that an agent gave was not read");
                false
            }
        };
        let counter = if held { &self.metrics.schemas } else { &self.metrics.schemas_refused };
        counter.inc();
        self.schemas.gather(|gathering| gathering.settled(hash, held));
    }

    /// Stores a schema, then makes it true in memory. One is learned at a time.
    async fn keep_schema(&self, uid: InstanceUid, schema: Arc<Schema>) -> bool {
        let mut library = self.schemas.library.read().clone();
        let used = if library.is_full_for(&schema) { self.used_schemas() } else { BTreeSet::new() };
        let Some(gone) = library.take(Arc::clone(&schema), &used) else {
            tracing::warn!(hash = %schema.hash, "a schema is not kept: agents use as many as there is room for");
            return false;
        };
        let mut writes = vec![Write::Schema(Arc::clone(&schema))];
        writes.extend(gone.into_iter().map(Write::RemoveSchema));
        if let Err(error) = self.store.commit(Transaction::observed(writes)).await {
            tracing::error!(%error, "a schema could not be stored");
            return false;
        }
        *self.schemas.library.write() = library;
        let Schema { kind, version, plugins, hash, .. } = &*schema;
        tracing::info!(agent = %uid, kind, version, plugins, %hash, "an agent gave the schema of its build");
        let text = format!("it gave the schema of its build: {kind} {version}, {plugins} plugins");
        self.stream.publish(vec![Event { at: self.now(), kind: EventKind::Schema, agent: uid, text }]);
        true
    }

    fn used_schemas(&self) -> BTreeSet<SchemaHash> {
        let mut used = BTreeSet::new();
        self.registry.for_each(|entry| used.extend(self.schema_hash(&entry.agent)));
        used
    }

    /// Agents that poll do not tell their build again only because the server was restarted.
    pub(super) fn want_schemas_of_polling_agents(&self) {
        let polls = |agent: &Agent| matches!(agent.link, Link::Up { .. });
        self.registry.for_each(|entry| {
            if polls(&entry.agent) {
                self.want_schema(&entry.agent);
            }
        });
    }

    /// Gives up a transfer that has stalled, begins the next one, and tells the connection of an agent that is to be
    /// asked.
    pub(crate) fn gather_schemas(&self) -> String {
        let now = self.now();
        if let Some(agent) = self.schemas.gather(|gathering| gathering.give_up(now)) {
            self.metrics.schemas_refused.inc();
            tracing::info!(%agent, "an agent fell silent over the schema of its build");
        }
        let able = |entry: &Entry| matches!(entry.agent.link, Link::Up { .. }) && gives_schemas(&entry.agent);
        let waits_for = self.schemas.gather(|gathering| gathering.waits_for());
        if let Some(agent) = waits_for.filter(|agent| self.registry.look(agent, able) != Some(true)) {
            self.schemas.gather(|gathering| gathering.left(&agent));
        }
        for _ in 0..MAX_TRIED {
            let Some(agent) = self.schemas.gather(|gathering| gathering.begin(now)) else { break };
            if self.registry.look(&agent, able) == Some(true) {
                break;
            }
            self.schemas.gather(|gathering| gathering.left(&agent));
        }
        if let Some(agent) = self.schemas.gather(|gathering| gathering.due()) {
            // Its next heartbeat or poll is no longer one that nothing waits for.
            self.registry.with(&agent, |_| ());
            self.nudge(&agent);
        }
        let (held, wanted) =
            (self.schemas.library.read().all().count(), self.schemas.gathering.lock().wanted());
        format!("{held} held, {wanted} wanted")
    }
}

fn gives_schemas(agent: &Agent) -> bool {
    agent.custom_capabilities().iter().any(|name| name == SCHEMA)
}

//! The state that every part of the server works on.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tidegate_fleet::agent::Limits;
use tidegate_fleet::offer::{self, Profile};
use tidegate_fleet::settings::{Rules, Terms};
use tidegate_fleet::{Push, PushId, Timestamp};
use tidegate_opamp::{InstanceUid, Message, ServerCapabilities};
use tidegate_store::{History, Snapshot, Store};

use super::pace::Pace;
use super::settings::FleetSettings;
use super::{
    Bodies, Components, Connection, ConnectionId, Entry, Flow, Identities, Index, Operations, Parting, Peer,
    Registry, Schemas, Stream, Wheel,
};
use crate::telemetry::Metrics;

/// Agents that are asked for their full state a second after a crash (ruling A16).
const FULL_STATES_PER_SECOND: u32 = 500;

/// Most threads that a start takes.
const MAX_WORKERS: usize = 8;

/// What can be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    /// The interval in which agents are expected to speak.
    pub(crate) heartbeat_interval: Duration,
    /// Largest message, in bytes.
    pub(crate) max_message_bytes: usize,
    /// Most agents that are kept.
    pub(crate) max_agents: usize,
}

/// The state that every part of the server works on.
pub(crate) struct Core {
    pub(crate) registry: Registry,
    /// Follows the registry: told of every change by [`Core::changed`], of every other message by `touch`.
    pub(crate) index: Index,
    pub(crate) stream: Stream,
    pub(crate) store: Arc<dyn Store>,
    /// The past of agents' metrics, where it is kept.
    pub(crate) history: Option<Arc<dyn History>>,
    pub(crate) profile: Profile,
    /// What an agent is told at a poll that changes nothing, behind its uid.
    pub(super) introduction: Box<[u8]>,
    pub(crate) settings: FleetSettings,
    pub(crate) limits: Limits,
    pub(crate) options: Options,
    pub(crate) metrics: Metrics,
    /// How many messages came lately.
    pub(crate) flow: Flow,
    pub(crate) started: Timestamp,
    pub(crate) bodies: Bodies,
    pub(crate) components: Components,
    pub(crate) schemas: Schemas,
    pub(super) identities: Identities,
    pub(super) wheel: Mutex<Wheel<InstanceUid>>,
    pub(crate) pushes: Mutex<BTreeMap<PushId, Push>>,
    /// Held from the commit of a push until it is true in memory, so that both have the same last one.
    pub(crate) pushing: tokio::sync::Mutex<()>,
    /// Held from the reading of labels until their change is true in memory.
    pub(crate) labelling: tokio::sync::Mutex<()>,
    pub(crate) operations: Mutex<Operations>,
    pub(super) full_state_pace: Pace,
    connections: AtomicU64,
}

impl Core {
    /// The state that a store holds.
    pub(crate) fn new(
        store: Arc<dyn Store>,
        history: Option<Arc<dyn History>>,
        snapshot: Snapshot,
        options: Options,
        terms: Terms,
    ) -> Self {
        let settings =
            FleetSettings::new(terms, Rules::new(snapshot.settings_rules.into_iter().map(Arc::new)));
        let registry = Registry::new(options.max_agents);
        let bodies = Bodies::default();
        let index = Index::new();
        let mut labels = snapshot.labels;
        let agents = snapshot.agents.into_iter().map(|mut agent| {
            agent.labels = labels.remove(&agent.uid).into_iter().flatten().collect();
            agent
        });
        on_all_cores(agents, |mut agent| {
            agent.share_bodies(|body| bodies.share(body));
            let last_seen = agent.last_seen;
            settings.settle(&mut agent, last_seen);
            index.update(&agent);
            registry.insert(Entry { stored: true, ..Entry::new(agent) });
        });
        for command in snapshot.commands {
            let agent = command.agent;
            registry.with(&agent, |entry| entry.commands.push_back(command));
        }
        let pushes = snapshot.pushes.into_iter().map(|push| (push.id.clone(), push)).collect();
        let profile = Profile {
            capabilities: ServerCapabilities::ACCEPTS_STATUS
                .with(ServerCapabilities::OFFERS_REMOTE_CONFIG)
                .with(ServerCapabilities::ACCEPTS_EFFECTIVE_CONFIG)
                .with(ServerCapabilities::OFFERS_CONNECTION_SETTINGS),
            custom_capabilities: tidegate_custom::catalogue()
                .iter()
                .map(|known| known.name.to_owned())
                .collect(),
        };
        let core = Self {
            registry,
            index,
            stream: Stream::new(snapshot.events, snapshot.clean),
            store,
            history,
            introduction: offer::introduction(&profile).encode_to_vec().into(),
            profile,
            settings,
            limits: Limits::default(),
            options,
            metrics: Metrics::new(),
            flow: Flow::default(),
            started: clock(),
            bodies,
            components: Components::new(snapshot.components),
            schemas: Schemas::new(snapshot.schemas),
            identities: Identities::new(snapshot.aliases),
            wheel: Mutex::new(Wheel::new()),
            pushes: Mutex::new(pushes),
            pushing: tokio::sync::Mutex::new(()),
            labelling: tokio::sync::Mutex::new(()),
            operations: Mutex::default(),
            full_state_pace: Pace::new(FULL_STATES_PER_SECOND),
            connections: AtomicU64::new(0),
        };
        core.schedule_all();
        core.want_schemas_of_polling_agents();
        core
    }

    /// The server's wall clock.
    #[expect(clippy::unused_self, reason = "whoever reads the clock has the core")]
    pub(crate) fn now(&self) -> Timestamp {
        clock()
    }

    /// A new id: a UUID of version 7.
    pub(crate) fn new_id(&self) -> String {
        let mut random = [0; 10];
        // Without randomness the time alone must do; ids are not secrets.
        let _ = getrandom::fill(&mut random);
        InstanceUid::v7(self.now().0, random).to_string()
    }

    /// A new connection.
    pub(crate) fn open_connection(&self, peer: Peer) -> Arc<Connection> {
        self.metrics.connections.inc();
        Arc::new(Connection::new(ConnectionId(self.connections.fetch_add(1, Ordering::Relaxed)), peer))
    }

    /// A connection is gone: the agents that still speak through it are disconnected, or will come again after a
    /// visit. One that has come back on another since is left alone (OpAMP S190).
    pub(crate) fn close_connection(
        &self,
        connection: &Connection,
        uids: impl IntoIterator<Item = InstanceUid>,
        parting: Parting,
    ) {
        self.metrics.connections.dec();
        let now = self.now();
        let uids = uids.into_iter().map(|uid| connection.renamed(&uid).unwrap_or(uid));
        for uid in uids {
            let event = self.registry.with(&uid, |entry| {
                if entry.connection.as_ref().is_none_or(|current| current.id != connection.id) {
                    return None;
                }
                entry.connection = None;
                entry.dirty = true;
                if parting == Parting::Visit {
                    tidegate_fleet::session::visited(&mut entry.agent);
                    return None;
                }
                tidegate_fleet::session::disconnected(&mut entry.agent, now)
            });
            self.reindex(&uid);
            if let Some(event) = event.flatten() {
                self.stream.publish(vec![event]);
                self.stream.changed(uid);
            }
        }
    }

    /// Something of an agent changed: the index and those who follow learn of it.
    pub(crate) fn changed(&self, uid: InstanceUid) {
        self.reindex(&uid);
        self.stream.changed(uid);
    }

    fn reindex(&self, uid: &InstanceUid) {
        self.registry.look(uid, |entry| self.index.update(&entry.agent));
    }

    /// Tells the connection of an agent, where it has one, that something waits for it.
    pub(crate) fn nudge(&self, uid: &InstanceUid) {
        if let Some(Some(connection)) = self.registry.look(uid, |entry| entry.connection.clone()) {
            connection.nudge(*uid);
        }
    }
}

/// The one place where the clock is read.
fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Does something with each item, on as many threads as there are cores: with 100,000 agents a start takes half as long.
fn on_all_cores<T>(items: impl Iterator<Item = T> + Send, work: impl Fn(T) + Sync) {
    /// Few enough that the threads end together, many enough that they do not wait for each other.
    const BATCH: usize = 64;
    let items = Mutex::new(items);
    let batch = || items.lock().by_ref().take(BATCH).collect::<Vec<_>>();
    let worker = || {
        loop {
            let batch = batch();
            if batch.is_empty() {
                break;
            }
            batch.into_iter().for_each(&work);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        // Where no thread can be had, this one does the work.
        (1..cores.min(MAX_WORKERS))
            .for_each(|_| drop(std::thread::Builder::new().spawn_scoped(scope, worker)));
        worker();
    });
}

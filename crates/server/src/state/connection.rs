//! An open connection, as the rest of the server sees it: something that can be nudged.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_opamp::InstanceUid;
use tokio::sync::Notify;

/// Tells connections of one server run apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ConnectionId(pub(crate) u64);

/// How a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parting {
    /// It is gone, and its agents with it.
    Gone,
    /// It was opened for one message and closed in order.
    Visit,
}

/// Who is at the other end of a connection.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    /// Where it connects from.
    pub(crate) address: IpAddr,
    /// The name of the credential that it showed, where agents show one.
    pub(crate) credential: Option<Arc<str>>,
    /// The URL by which it came, where it named one.
    pub(crate) reached: Option<Arc<str>>,
}

/// The agents of one socket that have something waiting. Nudges for one agent fall together, so a connection never
/// holds more of them than it has agents.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) peer: Peer,
    waiting: Mutex<BTreeSet<InstanceUid>>,
    /// Agents on it that share their uid with another, and the uid that each was given; nearly always none.
    renamed: Mutex<BTreeMap<InstanceUid, InstanceUid>>,
    wake: Notify,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, peer: Peer) -> Self {
        Self { id, peer, waiting: Mutex::default(), renamed: Mutex::default(), wake: Notify::new() }
    }

    /// The uid that the agent was given that speaks here under `uid`.
    pub(crate) fn renamed(&self, uid: &InstanceUid) -> Option<InstanceUid> {
        self.renamed.lock().get(uid).copied()
    }

    /// Notes that the agent that speaks here under `uid` has another, made by `new` when it has none yet.
    pub(crate) fn rename(&self, uid: InstanceUid, new: impl FnOnce() -> InstanceUid) -> InstanceUid {
        *self.renamed.lock().entry(uid).or_insert_with(new)
    }

    /// Something waits for an agent of this connection.
    pub(crate) fn nudge(&self, uid: InstanceUid) {
        self.waiting.lock().insert(uid);
        self.wake.notify_one();
    }

    /// Waits for nudges; safe to cancel.
    pub(crate) async fn nudged(&self) {
        self.wake.notified().await;
    }

    /// The agents that were nudged since the last call.
    pub(crate) fn take_nudged(&self) -> BTreeSet<InstanceUid> {
        std::mem::take(&mut self.waiting.lock())
    }
}

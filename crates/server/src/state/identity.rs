//! Who a message is from: agents that are given another uid, and agents that share one (OpAMP S056–S063, rulings A7
//! and A12).

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tidegate_fleet::agent::Sequence;
use tidegate_fleet::offer::Occasion;
use tidegate_fleet::{Event, EventKind, Timestamp};
use tidegate_opamp::InstanceUid;
use tidegate_store::{Alias, Transaction, Write};

use super::hash::FastHash;
use super::{Connection, Core, Entry};

/// Uids that are kept at most of agents that were given another: clients keep to the old one for a while.
const MAX_ALIASES: usize = 100_000;

/// Uids that were given away.
#[derive(Debug, Default)]
pub(crate) struct Identities(Mutex<Given>);

#[derive(Debug, Default)]
struct Given {
    /// New uids that nobody has used yet, with the uid of the agent that each was given to.
    claims: HashMap<InstanceUid, InstanceUid, FastHash>,
    /// Old uids of agents that use their new one.
    aliases: HashMap<InstanceUid, InstanceUid, FastHash>,
}

/// What a message on another socket than the agent's present one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meeting {
    /// The agent came back, or moved: this socket is its own from now on.
    Moved,
    /// Two agents share the uid; the one on the other socket came later.
    OtherIsLater,
    /// Two agents share the uid; this one came later.
    ThisIsLater,
}

impl Identities {
    pub(super) fn new(aliases: Vec<Alias>) -> Self {
        let identities = Self::default();
        for alias in aliases {
            identities.renamed(alias.old, alias.new);
        }
        identities
    }

    fn claim(&self, new: InstanceUid, of: InstanceUid) {
        self.0.lock().claims.insert(new, of);
    }

    fn renamed(&self, old: InstanceUid, new: InstanceUid) {
        let mut given = self.0.lock();
        given.claims.remove(&new);
        if given.aliases.len() >= MAX_ALIASES {
            given.aliases.clear();
        }
        given.aliases.insert(old, new);
    }
}

impl Core {
    /// The uid under which a message is taken that came under `wire`; carries out what follows from its being there.
    pub(super) async fn identify(
        self: &Arc<Self>,
        wire: InstanceUid,
        sequence_num: u64,
        connection: Option<&Arc<Connection>>,
        occasion: Occasion,
    ) -> InstanceUid {
        if let Some(new) = connection.and_then(|connection| connection.renamed(&wire)) {
            return new;
        }
        let meeting = self.registry.look(&wire, |entry| meet(entry, sequence_num, connection, occasion));
        match (meeting, connection) {
            (None, _) => self.of_old(wire).await,
            (Some(None | Some((Meeting::Moved, _))), _) | (Some(_), None) => wire,
            (Some(Some((Meeting::ThisIsLater, _))), Some(connection)) => self.tell_apart(wire, connection),
            (Some(Some((Meeting::OtherIsLater, other))), Some(_)) => {
                self.tell_apart(wire, &other);
                other.nudge(wire);
                wire
            }
        }
    }

    /// A uid that is not known: one that was given to an agent and is used for the first time, or one of before.
    async fn of_old(self: &Arc<Self>, wire: InstanceUid) -> InstanceUid {
        let (claimed, alias) = {
            let given = self.identities.0.lock();
            (given.claims.get(&wire).copied(), given.aliases.get(&wire).copied())
        };
        let known = |uid: &InstanceUid| self.registry.look(uid, |_| ()).is_some();
        match (claimed, alias) {
            (Some(old), _) => {
                // In a task of its own: a client that leaves meanwhile must not leave half of it done.
                let core = Arc::clone(self);
                if tokio::spawn(async move { core.rename(old, wire).await }).await.is_err() {
                    tracing::error!(%old, new = %wire, "an agent's uid could not be changed");
                }
                wire
            }
            (None, Some(new)) if known(&new) => new,
            _ => wire,
        }
    }

    /// Moves all that is known of an agent to its new uid: number, config, commands, labels.
    async fn rename(&self, old: InstanceUid, new: InstanceUid) {
        self.identities.renamed(old, new);
        let now = self.now();
        let Some(mut entry) = self.registry.remove_if(&old, |_| true) else {
            return;
        };
        self.index.remove(&old);
        entry.agent.uid = new;
        entry.agent.assigned_uid = None;
        entry.commands.iter_mut().for_each(|command| command.agent = new);
        entry.wheel_second = 0;
        entry.dirty = true;
        self.index.update(&entry.agent);
        self.registry.insert(entry);
        self.registry.with(&new, |entry| self.schedule(entry));
        let alias = Alias { old, new, since: now };
        if let Err(error) = self.store.commit(Transaction::observed(vec![Write::Rename(alias)])).await {
            tracing::error!(%old, %new, %error, "a change of uid could not be stored");
        }
        self.settings_follow(old, new).await;
        let text = format!("its uid was {old} before");
        self.stream.publish(vec![Event { at: now, kind: EventKind::Connection, agent: new, text }]);
        self.stream.changed(old);
        self.changed(new);
    }

    /// Gives the agent on `connection`, which shares its uid with another, a uid of its own. The same one each time.
    fn tell_apart(&self, shared: InstanceUid, connection: &Connection) -> InstanceUid {
        let new = connection.rename(shared, || self.new_uid());
        let text = format!("another agent speaks under the same instance_uid; it was given {new}");
        let event = Event { at: self.now(), kind: EventKind::Connection, agent: shared, text };
        self.stream.publish(vec![event]);
        self.metrics.duplicates.inc();
        new
    }

    /// Gives an agent that asks for one a uid; the same one until it uses it (OpAMP S058).
    pub(super) fn assign_uid(&self, entry: &mut Entry) {
        if entry.agent.assigned_uid.is_none() {
            let new = self.new_uid();
            entry.agent.assigned_uid = Some(new);
            self.identities.claim(new, entry.agent.uid);
        }
    }

    fn new_uid(&self) -> InstanceUid {
        let mut random = [0; 10];
        // Without randomness the time alone must do: a uid that is taken is told apart again.
        let _ = getrandom::fill(&mut random);
        let Timestamp(now) = self.now();
        InstanceUid::v7(now, random)
    }
}

/// Judges a message for an agent that another socket holds; `None` where none does. Sockets of different credentials
/// never share a uid; of the same credential, a number that goes on, or a socket that is newer, is the agent come back
/// (S063); an older socket that had carried it and speaks again beside a newer one is a second agent (S060).
fn meet(
    entry: &Entry,
    sequence_num: u64,
    connection: Option<&Arc<Connection>>,
    occasion: Occasion,
) -> Option<(Meeting, Arc<Connection>)> {
    let (here, held) = (connection?, entry.connection.as_ref()?);
    if here.id == held.id {
        return None;
    }
    let goes_on = match entry.agent.sequence {
        Sequence::Exact(last) => sequence_num == last || sequence_num == last.wrapping_add(1),
        Sequence::Unknown | Sequence::AtLeast(_) => true,
    };
    let is_newer = here.id.0 > held.id.0;
    let carried_it = occasion != Occasion::Introduction;
    let same = here.peer.credential == held.peer.credential;
    let meeting = match (same, is_newer) {
        (false, true) => Meeting::ThisIsLater,
        (false, false) => Meeting::OtherIsLater,
        (true, false) if carried_it && !goes_on => Meeting::OtherIsLater,
        (true, _) => Meeting::Moved,
    };
    Some((meeting, Arc::clone(held)))
}

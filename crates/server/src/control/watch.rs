//! Following the fleet.

use std::collections::{BTreeSet, VecDeque, btree_set};
use std::sync::Arc;
use std::time::Duration;

use tidegate_fleet::query::Query;
use tidegate_fleet::{Action, Actor, Event, Scope, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::StoredEvent;
use tokio::time::Instant;

use super::agents::AgentView;
use super::{Control, ControlError};
use crate::state::Follower;

/// Changes of one agent within this time are told once.
const COALESCE: Duration = Duration::from_millis(250);

/// Events that are made ready at once; the others stay in the log until their turn comes.
const BATCH: usize = 256;

/// What a watcher is told.
#[derive(Debug)]
pub(crate) enum Seen {
    Added(Box<AgentView>),
    Modified(Box<AgentView>),
    /// It is not there any more, or does not match any more.
    Removed(InstanceUid),
    /// An event, its number, and the name of its agent.
    Happened(StoredEvent, String),
    Bookmark(u64),
    Resync,
}

/// A follower of the agents that match a query, of the events, or of both.
pub(crate) struct Watcher {
    control: Control,
    actor: Actor,
    query: Query,
    agents: bool,
    events: bool,
    /// The only agents that are told of, where some are named.
    only: Option<BTreeSet<InstanceUid>>,
    follower: Arc<Follower>,
    /// The agents of the present state that are still to be told: each is made ready when its turn has come.
    initial: std::vec::IntoIter<InstanceUid>,
    ready: VecDeque<Seen>,
    /// The agents that it was told of, and not that they left.
    shown: BTreeSet<InstanceUid>,
    /// The changed agents that are being told.
    telling: btree_set::IntoIter<InstanceUid>,
    /// When those that changed meanwhile are told.
    due: Option<Instant>,
    /// The number of the last event that is told already.
    told: u64,
    over: bool,
}

impl Control {
    /// The newest events, or the newest before one that has a number, oldest first.
    pub(crate) fn events(
        &self,
        actor: &Actor,
        query: &str,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Vec<(StoredEvent, String)>, ControlError> {
        let query = Self::query(actor, Action::Read, query)?;
        let mut events: Vec<_> = self.core.stream.newest(usize::MAX);
        events.retain(|stored| before.is_none_or(|before| stored.number < before));
        events.reverse();
        let named = |stored: StoredEvent| Some((self.named(actor, &query, &stored.event)?, stored));
        let mut events: Vec<_> =
            events.into_iter().filter_map(named).map(|(name, e)| (e, name)).take(limit).collect();
        events.reverse();
        Ok(events)
    }

    /// Follows the fleet from its present state on, or from the event after `since`.
    pub(crate) async fn watch(
        &self,
        actor: &Actor,
        query: &str,
        agents: bool,
        events: bool,
        since: Option<u64>,
        only: Option<BTreeSet<InstanceUid>>,
    ) -> Result<Watcher, ControlError> {
        authorize(actor, Action::Read)?;
        let parsed = Self::query(actor, Action::Read, query)?;
        // Before the state is read, so that nothing falls between the two.
        let follower = self.core.stream.follow();
        let mut watcher = Watcher {
            control: self.clone(),
            actor: actor.clone(),
            query: parsed,
            agents,
            events,
            only,
            follower,
            initial: Vec::new().into_iter(),
            ready: VecDeque::new(),
            shown: BTreeSet::new(),
            telling: BTreeSet::new().into_iter(),
            due: None,
            told: 0,
            over: false,
        };
        if agents {
            let mut uids = self.select(actor, Action::Read, query).await?;
            uids.retain(|uid| watcher.concerns(uid));
            watcher.initial = uids.into_iter();
        }
        let (missed, last) = self.core.stream.since(since.filter(|_| events));
        watcher.told = last;
        match missed {
            Some(missed) => missed.into_iter().for_each(|stored| watcher.happened(stored)),
            None => watcher.ready.push_back(Seen::Resync),
        }
        watcher.ready.push_back(Seen::Bookmark(last));
        Ok(watcher)
    }

    /// The name of an event's agent, where the actor may see it and the query matches.
    fn named(&self, actor: &Actor, query: &Query, event: &Event) -> Option<String> {
        if actor.scope == Scope::Nothing {
            return None;
        }
        self.core.index.name_if(&event.agent, query, self.clock())
    }
}

impl Watcher {
    /// The next thing to tell; `None` when the watcher must start anew. Safe to cancel.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        loop {
            if let Some(uid) = self.initial.next() {
                match self.look(uid) {
                    Some(seen) => return Some(seen),
                    None => continue,
                }
            }
            if let Some(seen) = self.ready.pop_front() {
                return Some(seen);
            }
            if self.over {
                return None;
            }
            if let Some(uid) = self.telling.next() {
                match self.look(uid) {
                    Some(seen) => return Some(seen),
                    None => continue,
                }
            }
            // However much goes on, what changed first waits no longer than this.
            let now = Instant::now();
            if self.agents && self.due.is_none() && self.follower.has_changed() {
                self.due = Some(now + COALESCE);
            }
            if self.due.is_some_and(|due| due <= now) {
                self.due = None;
                let mut changed = self.follower.take_changed();
                changed.retain(|uid| self.concerns(uid));
                self.telling = changed.into_iter();
            } else if !self.read_on() {
                match self.due {
                    // Woken or due, it is looked at anew.
                    Some(due) => drop(tokio::time::timeout_at(due, self.follower.woken()).await),
                    None => self.follower.woken().await,
                }
            }
        }
    }

    /// Makes the next events ready; false when there are none.
    fn read_on(&mut self) -> bool {
        if !self.events {
            return false;
        }
        match self.control.core.stream.after(self.told, BATCH) {
            Some(events) if events.is_empty() => return false,
            Some(events) => {
                for stored in events {
                    self.told = stored.number;
                    self.happened(stored);
                }
            }
            None => {
                self.over = true;
                self.ready.push_back(Seen::Resync);
            }
        }
        true
    }

    fn concerns(&self, uid: &InstanceUid) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(uid))
    }

    fn happened(&mut self, stored: StoredEvent) {
        if !self.concerns(&stored.event.agent) {
            return;
        }
        if let Some(name) = self.control.named(&self.actor, &self.query, &stored.event) {
            self.ready.push_back(Seen::Happened(stored, name));
        }
    }

    /// What there is to tell of an agent as it is now.
    fn look(&mut self, uid: InstanceUid) -> Option<Seen> {
        self.follower.forget(&uid);
        let matches = self.control.core.index.name_if(&uid, &self.query, self.control.clock()).is_some();
        let view = if matches { self.control.view(&self.actor, &uid) } else { None };
        match view {
            Some(view) if self.shown.insert(uid) => Some(Seen::Added(Box::new(view))),
            Some(view) => Some(Seen::Modified(Box::new(view))),
            None => self.shown.remove(&uid).then_some(Seen::Removed(uid)),
        }
    }
}

//! Following the fleet.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tidegate_fleet::query::Query;
use tidegate_fleet::{Action, Actor, Event, Scope, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::StoredEvent;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::agents::AgentView;
use super::{Control, ControlError};
use crate::state::Notice;

/// Changes of one agent within this time are told once.
const COALESCE: Duration = Duration::from_millis(250);

/// What a watcher is told.
#[derive(Debug)]
pub(crate) enum Seen {
    Added(Box<AgentView>),
    Modified(Box<AgentView>),
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
    notices: Receiver<Notice>,
    /// The agents of the present state that are still to be told: each is made ready when its turn has come.
    initial: std::vec::IntoIter<InstanceUid>,
    ready: VecDeque<Seen>,
    shown: BTreeSet<InstanceUid>,
    changed: BTreeSet<InstanceUid>,
    /// The number of the last event that is told already.
    told: u64,
    over: bool,
}

impl Control {
    /// The newest events, oldest first.
    pub(crate) fn events(
        &self,
        actor: &Actor,
        query: &str,
        limit: usize,
    ) -> Result<Vec<(StoredEvent, String)>, ControlError> {
        let query = Self::query(actor, Action::Read, query)?;
        let mut events: Vec<_> = self.core.stream.newest(usize::MAX);
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
    ) -> Result<Watcher, ControlError> {
        authorize(actor, Action::Read)?;
        let parsed = Self::query(actor, Action::Read, query)?;
        // Subscribed before the state is read, so that nothing falls between the two.
        let notices = self.core.stream.subscribe();
        let mut watcher = Watcher {
            control: self.clone(),
            actor: actor.clone(),
            query: parsed,
            agents,
            events,
            notices,
            initial: Vec::new().into_iter(),
            ready: VecDeque::new(),
            shown: BTreeSet::new(),
            changed: BTreeSet::new(),
            told: 0,
            over: false,
        };
        if agents {
            let uids = self.select(actor, Action::Read, query).await?;
            watcher.shown.extend(&uids);
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
                match self.control.view(&self.actor, &uid) {
                    Some(view) => return Some(Seen::Added(Box::new(view))),
                    None => continue,
                }
            }
            if let Some(seen) = self.ready.pop_front() {
                return Some(seen);
            }
            if self.over {
                return None;
            }
            let notice = if self.changed.is_empty() {
                self.notices.recv().await
            } else {
                match tokio::time::timeout(COALESCE, self.notices.recv()).await {
                    Ok(notice) => notice,
                    Err(_) => {
                        self.tell_changed();
                        continue;
                    }
                }
            };
            match notice {
                Ok(Notice::Event(stored)) if self.events && stored.number > self.told => {
                    self.happened(stored);
                }
                Ok(Notice::Agent(uid)) if self.agents => {
                    self.changed.insert(uid);
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    self.over = true;
                    self.ready.push_back(Seen::Resync);
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    fn happened(&mut self, stored: StoredEvent) {
        if let Some(name) = self.control.named(&self.actor, &self.query, &stored.event) {
            self.ready.push_back(Seen::Happened(stored, name));
        }
    }

    fn tell_changed(&mut self) {
        let clock = self.control.clock();
        for uid in std::mem::take(&mut self.changed) {
            let Some(view) = self.control.view(&self.actor, &uid) else {
                continue;
            };
            let known = self.shown.contains(&uid);
            if known || self.control.core.index.name_if(&uid, &self.query, clock).is_some() {
                self.shown.insert(uid);
                let view = Box::new(view);
                self.ready.push_back(if known { Seen::Modified(view) } else { Seen::Added(view) });
            }
        }
    }
}

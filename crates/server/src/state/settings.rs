//! Connection settings in memory: the rules, and what they come to for each agent. Agents that get the same share it,
//! and it is worked out again only when a rule or an agent changes, never on a heartbeat.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tidegate_fleet::settings::{Resolved, Rules, Target, Terms};
use tidegate_fleet::{Agent, Timestamp};
use tidegate_opamp::InstanceUid;

use super::Core;

/// URLs of this server that are kept once for all agents that came by them.
const MAX_URLS: usize = 1024;

/// Agents that are told about without a pause.
const BREATHER: usize = 500;

/// Rules, with what each set of them comes to.
#[derive(Debug, Default)]
struct Book {
    rules: Rules,
    resolved: Mutex<HashMap<Vec<usize>, Arc<Resolved>>>,
}

/// The connection settings of the fleet.
#[derive(Debug)]
pub(crate) struct FleetSettings {
    terms: Terms,
    book: RwLock<Arc<Book>>,
    urls: Mutex<HashSet<Arc<str>>>,
    /// Held from the check of a rule's revision until the rule is true in memory.
    pub(crate) writing: tokio::sync::Mutex<()>,
}

impl FleetSettings {
    pub(crate) fn new(terms: Terms, rules: Rules) -> Self {
        let book = Book { rules, resolved: Mutex::default() };
        Self {
            terms,
            book: RwLock::new(Arc::new(book)),
            urls: Mutex::default(),
            writing: tokio::sync::Mutex::new(()),
        }
    }

    /// The rules as they are now.
    pub(crate) fn rules(&self) -> Rules {
        self.book.read().rules.clone()
    }

    /// One copy of a URL by which agents came.
    pub(crate) fn url(&self, url: &str) -> Arc<str> {
        let mut urls = self.urls.lock();
        if let Some(known) = urls.get(url) {
            return Arc::clone(known);
        }
        let new: Arc<str> = url.into();
        if urls.len() < MAX_URLS {
            urls.insert(Arc::clone(&new));
        }
        new
    }

    /// Works out an agent's settings; true when it may have to be told.
    pub(crate) fn settle(&self, agent: &mut Agent, now: Timestamp) -> bool {
        let book = Arc::clone(&self.book.read());
        if book.rules.is_empty() && agent.settings.is_none() {
            return false;
        }
        let interval = std::time::Duration::from_secs(self.terms.interval_seconds.into());
        let places = book.rules.matching(agent, now, interval);
        let mut resolved = book.resolved.lock();
        let result = match resolved.get(&places) {
            Some(known) => Arc::clone(known),
            None => {
                let new = Arc::new(Resolved::of(book.rules.at(&places), &self.terms));
                resolved.insert(places, Arc::clone(&new));
                new
            }
        };
        drop(resolved);
        agent.settle(&result)
    }
}

impl Core {
    /// Makes rules true in memory, and has the agents told whose settings they change; returns how many those are.
    pub(crate) async fn apply_settings(&self, rules: Rules) -> usize {
        let book = Book { rules, resolved: Mutex::default() };
        *self.settings.book.write() = Arc::new(book);
        let now = self.now();
        let mut changed = Vec::new();
        self.registry.work_on_each(|entry| {
            if self.settings.settle(&mut entry.agent, now) {
                // Its next heartbeat is answered with what is new to tell.
                entry.settled = false;
                changed.push(entry.agent.uid);
            }
        });
        for (index, uid) in changed.iter().enumerate() {
            if index % BREATHER == BREATHER - 1 {
                // Followers of the fleet must get their turn before the log has gone past them.
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            self.nudge(uid);
            self.stream.changed(*uid);
        }
        changed.len()
    }

    /// An agent's uid was changed: the rules for it alone follow it, in memory as in the store.
    pub(super) async fn settings_follow(&self, old: InstanceUid, new: InstanceUid) {
        let _writing = self.settings.writing.lock().await;
        let rules = self.settings.rules();
        if rules.by_name().values().any(|rule| rule.target == Target::Agent(old)) {
            self.apply_settings(rules.renamed(old, new)).await;
        }
    }
}

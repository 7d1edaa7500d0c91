//! What the server acknowledged, and what agents received, over every kill.

use std::collections::{HashMap, HashSet};

use parking_lot::Mutex;

/// A push that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Pushed {
    pub(super) id: String,
    pub(super) config: String,
    pub(super) targets: Vec<String>,
}

/// A command that was acknowledged.
#[derive(Clone, Debug)]
pub(super) struct Ordered {
    pub(super) id: String,
    pub(super) agent: String,
}

/// Acts of one life of the server, and what must be known beyond it.
#[derive(Debug, Default)]
pub(super) struct Acts {
    /// Pushes of this life, oldest first.
    pub(super) pushes: Vec<Pushed>,
    /// A push was under way when the server was killed: it may have come in, or not.
    pub(super) push_in_flight: bool,
    /// Commands of this life, oldest first.
    pub(super) commands: Vec<Ordered>,
    /// The push that each agent is under, by uid.
    pub(super) under: HashMap<String, String>,
    /// How often each command was received by its agent, over all lives.
    pub(super) received: HashMap<String, u32>,
    /// Commands whose answer was acknowledged.
    pub(super) answered: HashSet<String>,
    /// The last config status of each agent that was acknowledged, and the last that was sent.
    pub(super) status_acknowledged: HashMap<String, String>,
    pub(super) status_sent: HashMap<String, String>,
    counts: Counts,
}

#[derive(Debug, Default)]
struct Counts {
    pushes: usize,
    commands: usize,
    answers: usize,
    statuses: usize,
}

/// What agents and operators write down.
#[derive(Debug, Default)]
pub(super) struct Ledger(Mutex<Acts>);

impl Ledger {
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Acts) -> T) -> T {
        work(&mut self.0.lock())
    }

    pub(super) fn pushed(&self, push: Pushed) {
        self.with(|acts| {
            for agent in &push.targets {
                acts.under.insert(agent.clone(), push.id.clone());
            }
            acts.counts.pushes += 1;
            acts.push_in_flight = false;
            acts.pushes.push(push);
        });
    }

    pub(super) fn ordered(&self, command: Ordered) {
        self.with(|acts| {
            acts.counts.commands += 1;
            acts.commands.push(command);
        });
    }

    pub(super) fn received(&self, command: &str) {
        self.with(|acts| *acts.received.entry(command.to_owned()).or_default() += 1);
    }

    pub(super) fn answered(&self, command: String) {
        self.with(|acts| {
            acts.counts.answers += 1;
            acts.answered.insert(command);
        });
    }

    pub(super) fn status_sent(&self, agent: &str, hash: &str) {
        self.with(|acts| acts.status_sent.insert(agent.to_owned(), hash.to_owned()));
    }

    pub(super) fn status_acknowledged(&self, agent: &str, hash: String) {
        self.with(|acts| {
            acts.counts.statuses += 1;
            acts.status_acknowledged.insert(agent.to_owned(), hash);
        });
    }

    pub(super) fn told(&self) -> String {
        self.with(|acts| {
            let Counts { pushes, commands, answers, statuses } = &acts.counts;
            let received = acts.received.len();
            format!(
                "acknowledged {pushes} pushes, {commands} commands, {answers} answers, {statuses} config statuses; \
                 {received} commands received"
            )
        })
    }

    /// True when every kind of act was acknowledged.
    pub(super) fn is_worth_something(&self) -> bool {
        self.with(|acts| {
            let Counts { pushes, commands, answers, statuses } = acts.counts;
            [pushes, commands, answers, statuses].iter().all(|count| *count > 0)
        })
    }
}

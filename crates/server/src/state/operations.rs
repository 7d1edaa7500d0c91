//! Acts on many agents at once, and what came of each.

use std::collections::VecDeque;

use tidegate_fleet::{Actor, Timestamp};
use tidegate_opamp::InstanceUid;

/// Operations that are kept in memory; they do not outlive the server's run.
const KEPT: usize = 100;

/// An act on the agents that matched a query.
#[derive(Clone, Debug)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) kind: &'static str,
    pub(crate) query: String,
    pub(crate) actor: String,
    pub(crate) at: Timestamp,
    pub(crate) targets: Vec<Target>,
}

/// One agent of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) uid: InstanceUid,
    pub(crate) name: String,
    pub(crate) outcome: Outcome,
}

/// What came of an act on one agent.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// It is done; the text says so where there is more to say.
    Done(String),
    /// It was not done, and why.
    Refused(String),
}

/// The operations of this run.
#[derive(Debug, Default)]
pub(crate) struct Operations {
    newest: VecDeque<Operation>,
}

impl Operations {
    /// The operation of an id.
    pub(crate) fn get(&self, id: &str) -> Option<&Operation> {
        self.newest.iter().find(|operation| operation.id == id)
    }

    pub(crate) fn keep(&mut self, operation: Operation) {
        self.newest.push_front(operation);
        self.newest.truncate(KEPT);
    }
}

impl Operation {
    pub(crate) fn new(id: String, kind: &'static str, query: &str, actor: &Actor, at: Timestamp) -> Self {
        Self { id, kind, query: query.to_owned(), actor: actor.name.clone(), at, targets: Vec::new() }
    }
}

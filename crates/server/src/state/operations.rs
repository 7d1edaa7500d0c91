//! Acts on many agents at once, and what came of each.

use std::collections::VecDeque;

use tidegate_fleet::{Actor, Command, CommandId, CommandState, Timestamp};
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
    /// A command was queued, and has come so far.
    Commanded(Commanded),
}

/// How far a command of an operation has come.
#[derive(Clone, Debug)]
pub(crate) struct Commanded {
    pub(crate) id: CommandId,
    pub(crate) state: CommandState,
    pub(crate) ended: bool,
    pub(crate) reason: String,
}

impl From<&Command> for Commanded {
    fn from(command: &Command) -> Self {
        Self {
            id: command.id.clone(),
            state: command.state,
            ended: command.has_ended(),
            reason: command.outcome.as_ref().map(|outcome| outcome.detail.clone()).unwrap_or_default(),
        }
    }
}

impl Commanded {
    /// One that its agent does not have any more: only what has ended is forgotten.
    pub(crate) fn forgotten(&self) -> Self {
        let reason = "it has ended; how is kept no longer".to_owned();
        Self { id: self.id.clone(), state: CommandState::Unknown, ended: true, reason }
    }
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

//! Everything a server needs to go on where the one before stopped.

use std::collections::HashMap;

use tidegate_fleet::schemas::Schema;
use tidegate_fleet::settings::Rule;
use tidegate_fleet::{Agent, Command, Event, Push};
use tidegate_opamp::InstanceUid;

use crate::{Alias, KnownComponents, Labels, Revision};

/// An event with its place in the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number; rises by one.
    pub number: u64,
    /// The event.
    pub event: Event,
}

/// The whole state of a store.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// The last transaction that is in it.
    pub revision: Revision,
    /// True when the server before ended in order, so that sequence numbers are exact.
    pub clean: bool,
    /// Every agent, with the config it should run.
    pub agents: Vec<Agent>,
    /// Every command that has not ended, and the newest that have.
    pub commands: Vec<Command>,
    /// The newest pushes.
    pub pushes: Vec<Push>,
    /// The newest events, oldest first.
    pub events: Vec<StoredEvent>,
    /// What operators say of agents, by uid; an agent without labels is not in it.
    pub labels: HashMap<InstanceUid, Labels>,
    /// Uids that agents had before, oldest first.
    pub aliases: Vec<Alias>,
    /// The rules for connection settings, in order of name.
    pub settings_rules: Vec<Rule>,
    /// The builds whose components are known, oldest first.
    pub components: Vec<KnownComponents>,
    /// The schemas of builds that are held, in order of their hashes.
    pub schemas: Vec<Schema>,
}

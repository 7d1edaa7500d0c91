//! Looking at agents.

use tidegate_fleet::agent::axes::{self, Attention, Axis, ConfigState, Connection, Health, Proof};
use tidegate_fleet::query::facts::Facts;
use tidegate_fleet::{Action, Actor, Agent};
use tidegate_opamp::{AvailableComponents, InstanceUid};

use super::{Control, ControlError};
use crate::state::{Core, Entry};

/// An agent as it is at one moment, with its axes worked out.
#[derive(Debug)]
pub(crate) struct AgentView {
    pub(crate) agent: Agent,
    pub(crate) connection: Axis<Connection>,
    pub(crate) health: Axis<Health>,
    pub(crate) config: Axis<ConfigState>,
    pub(crate) proof: Option<Proof>,
    pub(crate) attention: (Attention, String),
    /// What its build can run; by its hash where it reports no more.
    pub(crate) available: Option<AvailableComponents>,
}

impl AgentView {
    pub(super) fn of(core: &Core, agent: &Agent) -> Self {
        let connection = axes::connection(agent, core.now(), core.options.heartbeat_interval);
        let health = axes::health(agent);
        let (config, proof) = axes::config(agent);
        let attention = axes::attention(&connection, &health, &config);
        let available = agent.reported().available_components.as_ref().map(|fact| {
            let reported = fact.get();
            if reported.components.is_empty() {
                core.components.list(&reported.hash).unwrap_or(reported)
            } else {
                reported
            }
        });
        Self { agent: agent.clone(), connection, health, config, proof, attention, available }
    }
}

/// A page of agents.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) agents: Vec<AgentView>,
    /// The agent after which the next page begins, when there is one.
    pub(crate) next: Option<InstanceUid>,
    pub(crate) total: usize,
}

impl Control {
    /// The agents that match a query, in order of uid, from the one after `after`.
    pub(crate) fn list_agents(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<InstanceUid>,
        limit: usize,
    ) -> Result<Page, ControlError> {
        let mut uids = self.select(actor, Action::Read, query)?;
        uids.sort_unstable();
        let total = uids.len();
        let from = after.map_or(0, |after| uids.partition_point(|uid| *uid <= after));
        let page = &uids[from..];
        let next = if page.len() > limit { page.get(limit.wrapping_sub(1)).copied() } else { None };
        let agents = page.iter().take(limit).filter_map(|uid| self.view(actor, uid)).collect();
        Ok(Page { agents, next, total })
    }

    /// One agent.
    pub(crate) fn agent(&self, actor: &Actor, uid: &InstanceUid) -> Result<AgentView, ControlError> {
        tidegate_fleet::authorize(actor, Action::Read)?;
        self.view(actor, uid).ok_or_else(|| not_found(uid))
    }

    /// An agent that the actor may see.
    pub(super) fn view(&self, actor: &Actor, uid: &InstanceUid) -> Option<AgentView> {
        let look =
            |entry: &Entry| actor.scope.covers(&entry.agent).then(|| AgentView::of(&self.core, &entry.agent));
        self.core.registry.look(uid, look).flatten()
    }

    /// The uids of the agents within the actor's scope that match a query.
    pub(super) fn select(
        &self,
        actor: &Actor,
        action: Action,
        query: &str,
    ) -> Result<Vec<InstanceUid>, ControlError> {
        let query = Self::query(actor, action, query)?;
        let (now, interval) = (self.core.now(), self.core.options.heartbeat_interval);
        let mut uids = Vec::new();
        self.core.registry.for_each(|entry| {
            if actor.scope.covers(&entry.agent) && query.matches(&Facts::of(&entry.agent).at(now, interval)) {
                uids.push(entry.agent.uid);
            }
        });
        Ok(uids)
    }
}

pub(super) fn not_found(uid: &InstanceUid) -> ControlError {
    ControlError::NotFound { kind: "agent", id: uid.to_string() }
}

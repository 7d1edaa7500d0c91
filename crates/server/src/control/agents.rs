//! Looking at agents.

use tidegate_fleet::agent::axes::{self, Attention, Axis, ConfigState, Connection, Health, Proof};
use tidegate_fleet::index::{Clock, Facet, Found, Position, Request, Sort};
use tidegate_fleet::query::Key;
use tidegate_fleet::schemas::SchemaHash;
use tidegate_fleet::settings::{self, HeartbeatView, OfferView};
use tidegate_fleet::{Action, Actor, Agent, Scope, Timestamp};
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
    /// The schema of its build, where it says so; whether that is held is another matter.
    pub(crate) schema: Option<SchemaHash>,
    pub(crate) heartbeat: HeartbeatView,
    pub(crate) settings: Option<OfferView>,
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
        let heartbeat = settings::heartbeat(agent, core.options.heartbeat_interval);
        let settings = settings::standing(agent);
        Self {
            agent: agent.clone(),
            connection,
            health,
            config,
            proof,
            attention,
            available,
            schema: core.schema_hash(agent),
            heartbeat,
            settings,
        }
    }
}

/// What to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct ListOrder {
    pub(crate) query: String,
    pub(crate) sort: Vec<Sort>,
    /// The place after which the list goes on.
    pub(crate) after: Option<Position>,
    /// How many rows; `None` is all of them.
    pub(crate) limit: Option<usize>,
    pub(crate) facets: Vec<Key>,
}

/// A page of agents.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) agents: Vec<AgentView>,
    /// The place after which the next page begins, when there is one.
    pub(crate) next: Option<Position>,
    pub(crate) total: u64,
    pub(crate) facets: Vec<Facet>,
}

impl Control {
    /// The time that lists are made at.
    pub(crate) fn now(&self) -> Timestamp {
        self.core.now()
    }

    /// One page of the agents that match a query.
    pub(crate) async fn list_agents(&self, actor: &Actor, order: ListOrder) -> Result<Page, ControlError> {
        let found = self.find(actor, Action::Read, &order).await?;
        let agents = found.uids().filter_map(|uid| self.view(actor, &uid)).collect();
        let next = if found.more { found.rows.last().cloned() } else { None };
        Ok(Page { agents, next, total: found.total, facets: found.facets })
    }

    /// The agents that match, in order, all of them.
    pub(crate) async fn matching(
        &self,
        actor: &Actor,
        order: &ListOrder,
    ) -> Result<Vec<InstanceUid>, ControlError> {
        Ok(self.find(actor, Action::Read, order).await?.uids().collect())
    }

    pub(super) async fn find(
        &self,
        actor: &Actor,
        action: Action,
        order: &ListOrder,
    ) -> Result<Found, ControlError> {
        let query = Self::query(actor, action, &order.query)?;
        if actor.scope == Scope::Nothing {
            return Ok(Found { rows: Vec::new(), more: false, total: 0, facets: Vec::new() });
        }
        let request = Request {
            query: &query,
            clock: self.clock(),
            sort: &order.sort,
            after: order.after.as_ref(),
            limit: order.limit,
            facets: &order.facets,
        };
        Ok(self.core.index.scan(request).await)
    }

    pub(super) fn clock(&self) -> Clock {
        Clock { now: self.core.now(), interval: self.core.options.heartbeat_interval }
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
    pub(super) async fn select(
        &self,
        actor: &Actor,
        action: Action,
        query: &str,
    ) -> Result<Vec<InstanceUid>, ControlError> {
        let order = ListOrder { query: query.to_owned(), ..ListOrder::default() };
        Ok(self.find(actor, action, &order).await?.uids().collect())
    }
}

pub(super) fn not_found(uid: &InstanceUid) -> ControlError {
    ControlError::NotFound { kind: "agent", id: uid.to_string() }
}

//! The independent axes on which every face shows an agent (state-model.md): never one "status".
//! Package and certificate come with packages and access.

use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, ComponentHealth, EffectiveConfig, RemoteConfigStatuses};

use super::{Agent, Desired, Fact, Link};
use crate::Timestamp;

/// The name under which a supervisor reports what the agent really loads (decision D6).
pub const RENDERED_FILE: &str = "tidegate/rendered";

/// Most characters of a headline.
const MAX_HEADLINE: usize = 240;

/// One axis of one agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axis<T> {
    /// Where the agent stands.
    pub value: T,
    /// When that was last heard.
    pub observed_at: Timestamp,
    /// Why, in a sentence; empty when the value says it all.
    pub reason: String,
}

macro_rules! axis_values {
    ($(#[$meta:meta])* $name:ident { $( $(#[$vmeta:meta])* $variant:ident = $word:literal, )* }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $( $(#[$vmeta])* $variant, )* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )* ];

            /// The word that every face uses.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }
    };
}

axis_values! {
    /// Whether the agent is there.
    Connection {
        /// It spoke within its interval, or its socket is open and it owes no heartbeat.
        Connected = "connected",
        /// Silent for one and a half intervals.
        Late = "late",
        /// Its socket is closed, or it polled last three intervals ago.
        Disconnected = "disconnected",
        /// It said farewell.
        Departed = "departed",
    }
}

axis_values! {
    /// How it fares.
    Health {
        /// It and every component work.
        Healthy = "healthy",
        /// It works, some component does not.
        Degraded = "degraded",
        /// It does not work.
        Unhealthy = "unhealthy",
        /// It is coming up.
        Starting = "starting",
        /// It never said.
        Unknown = "unknown",
    }
}

axis_values! {
    /// Whether it runs what it should.
    ConfigState {
        /// It does.
        InSync = "in-sync",
        /// It was not told yet, or has not answered.
        Pending = "pending",
        /// It is applying it.
        Applying = "applying",
        /// It could not.
        Failed = "failed",
        /// It did, and runs something else now.
        Drifted = "drifted",
        /// It takes no config, or none is assigned.
        Unmanaged = "unmanaged",
        /// It says applied and does not report what it runs.
        Unverifiable = "unverifiable",
    }
}

axis_values! {
    /// How loudly an agent calls for a person.
    Attention {
        /// All is well.
        Ok = "ok",
        /// Something is under way or slightly off.
        Watch = "watch",
        /// Something is wrong.
        Act = "act",
    }
}

/// How much an "applied" is worth (decision D6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The supervisor reports the file that runs beside the offered ones, and they are the same.
    Proven,
    /// The agent says so.
    Unproven,
}

/// Whether the agent is there. `interval` is the heartbeat or poll interval that it is expected to keep.
#[must_use]
pub fn connection(agent: &Agent, now: Timestamp, interval: Duration) -> Axis<Connection> {
    let axis = |value, reason: &str| Axis { value, observed_at: agent.last_seen, reason: reason.to_owned() };
    match agent.link {
        Link::Departed { .. } => axis(Connection::Departed, "the agent said farewell"),
        Link::Down { .. } => axis(Connection::Disconnected, "no connection is open"),
        Link::Up { transport, .. } => {
            let silent = now.since(agent.last_seen);
            let owes_heartbeats =
                transport.polls() || agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT);
            if transport.polls() && silent >= interval * 3 {
                axis(Connection::Disconnected, "it has not polled for three intervals")
            } else if owes_heartbeats && silent >= interval * 3 / 2 {
                axis(Connection::Late, "it has been silent for one and a half intervals")
            } else {
                axis(Connection::Connected, "")
            }
        }
    }
}

/// How it fares: the worst of its tree.
#[must_use]
pub fn health(agent: &Agent) -> Axis<Health> {
    let Some(fact) = &agent.reported.health else {
        let reason = if agent.capabilities.contains(AgentCapabilities::REPORTS_HEALTH) {
            "it has not reported its health yet"
        } else {
            "this agent does not report health"
        };
        return Axis { value: Health::Unknown, observed_at: agent.last_seen, reason: reason.into() };
    };
    let root = &fact.value;
    let axis = |value, reason| Axis { value, observed_at: fact.observed_at, reason };
    if root.status == "starting" {
        return axis(Health::Starting, root.last_error.clone());
    }
    if !root.healthy {
        return axis(Health::Unhealthy, describe(root));
    }
    match first_unhealthy(root, "") {
        Some(reason) => axis(Health::Degraded, reason),
        None => axis(Health::Healthy, String::new()),
    }
}

/// The first line of a text from an agent, cut to what a listing can show; the whole stays in the report.
#[must_use]
pub fn headline(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(MAX_HEADLINE) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_owned(),
    }
}

fn describe(component: &ComponentHealth) -> String {
    match (component.status.as_str(), component.last_error.as_str()) {
        ("", error) => error.to_owned(),
        (status, "") => status.to_owned(),
        (status, error) => format!("{status}: {error}"),
    }
}

fn first_unhealthy(component: &ComponentHealth, path: &str) -> Option<String> {
    component.component_health_map.iter().find_map(|(name, below)| {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        if below.healthy {
            first_unhealthy(below, &path)
        } else {
            Some(format!("{path}: {}", headline(&describe(below))))
        }
    })
}

/// Whether it runs what it should, and how much its word for it is worth.
#[must_use]
pub fn config(agent: &Agent) -> (Axis<ConfigState>, Option<Proof>) {
    let status = agent.reported.remote_config_status.as_ref();
    let observed_at = status.map_or(agent.last_seen, |fact| fact.observed_at);
    let axis = |value, reason: String| (Axis { value, observed_at, reason }, None);
    if !agent.capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG) {
        return axis(ConfigState::Unmanaged, "this agent does not accept remote config".into());
    }
    let Some(desired) = &agent.desired else {
        return axis(ConfigState::Unmanaged, "no config is assigned".into());
    };
    let Some(status) = status.filter(|fact| fact.value.last_remote_config_hash[..] == desired.config.hash.0)
    else {
        return axis(ConfigState::Pending, pending_reason(agent, desired));
    };
    match status.value.status {
        RemoteConfigStatuses::Applying => axis(ConfigState::Applying, String::new()),
        RemoteConfigStatuses::Failed => axis(ConfigState::Failed, status.value.error_message.clone()),
        RemoteConfigStatuses::Applied => applied(agent, desired, status.observed_at),
        other => axis(ConfigState::Pending, format!("the agent answered {other:?}")),
    }
}

fn pending_reason(agent: &Agent, desired: &Desired) -> String {
    match (agent.link, desired.offered_at) {
        (Link::Up { .. }, Some(_)) => "offered, not acknowledged yet".into(),
        (Link::Up { transport, .. }, None) if transport.polls() => "waits for the agent's next poll".into(),
        (Link::Up { .. }, None) => "about to be offered".into(),
        (Link::Down { .. } | Link::Departed { .. }, _) => "the agent is offline".into(),
    }
}

fn applied(agent: &Agent, desired: &Desired, observed_at: Timestamp) -> (Axis<ConfigState>, Option<Proof>) {
    let axis = |value, reason: &str| Axis { value, observed_at, reason: reason.to_owned() };
    let effective = match &agent.reported.effective_config {
        Some(fact) if agent.capabilities.contains(AgentCapabilities::REPORTS_EFFECTIVE_CONFIG) => fact,
        _ => {
            let reason = "this agent says applied and does not report what it runs";
            return (axis(ConfigState::Unverifiable, reason), Some(Proof::Unproven));
        }
    };
    match proof(effective, desired) {
        Some(proof) => (axis(ConfigState::InSync, ""), Some(proof)),
        None => (axis(ConfigState::Drifted, "it runs other files than the ones it applied"), None),
    }
}

/// Compares the offered files with the effective ones. A supervisor of ours reports the offered files under their
/// names and the rendered one beside them; any other is believed, and its word marked as unproven.
fn proof(effective: &Fact<EffectiveConfig>, desired: &Desired) -> Option<Proof> {
    let effective = effective.value.config_map.as_ref()?;
    if !effective.config_map.contains_key(RENDERED_FILE) {
        return Some(Proof::Unproven);
    }
    let offered = &desired.config.files.config_map;
    let same = effective.config_map.len() == offered.len() + 1
        && offered.iter().all(|(name, file)| {
            effective.config_map.get(name).is_some_and(|running| running.body == file.body)
        });
    same.then_some(Proof::Proven)
}

/// The derived flag, with the one sentence that explains it.
#[must_use]
pub fn attention(
    connection: &Axis<Connection>,
    health: &Axis<Health>,
    config: &Axis<ConfigState>,
) -> (Attention, String) {
    let because =
        |reason: &str| if reason.is_empty() { String::new() } else { format!(": {}", headline(reason)) };
    match (connection.value, health.value, config.value) {
        (Connection::Disconnected, ..) => {
            (Attention::Act, format!("disconnected{}", because(&connection.reason)))
        }
        (_, Health::Unhealthy, _) => (Attention::Act, format!("unhealthy{}", because(&health.reason))),
        (_, _, ConfigState::Failed) => {
            (Attention::Act, format!("its config failed{}", because(&config.reason)))
        }
        (_, _, ConfigState::Drifted) => (Attention::Act, format!("drifted{}", because(&config.reason))),
        (Connection::Late, ..) => (Attention::Watch, format!("late{}", because(&connection.reason))),
        (_, Health::Degraded, _) => (Attention::Watch, format!("degraded{}", because(&health.reason))),
        (_, Health::Starting, _) => (Attention::Watch, "starting".into()),
        (_, _, ConfigState::Pending) => {
            (Attention::Watch, format!("its config is pending{}", because(&config.reason)))
        }
        (_, _, ConfigState::Applying) => (Attention::Watch, "it is applying a config".into()),
        (Connection::Departed, ..) => (Attention::Watch, "it said farewell".into()),
        _ => (Attention::Ok, String::new()),
    }
}

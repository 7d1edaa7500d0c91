//! The independent axes on which every face shows an agent (state-model.md): never one "status".
//! Package and certificate come with packages and access.

use std::time::Duration;

use tidegate_opamp::{AgentCapabilities, ComponentHealth, RemoteConfigStatuses};

use super::{Agent, Link, Running, settings};
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

axis_values! {
    /// How much an "applied" is worth (decision D6).
    Proof {
        /// The supervisor reports the file that runs beside the offered ones, and they are the same.
        Proven = "proven",
        /// The agent says so.
        Unproven = "unproven",
    }
}

/// Whether the agent is there. `interval` is the heartbeat or poll interval that it is expected to keep unless it took
/// another one (see [`settings::expected`]).
#[must_use]
pub fn connection(agent: &Agent, now: Timestamp, interval: Duration) -> Axis<Connection> {
    let axis = |value, reason: &str| Axis { value, observed_at: agent.last_seen, reason: reason.to_owned() };
    match agent.link {
        Link::Departed { .. } => {
            axis(Connection::Departed, &settings::absence(agent, "the agent said farewell"))
        }
        Link::Down { .. } => {
            axis(Connection::Disconnected, &settings::absence(agent, "no connection is open"))
        }
        Link::Up { transport, .. } => {
            let silent = now.since(agent.last_seen);
            let Some(interval) = settings::expected(agent, interval) else {
                return axis(Connection::Connected, "");
            };
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

/// When silence alone would change an agent's connection from what was last announced; `None` when it would not.
#[must_use]
pub fn next_silence(agent: &Agent, announced: Option<Connection>, interval: Duration) -> Option<Timestamp> {
    let Link::Up { transport, .. } = agent.link else {
        return None;
    };
    let interval = settings::expected(agent, interval)?;
    let polls = transport.polls();
    match announced {
        None | Some(Connection::Connected)
            if polls || agent.capabilities.contains(AgentCapabilities::REPORTS_HEARTBEAT) =>
        {
            Some(agent.last_seen.plus(interval * 3 / 2))
        }
        Some(Connection::Late) if polls => Some(agent.last_seen.plus(interval * 3)),
        _ => None,
    }
}

/// How it fares: the worst of its tree.
#[must_use]
pub fn health(agent: &Agent) -> Axis<Health> {
    let (Some((value, reason)), Some(fact)) = (&agent.digest.health, &agent.reported.health) else {
        let reason = if agent.capabilities.contains(AgentCapabilities::REPORTS_HEALTH) {
            "it has not reported its health yet"
        } else {
            "this agent does not report health"
        };
        return Axis { value: Health::Unknown, observed_at: agent.last_seen, reason: reason.into() };
    };
    Axis { value: *value, observed_at: fact.observed_at, reason: reason.to_string() }
}

/// The value of [`health`] alone, without the words.
#[must_use]
pub const fn health_value(agent: &Agent) -> Health {
    match &agent.digest.health {
        Some((value, _)) => *value,
        None => Health::Unknown,
    }
}

/// The worst of a tree, and why.
pub(super) fn judge(root: &ComponentHealth) -> (Health, String) {
    if root.status == "starting" {
        return (Health::Starting, root.last_error.clone());
    }
    if !root.healthy {
        return (Health::Unhealthy, describe(root));
    }
    match first_unhealthy(root, "") {
        Some(reason) => (Health::Degraded, reason),
        None => (Health::Healthy, String::new()),
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
    let (value, proof) = config_value(agent);
    let status = agent.reported.remote_config_status.as_ref();
    let reason = match value {
        ConfigState::Unmanaged if agent.capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG) => {
            "no config is assigned".into()
        }
        ConfigState::Unmanaged => "this agent does not accept remote config".into(),
        ConfigState::Pending => pending_reason(agent),
        ConfigState::Failed if let Some(bytes) = unsendable(agent) => {
            format!("it was not sent: its message has {bytes} bytes, more than limits.max_message_bytes")
        }
        ConfigState::Failed
            if let Some(desired) =
                agent.desired.as_ref().filter(|desired| !agent.acknowledged(&desired.config.hash)) =>
        {
            let did = if desired.went_back() { "went back to another" } else { "answers with others" };
            format!("it was offered this config and {did}")
        }
        ConfigState::Failed => status.map(|fact| fact.get().error_message).unwrap_or_default(),
        ConfigState::Unverifiable => "this agent says applied and does not report what it runs".into(),
        ConfigState::Drifted => "it runs other files than the ones it applied".into(),
        ConfigState::Applying | ConfigState::InSync => String::new(),
    };
    let observed_at = status.map_or(agent.last_seen, |fact| fact.observed_at);
    (Axis { value, observed_at, reason }, proof)
}

/// The values of [`config`] alone, without the words.
#[must_use]
pub fn config_value(agent: &Agent) -> (ConfigState, Option<Proof>) {
    let Some(desired) = agent
        .desired
        .as_ref()
        .filter(|_| agent.capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG))
    else {
        return (ConfigState::Unmanaged, None);
    };
    if !agent.acknowledged(&desired.config.hash) {
        let failed = desired.is_declined() || desired.oversize().is_some();
        return (if failed { ConfigState::Failed } else { ConfigState::Pending }, None);
    }
    match agent.config_status() {
        RemoteConfigStatuses::Applying => (ConfigState::Applying, None),
        RemoteConfigStatuses::Failed => (ConfigState::Failed, None),
        RemoteConfigStatuses::Applied
            if !agent.capabilities.contains(AgentCapabilities::REPORTS_EFFECTIVE_CONFIG) =>
        {
            (ConfigState::Unverifiable, Some(Proof::Unproven))
        }
        RemoteConfigStatuses::Applied => match agent.digest.running {
            Running::Unseen => (ConfigState::Unverifiable, Some(Proof::Unproven)),
            Running::Same(proof) => (ConfigState::InSync, Some(proof)),
            Running::Other => (ConfigState::Drifted, None),
        },
        _ => (ConfigState::Pending, None),
    }
}

/// Bytes of the message that would carry the config that an agent lacks, where it is too large to be sent.
fn unsendable(agent: &Agent) -> Option<std::num::NonZeroU32> {
    let desired = agent.desired.as_ref().filter(|desired| !agent.acknowledged(&desired.config.hash))?;
    desired.oversize()
}

fn pending_reason(agent: &Agent) -> String {
    let desired = agent.desired.as_ref();
    if desired.is_some_and(|desired| agent.acknowledged(&desired.config.hash)) {
        return format!("the agent answered {:?}", agent.config_status());
    }
    match (agent.link, desired.and_then(|desired| desired.offered_at)) {
        (Link::Up { .. }, Some(_)) => "offered, not acknowledged yet".into(),
        (Link::Up { transport, .. }, None) if transport.polls() => "waits for the agent's next poll".into(),
        (Link::Up { .. }, None) => "about to be offered".into(),
        (Link::Down { .. } | Link::Departed { .. }, _) => "the agent is offline".into(),
    }
}

/// The derived flag alone.
#[must_use]
pub const fn level(connection: Connection, health: Health, config: ConfigState) -> Attention {
    match (connection, health, config) {
        (Connection::Disconnected, ..)
        | (_, Health::Unhealthy, _)
        | (_, _, ConfigState::Failed | ConfigState::Drifted) => Attention::Act,
        (Connection::Late | Connection::Departed, ..)
        | (_, Health::Degraded | Health::Starting, _)
        | (_, _, ConfigState::Pending | ConfigState::Applying) => Attention::Watch,
        (
            Connection::Connected,
            Health::Healthy | Health::Unknown,
            ConfigState::InSync | ConfigState::Unmanaged | ConfigState::Unverifiable,
        ) => Attention::Ok,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_every_mix_of_values_then_the_flag_is_the_same_with_its_reason_and_without() {
        let at = Timestamp(0);
        for connection in Connection::ALL {
            for health in Health::ALL {
                for config in ConfigState::ALL {
                    let alone = level(*connection, *health, *config);
                    let (explained, reason) = attention(
                        &Axis { value: *connection, observed_at: at, reason: String::new() },
                        &Axis { value: *health, observed_at: at, reason: String::new() },
                        &Axis { value: *config, observed_at: at, reason: String::new() },
                    );
                    assert_eq!(alone, explained, "{connection:?} {health:?} {config:?}");
                    assert_eq!(reason.is_empty(), alone == Attention::Ok);
                }
            }
        }
    }
}

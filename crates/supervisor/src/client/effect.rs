//! What the machine says to the transports, and they to it.

use std::time::Duration;

use tidegate_opamp::{AgentRemoteConfig, ConnectionSettingsOffers, CustomMessage, InstanceUid};

use crate::agent::OwnOffer;

/// What a message from the server asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Apply a config.
    Apply(AgentRemoteConfig),
    /// Restart the agent.
    Restart,
    /// Carry out a message of a custom capability that we announced.
    Custom(CustomMessage),
    /// The agent's uid is now this one: to be persisted before anything is sent (OpAMP C045).
    NewUid(InstanceUid),
    /// Send the agent's own telemetry as offered.
    OwnTelemetry(Box<OwnOffer>),
    /// Connect as offered, if that can be proven.
    Connect(Box<ConnectionSettingsOffers>),
    /// Speak once in so many seconds, where nothing else of an offer may be taken (OpAMP C069).
    Interval(u64),
    /// Leave the server alone, for this time if it said one, then connect again (OpAMP C167, C168).
    Retreat(Option<Duration>),
}

/// Why no answer came to what was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// It never left this host: its number is free again.
    NotSent,
    /// It may or may not have arrived: if nothing changes it goes again as it was (OpAMP C057).
    Unanswered,
    /// The connection ended; the next one begins with a message of its own.
    Disconnected,
    /// The server said that it is too large: its parts don't go again until they change (OpAMP C036).
    TooLarge,
}

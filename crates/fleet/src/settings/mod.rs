//! Connection settings: how often an agent speaks, where it connects, and where it sends its own telemetry.
//!
//! Operators write [`Rule`]s, each with a target and some settings. [`Rules::matching`] names those that hold for an
//! agent and [`Resolved::of`] lays them over each other; many agents share one result. The [`Held`] of an agent
//! says what it was offered and what became of it, `offer` is this module's part of the one offer builder.

mod check;
mod offer;
mod resolve;
mod rule;
mod view;

use std::collections::BTreeMap;
use std::fmt;

use tidegate_opamp::{OpAMPConnectionSettings, OtherConnectionSettings, TelemetryConnectionSettings};

pub use crate::agent::settings::*;
pub use check::{Finding, check, check_endpoint};
pub(crate) use offer::offer;
pub use rule::{Rule, Rules, Selector, Target};
pub use view::{HeartbeatView, OfferView, State, heartbeat, standing};

/// What a rule sets. A part that is left out is left to the rules below.
///
/// The parts are messages of the protocol: what is stored, resolved and offered is the same value. Whatever an endpoint
/// needs stands in one part with it, so that a header meant for one server is never sent to another.
#[derive(Clone, Default, PartialEq)]
pub struct Settings {
    /// How often the agent speaks.
    pub heartbeat: Option<HeartbeatSetting>,
    /// Where and how it connects to OpAMP; an empty endpoint stands for this server. The interval in it is not used.
    pub opamp: Option<OpAMPConnectionSettings>,
    /// Where its own metrics, traces and logs go, in the order of [`Own::ALL`].
    pub own: [Option<TelemetryConnectionSettings>; 3],
    /// Whatever else it connects to, by name.
    pub other: BTreeMap<String, OtherConnectionSettings>,
}

impl Settings {
    /// True when nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heartbeat.is_none()
            && self.opamp.is_none()
            && self.own.iter().all(Option::is_none)
            && self.other.is_empty()
    }
}

/// Header values and keys are secrets: only the names of the parts are shown.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("heartbeat", &self.heartbeat)
            .field("opamp", &self.opamp.as_ref().map(|opamp| &opamp.destination_endpoint))
            .field("own", &self.own.each_ref().map(|own| own.as_ref().map(|own| &own.destination_endpoint)))
            .field("other", &self.other.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

//! Offers of connection settings: what of them is taken, and the one status that answers them, whoever carries them out
//! (OpAMP C008, C069, C098, C118–C124). Pure.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_opamp::{
    AgentCapabilities, ConnectionSettingsOffers, ConnectionSettingsStatus, ConnectionSettingsStatuses,
};

use super::Core;
use crate::agent::OwnOffer;
use crate::client::effect::Effect;

impl Core {
    /// What the agent can send of its own, as capabilities.
    pub(super) fn own_capabilities(&self) -> AgentCapabilities {
        let own = self.current.own_telemetry.as_deref();
        AgentCapabilities::default()
            .with_if(AgentCapabilities::REPORTS_OWN_METRICS, own.is_some_and(|own| own.metrics))
            .with_if(AgentCapabilities::REPORTS_OWN_LOGS, own.is_some_and(|own| own.logs))
    }

    /// What is taken of an offer. Parts without a capability are left alone.
    pub(super) fn offered(&mut self, mut offers: ConnectionSettingsOffers) -> Vec<Effect> {
        let able = self.own_capabilities();
        offers.own_metrics.take_if(|_| !able.contains(AgentCapabilities::REPORTS_OWN_METRICS));
        offers.own_logs.take_if(|_| !able.contains(AgentCapabilities::REPORTS_OWN_LOGS));
        let mut effects = Vec::new();
        if offers.own_metrics.is_some() || offers.own_logs.is_some() {
            self.handed_on = Some(offers.hash.clone());
            effects.push(Effect::OwnTelemetry(Box::new(OwnOffer {
                hash: offers.hash.clone(),
                metrics: offers.own_metrics.clone(),
                logs: offers.own_logs.clone(),
            })));
        }
        if !self.has(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS) {
            let seconds = offers.opamp.take().map_or(0, |opamp| opamp.heartbeat_interval_seconds);
            let paced = seconds > 0 && self.has(AgentCapabilities::REPORTS_HEARTBEAT);
            effects.extend(paced.then_some(Effect::Interval(seconds)));
        }
        if self.has(AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS)
            || self.has(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS)
        {
            effects.push(Effect::Connect(Box::new(offers)));
        }
        effects
    }

    /// What the server is told of its last offer.
    pub(super) fn offer_status(&self) -> Option<Arc<ConnectionSettingsStatus>> {
        let own = self.current.own_telemetry.as_ref().and_then(|own| own.status.as_ref());
        let handed_on = self.handed_on.as_ref();
        match &self.settings_status {
            Some(way) => Some(status(way, own, handed_on)),
            // An offer has no other part there, and after a restart its hash is known from that part alone.
            None if !self.has(AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS) => {
                let way = ConnectionSettingsStatus {
                    last_connection_settings_hash: handed_on?.clone(),
                    status: ConnectionSettingsStatuses::Applied,
                    ..ConnectionSettingsStatus::default()
                };
                Some(status(&Arc::new(way), own, handed_on))
            }
            None => None,
        }
    }
}

/// One status of the two halves of an offer. The way to the server is answered under the hash of every offer; what it
/// says holds for the whole unless own telemetry, under the same hash, says worse.
fn status(
    way: &Arc<ConnectionSettingsStatus>,
    own: Option<&ConnectionSettingsStatus>,
    handed_on: Option<&Bytes>,
) -> Arc<ConnectionSettingsStatus> {
    use ConnectionSettingsStatuses as Status;
    let hash = &way.last_connection_settings_hash;
    let own = own.filter(|own| own.last_connection_settings_hash == *hash);
    let (status, why) = match own {
        // It is on its way to whoever carries it out.
        None if handed_on == Some(hash) => (Status::Applying, ""),
        None => return Arc::clone(way),
        Some(own) => (own.status, own.error_message.as_str()),
    };
    let rank = |status| match status {
        Status::Failed => 2,
        Status::Applying => 1,
        _ => 0,
    };
    // Both may have failed: what is known of either is told.
    let reasons: Vec<&str> =
        [way.error_message.as_str(), why].into_iter().filter(|reason| !reason.is_empty()).collect();
    let worse = if rank(status) > rank(way.status) { status } else { way.status };
    Arc::new(ConnectionSettingsStatus {
        status: worse,
        error_message: if worse == Status::Failed { reasons.join("; ") } else { String::new() },
        ..(**way).clone()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    use ConnectionSettingsStatuses as Status;

    fn said(hash: &'static str, status: Status, why: &str) -> Arc<ConnectionSettingsStatus> {
        Arc::new(ConnectionSettingsStatus {
            last_connection_settings_hash: hash.into(),
            status,
            error_message: why.to_owned(),
            ..ConnectionSettingsStatus::default()
        })
    }

    /// C105, C120: an offer has one hash and one status, which is never better than its worst part.
    #[test]
    fn given_what_became_of_both_parts_when_told_then_the_worse_counts_under_the_offers_hash() {
        let (applied, applying, failed) = (Status::Applied, Status::Applying, Status::Failed);
        for (way, own, handed_on, expect) in [
            (("h", applied, ""), None, None, (applied, "")),
            (("h", applied, ""), None, Some("h"), (applying, "")),
            (("h", applied, ""), Some(("g", failed, "old")), Some("h"), (applying, "")),
            (("h", applied, ""), Some(("g", failed, "old")), Some("g"), (applied, "")),
            (("h", applied, ""), Some(("h", applied, "")), Some("h"), (applied, "")),
            (("h", applied, ""), Some(("h", failed, "own")), Some("h"), (failed, "own")),
            (("h", applying, ""), Some(("h", applied, "")), Some("h"), (applying, "")),
            (("h", failed, "way"), Some(("h", applying, "")), Some("h"), (failed, "way")),
            (("h", failed, "way"), Some(("h", failed, "own")), None, (failed, "way; own")),
        ] {
            let way = said(way.0, way.1, way.2);
            let own = own.map(|(hash, status, why)| said(hash, status, why));
            let handed_on = handed_on.map(Bytes::from);
            let told = status(&way, own.as_deref(), handed_on.as_ref());
            assert_eq!(told.last_connection_settings_hash, "h");
            assert_eq!((told.status, told.error_message.as_str()), expect, "{way:?} {own:?}");
        }
    }
}

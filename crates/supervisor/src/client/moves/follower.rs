//! Agents that share a connection: the first decides where it leads, and the others' offers are answered by whether they
//! ask for the same. Pure.

use std::sync::Arc;

use bytes::Bytes;
use tidegate_opamp::{
    ConnectionSettingsOffers, ConnectionSettingsStatus, ConnectionSettingsStatuses, OpAMPConnectionSettings,
};

use super::{Interval, Moves, overlay, refusal};

/// What an agent that does not decide was offered last.
#[derive(Debug, Default)]
pub(crate) struct Follower {
    offered: Option<(Bytes, OpAMPConnectionSettings)>,
    interval: Interval,
}

impl Follower {
    /// Takes an offer, a repetition as nothing new.
    pub(crate) fn take(&mut self, offers: ConnectionSettingsOffers) {
        let known = self.offered.as_ref().is_some_and(|(hash, _)| !hash.is_empty() && *hash == offers.hash);
        let own = offers.own_metrics.is_some() || offers.own_logs.is_some();
        // Own telemetry alone asks for nothing else than the connection that there is.
        let offer = offers.opamp.or_else(|| own.then(OpAMPConnectionSettings::default));
        let Some(offer) = offer.filter(|_| !known) else { return };
        if offer.heartbeat_interval_seconds > 0 {
            self.interval = Interval::clamped(offer.heartbeat_interval_seconds);
        }
        self.offered = Some((offers.hash, offer));
    }

    /// How often the agent is to speak.
    pub(crate) const fn interval(&self) -> Interval {
        self.interval
    }

    /// What the server is told of the last offer, seen from where the connection leads now.
    pub(crate) fn status(&self, moves: &Moves) -> Option<Arc<ConnectionSettingsStatus>> {
        let (hash, offer) = self.offered.as_ref()?;
        let accepted = moves.kept.accepted.as_ref().map(|offered| &offered.settings);
        let trial = moves.trial.as_ref().map(|trial| &trial.offered.settings);
        let settings =
            overlay::merge(trial.or(accepted).unwrap_or(&OpAMPConnectionSettings::default()), offer);
        let wanted = refusal(offer).map_or_else(|| overlay::overlay(&moves.base, &settings), Err);
        let (status, why) = match wanted {
            Err(why) => (ConnectionSettingsStatuses::Failed, why),
            Ok(target) if target != *moves.target() => (
                ConnectionSettingsStatuses::Failed,
                "this agent shares its supervisor's connection, on which the first agent of that host decides: \
                 offer it the same"
                    .to_owned(),
            ),
            Ok(_) if moves.trial.is_some() => (ConnectionSettingsStatuses::Applying, String::new()),
            Ok(_) => (ConnectionSettingsStatuses::Applied, String::new()),
        };
        Some(Arc::new(ConnectionSettingsStatus {
            last_connection_settings_hash: hash.clone(),
            status,
            error_message: why,
            ..ConnectionSettingsStatus::default()
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::super::super::{Target, TlsSettings};
    use super::super::{Kept, Step};
    use super::*;

    fn offer(hash: &'static str, endpoint: &str, seconds: u64) -> ConnectionSettingsOffers {
        ConnectionSettingsOffers {
            hash: hash.into(),
            opamp: Some(OpAMPConnectionSettings {
                destination_endpoint: endpoint.to_owned(),
                heartbeat_interval_seconds: seconds,
                ..OpAMPConnectionSettings::default()
            }),
            ..ConnectionSettingsOffers::default()
        }
    }

    fn moves() -> Moves {
        let endpoint = "ws://a/v1/opamp".parse().unwrap();
        let base = Target { endpoint, headers: Vec::new(), tls: TlsSettings::default(), proxy: None };
        Moves::new(base, Kept::default(), Instant::now())
    }

    /// C105, C181: settings of a shared connection are answered for each agent, and truthfully.
    #[test]
    fn given_a_follower_when_offered_another_server_then_it_is_applied_once_the_first_agent_went_there() {
        let (mut moves, mut follower) = (moves(), Follower::default());
        assert_eq!(follower.status(&moves), None);
        follower.take(offer("h", "ws://b/v1/opamp", 15));
        let said = |follower: &Follower, moves: &Moves| follower.status(moves).unwrap().status;
        assert_eq!(said(&follower, &moves), ConnectionSettingsStatuses::Failed);
        assert_eq!(follower.interval(), Interval::Every(15));
        let step = moves.offered(offer("g", "ws://b/v1/opamp", 20), Instant::now());
        assert_eq!(step, Step::Move);
        assert_eq!(said(&follower, &moves), ConnectionSettingsStatuses::Applying);
        moves.answered();
        assert_eq!(said(&follower, &moves), ConnectionSettingsStatuses::Applied);
        assert_eq!(follower.status(&moves).unwrap().last_connection_settings_hash, "h");
    }

    /// C105: where the first agent comes back, the follower's offer has failed as well.
    #[test]
    fn given_a_trial_that_fails_then_the_followers_offer_has_failed_too() {
        let (mut moves, mut follower) = (moves(), Follower::default());
        let now = Instant::now();
        moves.offered(offer("h", "ws://b/v1/opamp", 0), now);
        follower.take(offer("h", "ws://b/v1/opamp", 0));
        assert_eq!(moves.failed("no answer", true, now + Duration::from_secs(1)), Step::Move);
        let status = follower.status(&moves).unwrap();
        assert_eq!(status.status, ConnectionSettingsStatuses::Failed);
        assert!(status.error_message.contains("first agent"), "{}", status.error_message);
    }
}

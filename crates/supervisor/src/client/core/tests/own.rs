//! Offers that concern the agent's own telemetry, and the status that answers them.

use tidegate_opamp::{
    ConnectionSettingsOffers, ConnectionSettingsStatuses as Status, OpAMPConnectionSettings,
    TelemetryConnectionSettings,
};

use super::*;
use crate::agent::{OwnOffer, OwnReport};

const STATUS: AgentCapabilities = AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS;
const MOVES: AgentCapabilities = AgentCapabilities::ACCEPTS_OPAMP_CONNECTION_SETTINGS;

fn to(endpoint: &str) -> Option<TelemetryConnectionSettings> {
    Some(TelemetryConnectionSettings {
        destination_endpoint: endpoint.to_owned(),
        ..TelemetryConnectionSettings::default()
    })
}

/// Destinations of metrics, logs and traces.
fn offers(hash: &'static str) -> ConnectionSettingsOffers {
    ConnectionSettingsOffers {
        hash: hash.into(),
        own_metrics: to("https://metrics/"),
        own_logs: to("https://logs/"),
        own_traces: to("https://traces/"),
        ..ConnectionSettingsOffers::default()
    }
}

/// A client whose agent can send what it says.
fn able(capabilities: AgentCapabilities, metrics: bool, logs: bool) -> Client {
    let mut client = Client::allowing(capabilities, 1 << 20);
    client.own(metrics, logs, None);
    client
}

impl Client {
    /// What the process side says of own telemetry.
    fn own(&mut self, metrics: bool, logs: bool, status: Option<(&'static str, Status, &str)>) {
        let status = status.map(|(hash, status, why)| ConnectionSettingsStatus {
            last_connection_settings_hash: hash.into(),
            status,
            error_message: why.to_owned(),
            ..ConnectionSettingsStatus::default()
        });
        self.report.own_telemetry = Some(Arc::new(OwnReport { metrics, logs, status }));
        self.core.report(self.report.clone());
    }

    fn offered(&mut self, offers: ConnectionSettingsOffers) -> Vec<Effect> {
        self.receive(ServerToAgent { connection_settings: Some(offers), ..ServerToAgent::default() })
    }

    /// The status that the next message tells.
    fn told(&mut self) -> Option<(Bytes, Status, String)> {
        let status = self.take()?.connection_settings_status?;
        self.receive(ServerToAgent::default());
        Some((status.last_connection_settings_hash, status.status, status.error_message))
    }
}

/// C008, C118: what the agent's build cannot send is neither announced nor taken; the rest is.
#[test]
fn given_what_an_agent_can_send_when_offered_destinations_then_that_is_announced_and_taken_and_no_more() {
    let (metrics, logs) = (AgentCapabilities::REPORTS_OWN_METRICS, AgentCapabilities::REPORTS_OWN_LOGS);
    for (has_metrics, has_logs) in [(true, true), (true, false), (false, true), (false, false)] {
        let mut client = able(STATUS, has_metrics, has_logs);
        let announced = AgentCapabilities(client.take().unwrap().capabilities);
        assert_eq!((announced.contains(metrics), announced.contains(logs)), (has_metrics, has_logs));
        assert!(!announced.contains(AgentCapabilities::REPORTS_OWN_TRACES));
        let offers = offers("h");
        let taken = client.offered(offers.clone()).into_iter().find_map(|effect| match effect {
            Effect::OwnTelemetry(offer) => Some(*offer),
            _ => None,
        });
        let expected = OwnOffer {
            hash: "h".into(),
            metrics: offers.own_metrics.filter(|_| has_metrics),
            logs: offers.own_logs.filter(|_| has_logs),
        };
        assert_eq!(taken, (has_metrics || has_logs).then_some(expected));
    }
}

/// C096, C098: the way to the server is still nobody's but the host's where it does not allow offers of that.
#[test]
fn given_a_host_that_allows_own_telemetry_alone_when_offered_a_server_as_well_then_that_part_is_left_alone() {
    let mut client = able(STATUS, true, false);
    let opamp = OpAMPConnectionSettings {
        destination_endpoint: "wss://elsewhere/".to_owned(),
        ..OpAMPConnectionSettings::default()
    };
    let effects = client.offered(ConnectionSettingsOffers { opamp: Some(opamp), ..offers("h") });
    let moves = effects.iter().find_map(|effect| match effect {
        Effect::Connect(offers) => Some(offers),
        _ => None,
    });
    assert_eq!(moves.unwrap().opamp, None, "{effects:?}");
}

/// C120: an offer that was handed on is under way until its own answer comes, and never told as better than it is.
#[test]
fn given_an_offer_that_was_handed_on_when_answered_then_the_server_is_told_each_step_under_its_hash() {
    let mut client = able(STATUS.with(MOVES), true, true);
    client.take().unwrap();
    client.offered(offers("h"));
    client.core.settle(Arc::new(ConnectionSettingsStatus {
        last_connection_settings_hash: "h".into(),
        status: Status::Applied,
        ..ConnectionSettingsStatus::default()
    }));
    assert_eq!(client.told(), Some(("h".into(), Status::Applying, String::new())));
    client.own(true, true, Some(("g", Status::Applied, "")));
    assert_eq!(client.told(), None, "the answer to another offer is none to this one");
    client.own(true, true, Some(("h", Status::Failed, "no")));
    assert_eq!(client.told(), Some(("h".into(), Status::Failed, "no".to_owned())));
}

/// C120: what an earlier supervisor handed on is not told as applied before somebody has carried it out.
#[test]
fn given_a_supervisor_that_ended_right_after_an_offer_when_the_next_one_starts_then_it_is_applying_until_answered()
 {
    for capabilities in [STATUS, STATUS.with(MOVES)] {
        let mut client = Client::allowing(capabilities, 1 << 20);
        client.core.has_handed_on(Some("h".into()));
        if capabilities.contains(MOVES) {
            client.core.settle(Arc::new(ConnectionSettingsStatus {
                last_connection_settings_hash: "h".into(),
                status: Status::Applied,
                ..ConnectionSettingsStatus::default()
            }));
        }
        assert_eq!(client.told(), Some(("h".into(), Status::Applying, String::new())));
        client.own(true, true, Some(("h", Status::Applied, "")));
        assert_eq!(client.told(), Some(("h".into(), Status::Applied, String::new())));
    }
}

/// C096: without the capability nothing is said of offers.
#[test]
fn given_a_host_that_takes_no_offers_when_offered_destinations_then_nothing_is_taken_and_nothing_told() {
    let mut client = Client::settled();
    assert_eq!(client.offered(offers("h")), []);
    assert_eq!(client.told(), None);
}

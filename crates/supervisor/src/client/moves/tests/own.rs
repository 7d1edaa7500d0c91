//! Offers that leave the way to the server as it is.

use tidegate_opamp::{OtherConnectionSettings, TelemetryConnectionSettings};

use super::*;

/// An offer with own metrics.
fn own(hash: &'static str, opamp: Option<OpAMPConnectionSettings>) -> ConnectionSettingsOffers {
    ConnectionSettingsOffers {
        hash: hash.into(),
        opamp,
        own_metrics: Some(TelemetryConnectionSettings::default()),
        ..ConnectionSettingsOffers::default()
    }
}

/// C103, C120: it is answered under its hash, once, and nothing else changes.
#[test]
fn given_own_telemetry_alone_when_offered_then_it_is_answered_and_the_way_to_the_server_stays() {
    let mut client = Client::new();
    client.offered("h1", every(5, to(AWAY)));
    client.moves.answered();
    assert_eq!(client.moves.offered(own("h2", None), client.now), Step::Settled);
    assert!(client.is("h2", Status::Applied));
    assert_eq!((client.endpoint().as_str(), client.moves.interval()), (AWAY, Interval::Every(5)));
    assert_eq!(client.moves.offered(own("h2", None), client.now), Step::Stay, "a repetition is nothing new");
}

/// C100, C120: a trial goes on, and ends under the hash of the newest offer.
#[test]
fn given_a_trial_when_own_telemetry_alone_is_offered_then_it_ends_under_the_newest_hash() {
    for (answers, expected) in [(true, Status::Applied), (false, Status::Failed)] {
        let mut client = Client::new();
        client.offered("h1", to(AWAY));
        assert_eq!(client.moves.offered(own("h2", None), client.now), Step::Settled);
        assert!(client.is("h2", Status::Applying));
        assert_eq!(client.moves.kept().candidate.as_ref().unwrap().hash, "h2");
        let step = if answers { client.moves.answered() } else { client.failed(true) };
        assert_eq!(step, if answers { Step::Settled } else { Step::Move });
        assert!(client.is("h2", expected));
    }
}

/// C118, C124: what nobody here takes is refused with the reason, once; beside something that is taken it is left alone.
#[test]
fn given_traces_or_other_connections_alone_when_offered_then_they_are_refused() {
    let other = OtherConnectionSettings::default();
    for offers in [
        ConnectionSettingsOffers {
            hash: "h".into(),
            own_traces: Some(TelemetryConnectionSettings::default()),
            ..ConnectionSettingsOffers::default()
        },
        ConnectionSettingsOffers {
            hash: "h".into(),
            other_connections: [("kafka".to_owned(), other)].into(),
            ..ConnectionSettingsOffers::default()
        },
    ] {
        let mut client = Client::new();
        assert_eq!(client.moves.offered(offers.clone(), client.now), Step::Settled);
        let (hash, status, why) = client.status();
        assert_eq!((hash.as_str(), status), ("h", Status::Failed));
        assert!(why.contains("no traces of its own"), "{why}");
        assert_eq!(client.moves.offered(offers.clone(), client.now), Step::Stay);
        let with_own = ConnectionSettingsOffers {
            hash: "g".into(),
            own_metrics: Some(TelemetryConnectionSettings::default()),
            ..offers
        };
        client.moves.offered(with_own, client.now);
        assert!(client.is("g", Status::Applied));
    }
}

/// C108: a host that does not allow offered settings keeps none, and what it kept before is still there.
#[test]
fn given_a_host_that_does_not_allow_offered_settings_when_own_telemetry_is_answered_then_no_file_is_touched()
{
    let folder = tempfile::tempdir().unwrap();
    let allowing = Keeper::new(folder.path(), &base(), true);
    let mut client = Client::new();
    client.offered("h1", every(5, to(AWAY)));
    client.moves.answered();
    allowing.store(client.moves.kept()).unwrap();
    let mut other = Client::new();
    other.moves.offered(own("h2", None), other.now);
    Keeper::new(folder.path(), &base(), false).store(other.moves.kept()).unwrap();
    assert_eq!(&allowing.load(), client.moves.kept());
}

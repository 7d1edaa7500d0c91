mod own;

use tidegate_opamp::{Header, Headers, ProxyConnectionSettings, TLSCertificate, TLSConnectionSettings};

use super::*;
use crate::client::{TlsSettings, Version, headers};

const HOME: &str = "ws://home.example:4320/v1/opamp";
const AWAY: &str = "wss://away.example/v1/opamp";

fn base() -> Target {
    Target {
        proxy: None,
        endpoint: HOME.parse().unwrap(),
        headers: vec![
            headers::parse("authorization", "Bearer own").unwrap(),
            headers::parse("x-team", "a").unwrap(),
        ],
        tls: TlsSettings::default(),
    }
}

fn offer(hash: &str, opamp: OpAMPConnectionSettings) -> ConnectionSettingsOffers {
    ConnectionSettingsOffers {
        hash: Bytes::copy_from_slice(hash.as_bytes()),
        opamp: Some(opamp),
        ..ConnectionSettingsOffers::default()
    }
}

fn to(endpoint: &str) -> OpAMPConnectionSettings {
    OpAMPConnectionSettings {
        destination_endpoint: endpoint.to_owned(),
        ..OpAMPConnectionSettings::default()
    }
}

fn with_headers(pairs: &[(&str, &str)]) -> OpAMPConnectionSettings {
    let header = |(key, value): &(&str, &str)| Header {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
        ..Header::default()
    };
    let headers = Headers { headers: pairs.iter().map(header).collect(), ..Headers::default() };
    OpAMPConnectionSettings { headers: Some(headers), ..OpAMPConnectionSettings::default() }
}

fn every(seconds: u64, opamp: OpAMPConnectionSettings) -> OpAMPConnectionSettings {
    OpAMPConnectionSettings { heartbeat_interval_seconds: seconds, ..opamp }
}

fn with_tls(tls: TLSConnectionSettings) -> OpAMPConnectionSettings {
    OpAMPConnectionSettings { tls: Some(tls), ..OpAMPConnectionSettings::default() }
}

/// The machine and its clock.
struct Client {
    moves: Moves,
    now: Instant,
}

impl Client {
    fn new() -> Self {
        Self::with(Kept::default())
    }

    fn with(kept: Kept) -> Self {
        let now = Instant::now();
        Self { moves: Moves::new(base(), kept, now), now }
    }

    fn offered(&mut self, hash: &str, opamp: OpAMPConnectionSettings) -> Step {
        self.moves.offered(offer(hash, opamp), self.now)
    }

    fn failed(&mut self, denied: bool) -> Step {
        self.moves.failed("refused", denied, self.now)
    }

    fn endpoint(&self) -> String {
        self.moves.target().endpoint.to_string()
    }

    /// Hash and state of the last answer, and why.
    fn status(&self) -> (String, ConnectionSettingsStatuses, String) {
        let status = self.moves.status().unwrap();
        let hash = String::from_utf8(status.last_connection_settings_hash.to_vec()).unwrap();
        (hash, status.status, status.error_message.clone())
    }

    fn is(&self, hash: &str, state: ConnectionSettingsStatuses) -> bool {
        let (is, now, _) = self.status();
        is == hash && now == state
    }
}

use ConnectionSettingsStatuses as Status;

/// C099, C101, C102, C104: an offered server is tried, and accepted once it has answered.
#[test]
fn given_another_server_when_it_answers_then_it_is_accepted_and_kept() {
    let mut client = Client::new();
    assert_eq!(client.offered("h1", to(AWAY)), Step::Move);
    assert!(client.is("h1", Status::Applying));
    assert_eq!(client.endpoint(), AWAY);
    assert_eq!(client.moves.kept().accepted, None, "the old settings are kept until then");
    assert_eq!(client.failed(false), Step::Stay, "it is tried again");
    assert_eq!(client.moves.answered(), Step::Settled);
    assert!(client.is("h1", Status::Applied));
    assert_eq!((client.endpoint().as_str(), client.moves.until()), (AWAY, None));
    assert_eq!(client.moves.kept().candidate, None);
    assert_eq!(client.moves.answered(), Step::Stay);
    assert_eq!(client.failed(false), Step::Stay, "one loss is none of the settings' fault");
}

/// C099, C103, C104: one that cannot be reached, or does not let the agent in, is given up.
#[test]
fn given_another_server_when_it_fails_then_the_old_one_is_back_and_the_status_says_why() {
    for (denied, failures) in [(false, 3), (true, 1)] {
        let mut client = Client::new();
        client.offered("h1", every(5, to(AWAY)));
        assert_eq!(client.moves.interval(), Interval::Every(5));
        let steps: Vec<Step> = (0..failures).map(|_| client.failed(denied)).collect();
        assert_eq!(steps.last(), Some(&Step::Move));
        assert!(steps[..failures - 1].iter().all(|step| *step == Step::Stay));
        let (hash, state, why) = client.status();
        assert_eq!((hash.as_str(), state), ("h1", Status::Failed));
        assert!(why.contains("refused"), "{why}");
        assert_eq!(client.endpoint(), HOME);
        assert_eq!(client.moves.interval(), Interval::Own, "C073");
        assert_eq!(client.moves.kept().candidate, None);
        // C109: the same offer again changes nothing.
        assert_eq!(client.offered("h1", every(5, to(AWAY))), Step::Stay);
        assert!(client.is("h1", Status::Failed));
    }
}

/// C099: a server that is silent for too long has failed.
#[test]
fn given_another_server_when_the_time_is_up_then_one_failure_is_enough() {
    let mut client = Client::new();
    client.offered("h1", to(AWAY));
    let until = client.moves.until().unwrap();
    assert_eq!(until, client.now + TRIAL);
    client.now = until;
    assert_eq!(client.failed(false), Step::Move);
    assert!(client.is("h1", Status::Failed));
}

/// C110, C112, C117, ruling A8: what an offer leaves out is kept, and offered headers replace those offered before.
#[test]
fn given_partial_offers_when_accepted_then_the_rest_is_kept() {
    let mut client = Client::new();
    let header = |client: &Client, name: &str| {
        let headers = &client.moves.target().headers;
        let found: Vec<_> =
            headers.iter().filter(|(is, _)| is == name).map(|(_, value)| value.to_str().unwrap()).collect();
        found.join(",")
    };
    client.offered("h1", to(AWAY));
    client.moves.answered();
    assert_eq!(
        client.offered("h2", with_headers(&[("Authorization", "Bearer new"), ("X-One", "1")])),
        Step::Move
    );
    client.moves.answered();
    assert_eq!(client.endpoint(), AWAY);
    assert_eq!(
        (header(&client, "authorization"), header(&client, "x-one")),
        ("Bearer new".into(), "1".into())
    );
    assert_eq!(header(&client, "x-team"), "a", "the host's own");
    assert_eq!(client.offered("h3", with_headers(&[("X-Two", "2")])), Step::Move);
    client.moves.answered();
    assert_eq!((header(&client, "x-one"), header(&client, "x-two")), (String::new(), "2".into()));
    assert_eq!(header(&client, "authorization"), "Bearer own");
    let tls = TLSConnectionSettings { min_version: "TLSv1.3".to_owned(), ..TLSConnectionSettings::default() };
    assert_eq!(client.offered("h4", with_tls(tls)), Step::Move);
    client.moves.answered();
    assert_eq!(client.offered("h5", to("wss://third.example/v1/opamp")), Step::Move);
    assert_eq!(client.moves.target().tls.versions, (Version::Tls13, Version::Tls13));
    assert_eq!(header(&client, "x-two"), "2");
}

/// C069, C072, C075, ruling A1: what an interval of nothing means depends on what else is said.
#[test]
fn given_intervals_when_offered_then_they_are_taken_without_another_connection() {
    let mut client = Client::new();
    for (hash, opamp, expected) in [
        ("h1", every(5, OpAMPConnectionSettings::default()), Interval::Every(5)),
        ("h2", OpAMPConnectionSettings::default(), Interval::Off),
        ("h3", every(7, to(HOME)), Interval::Every(7)),
        ("h4", to(HOME), Interval::Off),
        ("h5", every(u64::MAX, to(HOME)), Interval::Every(24 * 60 * 60)),
    ] {
        assert_eq!(client.offered(hash, opamp), Step::Settled, "{hash}");
        assert!(client.is(hash, Status::Applied), "{hash}");
        assert_eq!(client.moves.interval(), expected, "{hash}");
    }
    client.offered("h6", every(9, OpAMPConnectionSettings::default()));
    assert_eq!(client.offered("h7", with_headers(&[("X-One", "1")])), Step::Move);
    client.moves.answered();
    assert_eq!(client.moves.interval(), Interval::Every(9), "headers alone say nothing of it");
}

/// C113, C114: what this host does not do is refused before anything is tried, in words.
#[test]
fn given_what_is_not_taken_when_offered_then_it_fails_at_once_and_names_the_reason() {
    let tls = |change: fn(&mut TLSConnectionSettings)| {
        let mut tls = TLSConnectionSettings::default();
        change(&mut tls);
        with_tls(tls)
    };
    let certificate = OpAMPConnectionSettings { certificate: Some(TLSCertificate::default()), ..to(AWAY) };
    let proxy = OpAMPConnectionSettings { proxy: Some(ProxyConnectionSettings::default()), ..to(AWAY) };
    let many: Vec<String> = (0..65).map(|number| format!("x-{number}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    let cases = [
        (certificate, "client certificates"),
        (proxy, "not the URL of a proxy"),
        (to("ftp://away.example/"), "ftp://"),
        (to("nonsense"), "not a URL"),
        (with_headers(&[("Host", "x")]), "supervisor's own"),
        (with_headers(&[("X-One", "a\r\nX-Two: b")]), "characters"),
        (with_headers(&many), "more than 64"),
        (tls(|tls| tls.insecure_skip_verify = true), "insecure_skip_verify is refused"),
        (tls(|tls| tls.min_version = "1.1".to_owned()), "TLS version 1.1"),
        (tls(|tls| tls.cipher_suites = vec!["NONE".to_owned()]), "cipher suite NONE"),
        (tls(|tls| tls.ca_pem_contents = "nonsense".to_owned()), "authorities"),
    ];
    let mut client = Client::new();
    for (index, (opamp, reason)) in cases.into_iter().enumerate() {
        let hash = index.to_string();
        assert_eq!(client.offered(&hash, opamp), Step::Settled, "{reason}");
        let (is, state, why) = client.status();
        assert_eq!((is, state), (hash, Status::Failed), "{reason}");
        assert!(why.contains(reason), "{why}");
        assert_eq!(client.moves.target(), &base());
    }
}

/// C098: an offer without a part for OpAMP is nothing for this client.
#[test]
fn given_an_offer_of_nothing_when_it_comes_then_nothing_is_said() {
    let mut client = Client::new();
    let offers =
        ConnectionSettingsOffers { hash: Bytes::from_static(b"h"), ..ConnectionSettingsOffers::default() };
    assert_eq!(client.moves.offered(offers, client.now), Step::Stay);
    assert_eq!(client.moves.status(), None);
}

/// C109: an offer without a hash is always taken.
#[test]
fn given_offers_without_a_hash_when_repeated_then_each_is_taken() {
    let mut client = Client::new();
    assert_eq!(client.offered("", every(5, to(HOME))), Step::Settled);
    assert_eq!(client.offered("", every(6, to(HOME))), Step::Settled);
    assert_eq!(client.moves.interval(), Interval::Every(6));
}

/// C100, C108: a restart finds the accepted settings, and tries those again that were being tried.
#[test]
fn given_kept_settings_when_started_again_then_they_are_in_force_and_a_trial_begins_anew() {
    let mut client = Client::new();
    client.offered("h1", every(5, to(AWAY)));
    client.moves.answered();
    client.offered("h2", to("ws://third.example/"));
    let mut again = Client::with(client.moves.kept().clone());
    assert_eq!(again.endpoint(), "ws://third.example/v1/opamp");
    assert!(again.is("h2", Status::Applying));
    assert_eq!(again.failed(true), Step::Move);
    assert!(again.is("h2", Status::Failed));
    assert_eq!((again.endpoint().as_str(), again.moves.interval()), (AWAY, Interval::Every(5)));
    let again = Client::with(again.moves.kept().clone());
    assert_eq!(again.endpoint(), AWAY);
    assert!(again.is("h2", Status::Failed), "the last answer is told again");
}

/// C108: the host's own settings are what is left when accepted ones lead nowhere.
#[test]
fn given_accepted_settings_that_lead_nowhere_when_started_then_the_hosts_own_take_turns_with_them() {
    let mut client = Client::new();
    client.offered("h1", every(5, to(AWAY)));
    client.moves.answered();
    let mut client = Client::with(client.moves.kept().clone());
    let turns: Vec<(Step, String)> =
        (0..2 * DOUBTS).map(|_| (client.failed(false), client.endpoint())).collect();
    let moved: Vec<usize> =
        turns.iter().enumerate().filter(|(_, turn)| turn.0 == Step::Move).map(|(at, _)| at).collect();
    assert_eq!(moved, [4, 9]);
    assert_eq!((turns[4].1.as_str(), turns[9].1.as_str()), (HOME, AWAY));
    let mut client = Client::with(client.moves.kept().clone());
    assert_eq!((0..DOUBTS).map(|_| client.failed(false)).last(), Some(Step::Move));
    assert!(client.is("h1", Status::Failed), "it is told truthfully what is in force");
    assert_eq!(client.moves.interval(), Interval::Own);
    client.moves.answered();
    assert_eq!(
        (0..LATER_DOUBTS - 1).map(|_| client.failed(false)).filter(|step| *step == Step::Move).count(),
        0
    );
    assert_eq!(client.offered("h2", to(AWAY)), Step::Move, "a new offer is tried");
}

/// A newer offer takes the place of one that is being tried.
#[test]
fn given_a_trial_when_another_offer_comes_then_that_one_counts() {
    let mut client = Client::new();
    client.offered("h1", to(AWAY));
    assert_eq!(client.offered("h2", to("ws://third.example/")), Step::Move);
    assert!(client.is("h2", Status::Applying));
    assert_eq!(client.offered("h3", to(HOME)), Step::Move);
    assert!(client.is("h3", Status::Applied));
    assert_eq!((client.endpoint().as_str(), client.moves.until()), (HOME, None));
}

/// C107: what cannot be kept is not accepted.
#[test]
fn given_a_state_folder_that_takes_nothing_when_settings_are_proven_then_the_old_ones_stay() {
    let mut client = Client::new();
    client.offered("h1", to(AWAY));
    client.moves.answered();
    assert_eq!(client.moves.not_kept("the disk is full"), Step::Move);
    let (hash, state, why) = client.status();
    assert_eq!((hash.as_str(), state), ("h1", Status::Failed));
    assert!(why.contains("the disk is full"), "{why}");
    assert_eq!(client.endpoint(), HOME);

    // What was kept before is not undone by what cannot be kept later.
    client.offered("h2", to(AWAY));
    client.moves.answered();
    client.offered("h3", to("ws://third.example/"));
    assert_eq!(client.moves.not_kept("the disk is full"), Step::Stay);
    assert_eq!(client.failed(true), Step::Move);
    assert_eq!(client.moves.not_kept("the disk is full"), Step::Stay);
    assert_eq!(client.endpoint(), AWAY);
}

/// C108, C193: the file is private, comes back as it was, and is dropped when the host's settings change or it is
/// damaged.
#[test]
fn given_a_file_of_settings_when_loaded_then_it_counts_for_the_same_host_settings_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let keeper = Keeper::new(folder.path(), &base(), true);
    assert_eq!(keeper.load(), Kept::default());
    let mut client = Client::new();
    client.offered("h1", every(5, with_headers(&[("Authorization", "Bearer secret")])));
    client.moves.answered();
    client.offered("h2", to(AWAY));
    keeper.store(client.moves.kept()).unwrap();
    assert_eq!(&keeper.load(), client.moves.kept());
    let path = folder.path().join("connection-settings.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    assert_eq!(Keeper::new(folder.path(), &base(), false).load(), Kept::default(), "not allowed any more");
    assert_eq!(&keeper.load(), client.moves.kept(), "and allowed again");
    let mut other = base();
    other.endpoint = AWAY.parse().unwrap();
    assert_eq!(Keeper::new(folder.path(), &other, true).load(), Kept::default());
    let whole = std::fs::read(&path).unwrap();
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..cut]).unwrap();
        assert_eq!(keeper.load(), Kept::default(), "{cut}");
    }
}

//! Connection settings that the server offers (OpAMP C.J): from one server to another and back.

use std::time::{Duration, Instant};

use tidegate_opamp::ws::{Close, close_code};
use tidegate_opamp::{
    AgentToServer, ConnectionSettingsOffers, ConnectionSettingsStatuses, Message as _,
    OpAMPConnectionSettings, ServerToAgent,
};
use tidegate_supervisor::settings::Allowed;

use crate::peer::{Connection, Listener, Said};
use crate::world::{Setup, World};

fn url(scheme: &str, listener: &Listener) -> String {
    format!("{scheme}://127.0.0.1:{}/v1/opamp", listener.port())
}

fn offer(hash: &'static str, endpoint: &str, interval: u64) -> ServerToAgent {
    let opamp = OpAMPConnectionSettings {
        destination_endpoint: endpoint.to_owned(),
        heartbeat_interval_seconds: interval,
        ..OpAMPConnectionSettings::default()
    };
    let offers = ConnectionSettingsOffers {
        hash: hash.as_bytes().into(),
        opamp: Some(opamp),
        ..ConnectionSettingsOffers::default()
    };
    ServerToAgent { connection_settings: Some(offers), ..ServerToAgent::default() }
}

async fn connected() -> (Listener, World, Connection) {
    let listener = Listener::new().await;
    let world = Setup::new("ws", listener.port()).start();
    let mut connection = listener.connection().await;
    let first = connection.message().await;
    assert_eq!(first.connection_settings_status, None);
    assert_eq!(first.capabilities & 0x8100, 0x8100);
    connection.send(&ServerToAgent::default()).await;
    (listener, world, connection)
}

/// Hash, state and reason of the status in a message.
fn status(message: &AgentToServer) -> (String, ConnectionSettingsStatuses, String) {
    let status = message.connection_settings_status.as_ref().expect("no status");
    let hash = String::from_utf8(status.last_connection_settings_hash.to_vec()).unwrap();
    (hash, status.status, status.error_message.clone())
}

fn is(message: &AgentToServer, hash: &str, state: ConnectionSettingsStatuses) -> bool {
    let (is, now, _) = status(message);
    is == hash && now == state
}

/// C099, C101, C102, C105, C106, C108: the farewell to the old server says `APPLYING`, the new one gets everything and
/// hears `APPLIED` once it has answered, and a restart goes there at once.
#[tokio::test]
async fn given_another_server_when_offered_then_the_agent_leaves_in_order_and_stays_there() {
    let (first, world, mut connection) = connected().await;
    let second = Listener::new().await;
    connection.send(&offer("h1", &url("ws", &second), 0)).await;
    let farewell = connection.message().await;
    assert!(farewell.agent_disconnect.is_some());
    assert!(is(&farewell, "h1", ConnectionSettingsStatuses::Applying));
    assert_eq!(connection.said().await, Said::Close(Some(Close::new(close_code::NORMAL, ""))));
    assert!(
        !second.is_asked_within(Duration::from_millis(300)).await,
        "C106: not before the old one is closed"
    );
    connection.close(close_code::NORMAL).await;

    let mut connection = second.connection().await;
    let message = connection.message().await;
    assert!(
        message.agent_description.is_some() && message.health.is_some() && message.effective_config.is_some()
    );
    assert!(is(&message, "h1", ConnectionSettingsStatuses::Applying));
    assert_eq!(message.sequence_num, farewell.sequence_num + 1, "C056");
    connection.send(&ServerToAgent::default()).await;
    assert!(is(&connection.message().await, "h1", ConnectionSettingsStatuses::Applied));
    assert!(!first.is_asked_within(Duration::from_millis(100)).await, "C179");

    let kept = std::fs::read_to_string(world.state.path().join("connection-settings.json")).unwrap();
    assert!(kept.contains(r#""candidate":null"#), "C105: nothing of the trial is left: {kept}");
    drop(connection);
    let state = world.left().await;
    let world = Setup { state: Some(state), ..Setup::new("ws", first.port()) }.start();
    let mut connection = second.connection().await;
    assert!(is(&connection.message().await, "h1", ConnectionSettingsStatuses::Applied));

    // A host that does not allow it any more speaks to its own server.
    drop(connection);
    let state = world.left().await;
    let setup = Setup { state: Some(state), ..Setup::new("ws", first.port()) };
    let allow = setup.allow.iter().copied().filter(|what| *what != Allowed::ConnectionSettings).collect();
    let _world = Setup { allow, ..setup }.start();
    assert_eq!(first.connection().await.message().await.connection_settings_status, None);
}

/// C099, C103: from one that is not there the agent is back soon, and says why.
#[tokio::test]
async fn given_a_server_that_is_not_there_when_offered_then_the_agent_is_back_and_says_failed() {
    let (first, _world, mut connection) = connected().await;
    let port = Listener::new().await.port();
    connection.send(&offer("h1", &format!("ws://127.0.0.1:{port}/"), 0)).await;
    assert!(connection.message().await.agent_disconnect.is_some());
    drop(connection);
    let mut connection = first.connection().await;
    let message = connection.message().await;
    let (hash, state, why) = status(&message);
    assert_eq!((hash.as_str(), state), ("h1", ConnectionSettingsStatuses::Failed));
    assert!(why.contains("cannot connect"), "{why}");
    // C109: the same offer again changes nothing.
    connection.send(&offer("h1", &format!("ws://127.0.0.1:{port}/"), 0)).await;
    connection.ping(b"still here").await;
    assert_eq!(connection.said().await, Said::Pong(b"still here".to_vec()));
}

/// C104: one that does not let the agent in is not asked twice.
#[tokio::test]
async fn given_a_server_that_answers_401_when_offered_then_the_agent_is_back_at_once() {
    let (first, _world, mut connection) = connected().await;
    let second = Listener::new().await;
    connection.send(&offer("h1", &url("ws", &second), 0)).await;
    assert!(connection.message().await.agent_disconnect.is_some());
    drop(connection);
    second.asked().await.answer("401 Unauthorized", "", b"").await;
    let mut connection = first.connection().await;
    let (_, state, why) = status(&connection.message().await);
    assert_eq!(state, ConnectionSettingsStatuses::Failed);
    assert!(why.contains("401"), "{why}");
}

/// C104: that a connection opens proves nothing.
#[tokio::test]
async fn given_a_server_that_closes_without_an_answer_when_offered_then_the_agent_is_back() {
    let (first, _world, mut connection) = connected().await;
    let second = Listener::new().await;
    connection.send(&offer("h1", &url("ws", &second), 0)).await;
    assert!(connection.message().await.agent_disconnect.is_some());
    drop(connection);
    for _ in 0..3 {
        drop(second.connection().await);
    }
    let mut connection = first.connection().await;
    let (_, state, why) = status(&connection.message().await);
    assert_eq!(state, ConnectionSettingsStatuses::Failed);
    assert!(why.contains("without an answer"), "{why}");
}

/// C099, C178: settings may change the transport, both ways, with a farewell each time.
#[tokio::test]
async fn given_another_transport_when_offered_then_the_agent_goes_on_by_it() {
    let (_first, _world, mut connection) = connected().await;
    let second = Listener::new().await;
    connection.send(&offer("h1", &url("http", &second), 0)).await;
    assert!(connection.message().await.agent_disconnect.is_some());
    drop(connection);
    let mut asked = second.asked().await;
    assert!(is(&asked.message().await, "h1", ConnectionSettingsStatuses::Applying));
    let third = Listener::new().await;
    let stream = asked.answer("200 OK", "", &offer("h2", &url("ws", &third), 0).encode_to_vec()).await;
    let mut asked = crate::peer::next(stream).await;
    let farewell = asked.message().await;
    assert!(farewell.agent_disconnect.is_some());
    assert!(is(&farewell, "h2", ConnectionSettingsStatuses::Applying));
    asked.answer("200 OK", "", b"").await;
    let mut connection = third.connection().await;
    assert!(is(&connection.message().await, "h2", ConnectionSettingsStatuses::Applying));
}

/// C106, C174: two servers that send the agent to each other do not make it run.
#[tokio::test]
async fn given_servers_that_send_the_agent_to_each_other_then_it_goes_ever_more_slowly() {
    let (first, _world, mut connection) = connected().await;
    let second = Listener::new().await;
    let hashes = ["h1", "h2", "h3", "h4", "h5", "h6", "h7", "h8"];
    let (began, mut moves) = (Instant::now(), 0);
    for (index, hash) in hashes.into_iter().enumerate() {
        let (there, next) =
            if index % 2 == 0 { (&second, url("ws", &second)) } else { (&first, url("ws", &first)) };
        connection.send(&offer(hash, &next, 0)).await;
        while connection.message().await.agent_disconnect.is_none() {}
        drop(connection);
        let left = Duration::from_secs(3).saturating_sub(began.elapsed());
        let Ok(arrived) = tokio::time::timeout(left, there.connection()).await else { break };
        connection = arrived;
        connection.message().await;
        moves += 1;
    }
    assert!((2..=4).contains(&moves), "{moves} moves in three seconds");
}

/// C069, C071, C072: an offered interval is kept to on the same connection; nothing ends heartbeats but an interval of
/// nothing.
#[tokio::test]
async fn given_an_interval_when_offered_then_heartbeats_come_at_it() {
    let (first, _world, mut connection) = connected().await;
    connection.send(&offer("h1", "", 1)).await;
    assert!(is(&connection.message().await, "h1", ConnectionSettingsStatuses::Applied));
    let began = Instant::now();
    for _ in 0..3 {
        let beat = connection.message().await;
        assert!(beat.health.is_none() && beat.connection_settings_status.is_none());
        connection.send(&ServerToAgent::default()).await;
    }
    assert!((2_500..6_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    connection.send(&offer("h2", &url("ws", &first), 0)).await;
    assert!(is(&connection.message().await, "h2", ConnectionSettingsStatuses::Applied));
    let silence = tokio::time::timeout(Duration::from_millis(2_500), connection.message()).await;
    assert!(silence.is_err(), "there are no heartbeats any more: {silence:?}");
}

/// C028: polls follow an offered interval.
#[tokio::test]
async fn given_an_interval_when_offered_to_one_that_polls_then_it_polls_at_it() {
    let listener = Listener::new().await;
    let _world = Setup::new("http", listener.port()).start();
    let mut asked = listener.asked().await;
    asked.message().await;
    let stream = asked.answer("200 OK", "", &offer("h1", "", 1).encode_to_vec()).await;
    let mut asked = crate::peer::next(stream).await;
    assert!(is(&asked.message().await, "h1", ConnectionSettingsStatuses::Applied));
    let stream = asked.answer("200 OK", "", b"").await;
    let began = Instant::now();
    crate::peer::next(stream).await.message().await;
    assert!((800..3_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
}

/// C006, C008, C069: a host that does not allow it stays where it is and says nothing of it; but how often to speak is
/// the server's to say.
#[tokio::test]
async fn given_a_host_that_allows_nothing_when_settings_are_offered_then_the_interval_alone_is_taken() {
    let listener = Listener::new().await;
    let mut setup = Setup::new("ws", listener.port());
    let settings = [Allowed::ConnectionSettings, Allowed::OwnTelemetry, Allowed::OwnTelemetryHttp];
    setup.allow.retain(|what| !settings.contains(what));
    let world = setup.start();
    let mut connection = listener.connection().await;
    assert_eq!(connection.message().await.capabilities & 0x8100, 0);
    let second = Listener::new().await;
    connection.send(&offer("h1", &url("ws", &second), 1)).await;
    let beat = connection.message().await;
    assert_eq!((beat.connection_settings_status, beat.agent_disconnect), (None, None));
    assert!(!second.is_asked_within(Duration::from_millis(100)).await);
    drop(world);
}

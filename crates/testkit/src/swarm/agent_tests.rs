use tidegate_opamp::{
    AgentConfigMap, ConnectionSettingsOffers, OpAMPConnectionSettings, RetryInfo, ServerToAgentCommand,
};

use super::*;

const NOW: u64 = 1_800_000_000_000_000_000;

fn world(failure_share: f64) -> World {
    let behaviour = Behaviour { failure_share, ..Behaviour::default() };
    World { load: Load::new(1), behaviour, offers: HashMap::new() }
}

fn offer(hash: &'static str, body: &'static str) -> ServerToAgent {
    let files = [("a.yaml".to_owned(), load::file(Bytes::from_static(body.as_bytes()), ""))].into();
    let config = AgentRemoteConfig {
        config: Some(AgentConfigMap { config_map: files, ..AgentConfigMap::default() }),
        config_hash: Bytes::from_static(hash.as_bytes()),
        ..AgentRemoteConfig::default()
    };
    ServerToAgent { remote_config: Some(config), ..ServerToAgent::default() }
}

fn sent(outcome: &Outcome) -> Vec<&AgentToServer> {
    let message = |act: &'_ Act| matches!(act, Act::Send(_));
    outcome
        .acts
        .iter()
        .filter(|act| message(act))
        .map(|act| match act {
            Act::Send(message) => &**message,
            _ => unreachable!("filtered"),
        })
        .collect()
}

fn reminder(outcome: &Outcome) -> Due {
    let due = outcome.acts.iter().find_map(|act| match act {
        Act::Later(_, due) => Some(*due),
        _ => None,
    });
    due.expect("a reminder")
}

#[test]
fn given_an_offer_when_it_is_taken_then_it_is_applied_later_and_reported_as_a_supervisor_does() {
    let mut world = world(0.0);
    let mut agent = Agent::new(3, Profile::Full, &world, NOW);
    let first = agent.greet(&world, NOW);
    assert!(first.agent_description.is_some() && first.health.is_some() && first.effective_config.is_some());
    let taken = agent.receive(offer("one", "a: 1"), &mut world, NOW);
    assert_eq!(taken.notes, [Note::Offer]);
    let status = sent(&taken)[0].remote_config_status.as_ref().unwrap();
    assert_eq!(
        (status.status, &status.last_remote_config_hash[..]),
        (RemoteConfigStatuses::Applying, &b"one"[..])
    );
    let settled = agent.due(reminder(&taken), &world, NOW);
    assert_eq!(settled.notes, [Note::Applied]);
    let report = sent(&settled)[0];
    assert_eq!(report.remote_config_status.as_ref().unwrap().status, RemoteConfigStatuses::Applied);
    let files = &report.effective_config.as_ref().unwrap().config_map.as_ref().unwrap().config_map;
    assert_eq!(files.keys().collect::<Vec<_>>(), ["a.yaml", RENDERED]);
    assert_eq!(agent.receive(offer("one", "a: 1"), &mut world, NOW).notes, [Note::OfferRepeated]);
}

#[test]
fn given_a_newer_offer_when_the_older_is_due_then_only_the_newer_counts() {
    let mut world = world(1.0);
    let mut agent = Agent::new(3, Profile::Small, &world, NOW);
    let older = agent.receive(offer("one", "a: 1"), &mut world, NOW);
    let newer = agent.receive(offer("two", "a: 2"), &mut world, NOW);
    assert_eq!(agent.due(reminder(&older), &world, NOW), Outcome::default());
    let settled = agent.due(reminder(&newer), &world, NOW);
    assert_eq!(settled.notes, [Note::Failed]);
    let message = sent(&settled)[0];
    let status = message.remote_config_status.as_ref().unwrap();
    assert_eq!(&status.last_remote_config_hash[..], b"two");
    assert!(status.error_message.contains("dry run") && message.effective_config.is_none());
}

#[test]
fn given_each_kind_of_order_when_received_then_it_is_carried_out() {
    let mut world = world(0.0);
    let mut agent = Agent::new(3, Profile::Small, &world, NOW);
    let command = ServerToAgentCommand { kind: CommandType::Restart, ..Default::default() };
    let restart = ServerToAgent { command: Some(command), ..Default::default() };
    let told = agent.receive(restart, &mut world, NOW);
    let back = agent.due(reminder(&told), &world, NOW + 5);
    assert_eq!(sent(&back)[0].health.as_ref().unwrap().start_time_unix_nano, NOW + 5);

    let opamp = OpAMPConnectionSettings { heartbeat_interval_seconds: 10, ..Default::default() };
    let hash = Bytes::from_static(b"h");
    let offers = ConnectionSettingsOffers { hash, opamp: Some(opamp), ..Default::default() };
    let message = ServerToAgent { connection_settings: Some(offers), ..Default::default() };
    let set = agent.receive(message, &mut world, NOW);
    assert!(set.acts.contains(&Act::Heartbeat(Duration::from_secs(10))));
    let status = sent(&set)[0].connection_settings_status.as_ref().unwrap();
    assert_eq!(
        (&status.last_connection_settings_hash[..], status.status),
        (&b"h"[..], ConnectionSettingsStatuses::Applied)
    );

    let mut request = tidegate_custom::chatops::Request::new("app", serde_json::Map::new());
    request.id = Some("c1".to_owned());
    let custom = request.to_message(tidegate_custom::CHATOPS).unwrap();
    let message = ServerToAgent { custom_message: Some(custom), ..Default::default() };
    let answered = agent.receive(message, &mut world, NOW);
    let answer = sent(&answered)[0].custom_message.as_ref().unwrap();
    assert_eq!(tidegate_custom::message_id(&answer.data).as_deref(), Some("c1"));

    let flags = server_to_agent_flags::REPORT_FULL_STATE;
    let all = agent.receive(ServerToAgent { flags, ..Default::default() }, &mut world, NOW);
    assert!(sent(&all)[0].agent_description.is_some());
    assert_eq!(all.notes, [Note::FullState]);
}

#[test]
fn given_a_server_that_is_unavailable_when_it_says_so_then_the_agent_is_silent_as_long_as_told() {
    let mut world = world(0.0);
    let mut agent = Agent::new(3, Profile::Small, &world, NOW);
    let retry_info = Some(RetryInfo { retry_after_nanoseconds: 5_000_000_000, ..Default::default() });
    let kind = ServerErrorResponseType::Unavailable;
    let error = ServerErrorResponse { kind, retry_info, ..Default::default() };
    let told =
        agent.receive(ServerToAgent { error_response: Some(error), ..Default::default() }, &mut world, NOW);
    assert_eq!(told.acts, [Act::Hush(Duration::from_secs(5))]);
    assert_eq!(told.notes, [Note::Unavailable]);
}

#[test]
fn given_messages_of_every_kind_when_sent_then_their_numbers_follow_each_other() {
    let world = world(0.0);
    let mut agent = Agent::new(3, Profile::Small, &world, NOW);
    let numbers = [
        agent.greet(&world, NOW).sequence_num,
        agent.heartbeat().sequence_num,
        agent.change_health(NOW).sequence_num,
        agent.greet(&world, NOW).sequence_num,
        agent.farewell().sequence_num,
    ];
    assert_eq!(numbers, [1, 2, 3, 4, 5]);
}

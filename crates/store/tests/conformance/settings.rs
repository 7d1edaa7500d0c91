//! Connection settings: the rules, and what agents were offered.

use tidegate_fleet::settings::*;

use super::*;

fn rule(name: &str, target: Target, heartbeat: Option<Heartbeat>) -> Rule {
    let header = Header { key: "Authorization".into(), value: "Bearer secret".into(), ..Header::default() };
    let opamp = OpAMPConnectionSettings {
        destination_endpoint: "wss://b.example/v1/opamp".into(),
        headers: Some(Headers { headers: vec![header], ..Headers::default() }),
        ..OpAMPConnectionSettings::default()
    };
    let metrics = TelemetryConnectionSettings {
        destination_endpoint: "https://otlp.example/v1/metrics".into(),
        ..TelemetryConnectionSettings::default()
    };
    let other =
        OtherConnectionSettings { destination_endpoint: "db:1".into(), ..OtherConnectionSettings::default() };
    Rule {
        name: RuleName::parse(name).unwrap(),
        target,
        priority: -3,
        settings: Settings {
            heartbeat: heartbeat.map(|interval| HeartbeatSetting { interval, force: true }),
            opamp: Some(opamp),
            own: [Some(metrics), None, None],
            other: [("db".to_owned(), other)].into(),
        },
        actor: "admin".into(),
        at: Timestamp(5),
        revision: 7,
    }
}

fn record() -> Record {
    let opamp = OfferedOpamp {
        hash: [1; 32],
        at: Timestamp(20),
        interval: Heartbeat::Every(10),
        moved_to: Some("wss://b.example/v1/opamp".into()),
    };
    Record {
        offered: Some(Offered { hash: [2; 32], at: Timestamp(21), opamp: Some(opamp) }),
        own_told: 0b101,
        in_force: Some(Heartbeat::Off),
    }
}

fn offered(number: u8) -> Agent {
    let mut agent = agent(number);
    agent.settings = Some(Box::new(Held::stored(record())));
    agent
}

#[tokio::test]
async fn given_rules_for_every_kind_of_target_when_reopened_then_they_are_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let mut rules = [
        rule("all", Target::Fleet, Some(Heartbeat::Every(10))),
        rule("one", Target::Agent(uid(1)), Some(Heartbeat::Off)),
        rule("some", Target::Selector(Selector::parse("service:fluent-bit").unwrap()), None),
    ];
    let writes = rules.iter().map(|rule| Write::SettingsRule(Box::new(rule.clone()))).collect();
    open().commit(Transaction::intent(audit("rules"), writes)).await.unwrap();
    let store = open();
    assert_eq!(store.load().unwrap().settings_rules, rules);
    rules[2].priority = 4;
    let changes = vec![
        Write::SettingsRule(Box::new(rules[2].clone())),
        Write::RemoveSettingsRule(rules[0].name.clone()),
    ];
    store.commit(Transaction::intent(audit("rules"), changes)).await.unwrap();
    assert_eq!(store.load().unwrap().settings_rules, rules[1..]);
}

/// S115, S117: what an agent was offered outlives the server, so that a restart offers nothing twice.
#[tokio::test]
async fn given_an_agent_that_was_offered_settings_when_reopened_then_the_record_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let open = durable(&folder);
    let writes = vec![Write::Agent(Box::new(offered(1))), Write::Agent(Box::new(agent(2)))];
    open().commit(Transaction::observed(writes)).await.unwrap();
    let settings: Vec<_> = open().load().unwrap().agents.into_iter().map(|agent| agent.settings).collect();
    assert_eq!(settings, [Some(Box::new(Held::stored(record()))), None]);
}

#[tokio::test]
async fn given_an_agent_with_settings_when_renamed_and_forgotten_then_they_follow_it() {
    let store = memory();
    let mine = rule("one", Target::Agent(uid(1)), None);
    let writes = vec![Write::Agent(Box::new(offered(1))), Write::SettingsRule(Box::new(mine))];
    store.commit(Transaction::observed(writes)).await.unwrap();
    let alias = Alias { old: uid(1), new: uid(9), since: Timestamp(3) };
    store.commit(Transaction::observed(vec![Write::Rename(alias)])).await.unwrap();
    let snapshot = store.load().unwrap();
    assert_eq!(snapshot.agents[0].settings, Some(Box::new(Held::stored(record()))));
    assert_eq!(snapshot.settings_rules[0].target, Target::Agent(uid(9)));
    store.commit(Transaction::observed(vec![Write::Forget(uid(9))])).await.unwrap();
    store.commit(Transaction::observed(vec![Write::Agent(Box::new(agent(9)))])).await.unwrap();
    let snapshot = store.load().unwrap();
    assert_eq!(snapshot.agents[0].settings, None);
    assert_eq!(snapshot.settings_rules.len(), 1, "an operator's word stays until it is taken back");
}

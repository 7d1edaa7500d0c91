use tidegate_opamp::TelemetryConnectionSettings;

use super::*;
use crate::{
    agent::AgentReport,
    child::LogTail,
    kind::{Source, fluent_bit::FluentBit},
    machine::{ConfigLimits, Origin, Ports},
    own::Cleartext,
    report::{Host, Publisher},
};

/// A machine whose state folder says that metrics and logs are sent, and what was answered last.
async fn machine(answer: ConnectionSettingsStatuses) -> (Machine, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let state = StateDir::open(&folder.path().join("state")).unwrap();
    let to = |endpoint: &str| {
        Some(TelemetryConnectionSettings {
            destination_endpoint: endpoint.to_owned(),
            ..TelemetryConnectionSettings::default()
        })
    };
    let mut kept = Kept {
        metrics: to("https://otlp.example/v1/metrics"),
        logs: to("https://otlp.example/v1/logs"),
        answer: None,
    };
    kept.say("h".into(), answer, "");
    state.save_own_telemetry(&kept).unwrap();
    let fixed = Fixed {
        kind: Arc::new(FluentBit),
        binary: "/none".into(),
        uid: "01902d3c-7a5e-7000-8000-00000000abcd".parse().unwrap(),
        host: Host::of_this_machine(),
        attributes: std::collections::BTreeMap::new(),
        redaction: None,
        metrics_interval: None,
        own_telemetry: Some(Cleartext::Loopback),
        limits: ConfigLimits::default(),
        cwd: state.run(),
    };
    let text = "pipeline:\n  inputs:\n    - name: dummy\n  outputs:\n    - name: \"null\"\n";
    let source = Source { path: folder.path().join("c.yaml"), text: text.to_owned() };
    let loaded =
        Loaded::prepare(&fixed, &state, Origin::Local, source, Vec::new(), Ports::default()).await.unwrap();
    let log = LogTail::open(&state.log()).unwrap();
    let (publisher, _) = Publisher::new(AgentReport::default());
    (Machine::new(fixed, state, log, "5.1.1".into(), loaded, publisher), folder)
}

/// The resource of a signal, as the file that the config includes sets it.
fn resource(carrying: &Loaded, at: usize) -> Vec<(String, String)> {
    let (path, text) = &carrying.rendered.includes[0];
    assert!(path.to_str().unwrap().contains("/run/own-telemetry-"), "{path:?}");
    let parsed: serde_json::Value = serde_saphyr::from_str(text).unwrap();
    let processors = &parsed["pipeline"]["inputs"][at]["processors"];
    let all = processors.get("metrics").or(processors.get("logs")).unwrap().as_array().unwrap();
    let set = all.iter().filter(|processor| processor["context"] == "otel_resource_attributes");
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    set.map(|processor| (text(&processor["key"]), text(&processor["value"]))).collect()
}

/// C067, C122: metrics and logs are sent from a resource with each attribute that identifies the agent; the config
/// itself stays as it is.
#[tokio::test]
async fn given_destinations_when_a_config_carries_them_then_each_signal_names_who_the_agent_is() {
    let (machine, _folder) = machine(ConnectionSettingsStatuses::Applied).await;
    let Fixed { kind, uid, host, attributes, .. } = &machine.fixed;
    let described = describe(kind.service_name(), "5.1.1", uid, host, attributes);
    let identity: Vec<_> = described
        .identifying_attributes
        .iter()
        .map(|pair| (pair.key.clone(), pair.value.as_ref().unwrap().to_string()))
        .collect();
    assert_eq!(identity.len(), 3, "{identity:?}");
    let carrying = machine.carry(machine.loaded.clone());
    assert_eq!((resource(&carrying, 0), resource(&carrying, 1)), (identity.clone(), identity));
    assert_eq!(carrying.rendered.bare(), machine.loaded.rendered.text);
    let mut bare = carrying.clone();
    bare.rendered.detach();
    assert_eq!(bare, machine.loaded);
}

/// C048: a new uid is that of the resource as well.
#[tokio::test]
async fn given_a_new_uid_when_a_config_carries_own_telemetry_then_it_is_sent_under_it() {
    let (mut machine, _folder) = machine(ConnectionSettingsStatuses::Applied).await;
    let uid = InstanceUid::v7(1, [1; 10]);
    machine.rename_own(uid);
    assert!(machine.own.stale, "what runs is to be renewed");
    let carrying = machine.carry(machine.loaded.clone());
    assert!(resource(&carrying, 0).contains(&("service.instance.id".to_owned(), uid.to_string())));
}

/// C120: an apply that no supervisor saw the end of is told as failed.
#[tokio::test]
async fn given_an_apply_that_was_cut_off_when_the_next_supervisor_starts_then_it_has_failed() {
    for (before, after) in [
        (ConnectionSettingsStatuses::Applying, ConnectionSettingsStatuses::Failed),
        (ConnectionSettingsStatuses::Applied, ConnectionSettingsStatuses::Applied),
    ] {
        let (mut machine, _folder) = machine(before).await;
        machine.own_was_interrupted();
        assert_eq!(machine.state.own_telemetry().answer.unwrap().status, after);
    }
}

/// C120: what is not sent, for the agent did not live with it, is told as failed and in no config.
#[tokio::test]
async fn given_an_agent_that_crashes_again_and_again_when_it_carries_own_telemetry_then_it_is_given_up() {
    let (mut machine, _folder) = machine(ConnectionSettingsStatuses::Applied).await;
    machine.loaded = machine.carry(machine.loaded.clone());
    machine.give_own_up();
    assert!(machine.loaded.rendered.own.is_none() && machine.carry(machine.loaded.clone()) == machine.loaded);
    let told = machine.publisher.newest().own_telemetry.unwrap().status.clone().unwrap();
    assert_eq!(told.status, ConnectionSettingsStatuses::Failed);
    assert!(told.error_message.contains("crashed again and again"), "{told:?}");
}

/// C120: what is only checked, and refused, changes nothing of what the agent has loaded and leaves no credentials.
#[tokio::test]
async fn given_destinations_that_run_when_others_are_checked_and_refused_then_the_files_that_run_stay_as_they_are()
 {
    let (mut machine, _folder) = machine(ConnectionSettingsStatuses::Applied).await;
    // A program that refuses every config.
    machine.fixed.binary = "/bin/false".into();
    machine.loaded = machine.carry(machine.loaded.clone());
    machine.install(&machine.loaded.rendered).unwrap();
    let files = |machine: &Machine| {
        let entries = fs::read_dir(machine.state.run()).unwrap().map(|entry| entry.unwrap().path());
        entries
            .map(|path| (fs::read_to_string(&path).unwrap(), path))
            .collect::<std::collections::BTreeSet<_>>()
    };
    let before = files(&machine);
    let former = machine.keep_own(Kept { logs: None, ..machine.own.kept.clone() });
    let next = machine.carry(machine.loaded.clone());
    assert_ne!(next.rendered.includes, machine.loaded.rendered.includes);
    assert!(machine.check(&next.rendered).await.is_err());
    assert!(!machine.is_edited(), "what runs stands as it stood");
    machine.keep_own(former);
    machine.sweep_own();
    assert_eq!(files(&machine), before);
}

//! Values that tests render.

use std::collections::BTreeMap;

use tidegate_api::{Agent, AgentDetail, Attention, Axis, ConfigAxis, Service, Timestamp};

/// The time of the tests.
pub(crate) fn now() -> Timestamp {
    at(0)
}

/// A time so many seconds before now.
pub(crate) fn at(seconds_ago: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 - seconds_ago).unwrap()
}

pub(crate) fn axis(value: &str, seconds_ago: i64, reason: &str) -> Axis {
    Axis { value: value.into(), observed_at: at(seconds_ago), reason: reason.into() }
}

/// A connected agent to which nothing is wrong.
pub(crate) fn agent(uid: &str, name: &str) -> Agent {
    Agent {
        uid: uid.into(),
        name: name.into(),
        service: Service { name: Some("fluent-bit".into()), version: Some("5.1.1".into()) },
        connection: axis("connected", 3600, ""),
        health: axis("healthy", 5, ""),
        config: ConfigAxis {
            axis: axis("in-sync", 120, ""),
            desired: Some("aabbccddeeff00112233".into()),
            acknowledged: Some("aabbccddeeff00112233".into()),
            push: None,
            proof: Some("proven".into()),
        },
        attention: Attention { level: "ok".into(), reason: String::new() },
        heartbeat: None,
        transport: Some("websocket".into()),
        first_seen: at(86_400),
        last_seen: at(5),
        started_at: Some(at(3600)),
        attributes: BTreeMap::from([("os.type".into(), "linux".into())]),
        labels: BTreeMap::new(),
        capabilities: vec!["ReportsStatus".into()],
        custom_capabilities: vec!["io.tidegate.echo".into()],
    }
}

/// The same agent in full.
pub(crate) fn detail(agent: Agent) -> AgentDetail {
    AgentDetail {
        agent,
        components: BTreeMap::new(),
        effective_config: vec![],
        desired_config: vec![],
        available_components: None,
        schema: None,
        connection_settings: None,
    }
}

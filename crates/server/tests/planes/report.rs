//! What agents report.

use std::collections::BTreeMap;

use bytes::Bytes;
use tidegate_opamp::{
    AgentCapabilities, AgentConfigMap, AgentConfigObject, AgentDescription, AgentToServer, ComponentHealth,
    CustomCapabilities, EffectiveConfig, InstanceUid, KeyValue, RemoteConfigStatus, RemoteConfigStatuses,
    ServerErrorResponseType, ServerToAgent,
};

/// Reports status, takes configs and restarts, says what it runs and how it fares.
pub(crate) const CAPABILITIES: u64 = 0x1 | 0x2 | 0x4 | 0x400 | 0x800 | 0x1000;

/// A capability of the catalogue that never answers.
pub(crate) const NULL: &str = tidegate_custom::NULL_COMMAND;

/// An agent that counts its messages.
#[derive(Clone, Debug)]
pub(crate) struct Reporter {
    pub(crate) uid: InstanceUid,
    pub(crate) name: String,
    /// The number of the last message.
    pub(crate) number: u64,
    pub(crate) capabilities: u64,
}

impl Reporter {
    /// The agent of a number; equal numbers are the same agent.
    pub(crate) fn new(index: u16) -> Self {
        let mut bytes = [0x11; 16];
        bytes[14..].copy_from_slice(&index.to_be_bytes());
        Self {
            uid: InstanceUid::from_bytes(&bytes).unwrap(),
            name: format!("host-{index}"),
            number: 0,
            capabilities: CAPABILITIES,
        }
    }

    pub(crate) fn without(mut self, capability: AgentCapabilities) -> Self {
        self.capabilities &= !capability.0;
        self
    }

    /// The next message with nothing in it but uid and number.
    pub(crate) fn heartbeat(&mut self) -> AgentToServer {
        self.number = self.number.wrapping_add(1);
        AgentToServer {
            instance_uid: self.uid.to_wire(),
            sequence_num: self.number,
            ..AgentToServer::default()
        }
    }

    /// The next message, with capabilities and a description: a report that leaves nothing to ask for.
    pub(crate) fn full(&mut self) -> AgentToServer {
        AgentToServer {
            capabilities: self.capabilities,
            agent_description: Some(description(&self.name)),
            custom_capabilities: Some(CustomCapabilities {
                capabilities: vec![NULL.to_owned()],
                ..CustomCapabilities::default()
            }),
            ..self.heartbeat()
        }
    }

    /// The next message, which says how far a config has come.
    pub(crate) fn status(&mut self, hash: &[u8], status: RemoteConfigStatuses) -> AgentToServer {
        let remote_config_status = Some(RemoteConfigStatus {
            last_remote_config_hash: Bytes::copy_from_slice(hash),
            status,
            ..RemoteConfigStatus::default()
        });
        AgentToServer { remote_config_status, ..self.heartbeat() }
    }

    /// The next message, with the health of the agent and no component; `start` counts from a day of 2023, 0 is never.
    pub(crate) fn health(&mut self, healthy: bool, start: u64, error: &str) -> AgentToServer {
        let health = ComponentHealth {
            healthy,
            start_time_unix_nano: if start == 0 { 0 } else { 1_700_000_000_000_000_000 + start },
            last_error: error.to_owned(),
            ..ComponentHealth::default()
        };
        AgentToServer { health: Some(health), ..self.heartbeat() }
    }
}

pub(crate) fn description(name: &str) -> AgentDescription {
    AgentDescription {
        identifying_attributes: vec![KeyValue::text("service.name", "fluent-bit")],
        non_identifying_attributes: vec![KeyValue::text("host.name", name)],
        ..AgentDescription::default()
    }
}

pub(crate) fn config_map<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> AgentConfigMap {
    let object = |body: &[u8]| AgentConfigObject {
        body: Bytes::copy_from_slice(body),
        ..AgentConfigObject::default()
    };
    let config_map: BTreeMap<_, _> =
        files.into_iter().map(|(name, body)| (name.to_owned(), object(body))).collect();
    AgentConfigMap { config_map, ..AgentConfigMap::default() }
}

pub(crate) fn effective<'a>(files: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> EffectiveConfig {
    EffectiveConfig { config_map: Some(config_map(files)), ..EffectiveConfig::default() }
}

/// Asserts that a message is nothing but an acknowledgement to `agent` (OpAMP S065).
pub(crate) fn assert_ack(reply: &ServerToAgent, agent: &Reporter) {
    let ack = ServerToAgent { instance_uid: agent.uid.to_wire(), ..ServerToAgent::default() };
    assert_eq!(*reply, ack);
}

/// Asserts that a message refuses what `uid` sent and says nothing else (OpAMP S066, S067, S179, S180); gives the
/// reason.
pub(crate) fn assert_refusal<'a>(reply: &'a ServerToAgent, uid: &[u8]) -> &'a str {
    let error = reply.error_response.as_ref().unwrap_or_else(|| panic!("not refused: {reply:?}"));
    assert_eq!(error.kind, ServerErrorResponseType::BadRequest);
    assert!(
        !error.error_message.is_empty() && !error.error_message.contains(".rs"),
        "{}",
        error.error_message
    );
    let bare = ServerToAgent {
        instance_uid: Bytes::copy_from_slice(uid),
        error_response: Some(error.clone()),
        ..ServerToAgent::default()
    };
    assert_eq!(*reply, bare);
    &error.error_message
}

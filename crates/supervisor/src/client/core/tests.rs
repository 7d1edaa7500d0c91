mod always;
mod components;
mod digests;
mod own;
mod received;
mod sent;

use std::sync::Arc;

use tidegate_custom::{CHATOPS, NULL_COMMAND, prefixed};
use tidegate_opamp::{
    AgentConfigMap, AgentConfigObject, AgentDescription, AgentIdentification, AgentRemoteConfig,
    ComponentHealth, CustomCapabilities, EffectiveConfig, KeyValue, RemoteConfigStatus, RetryInfo,
    ServerToAgentCommand,
};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const HEARTBEAT: Duration = Duration::from_secs(30);

fn uid() -> InstanceUid {
    InstanceUid::v7(1, [1; 10])
}

fn health(status: &str) -> Arc<ComponentHealth> {
    Arc::new(ComponentHealth { healthy: true, status: status.to_owned(), ..ComponentHealth::default() })
}

fn effective(body: &str) -> Arc<EffectiveConfig> {
    let object = AgentConfigObject { body: body.to_owned().into(), ..AgentConfigObject::default() };
    let map = AgentConfigMap { config_map: [(String::new(), object)].into(), ..AgentConfigMap::default() };
    Arc::new(EffectiveConfig { config_map: Some(map), ..EffectiveConfig::default() })
}

fn report() -> AgentReport {
    AgentReport {
        description: Arc::new(AgentDescription {
            identifying_attributes: vec![KeyValue::text("service.instance.id", uid().to_string())],
            ..AgentDescription::default()
        }),
        health: health("running"),
        effective_config: effective("a"),
        remote_config_status: None,
        digest: None,
        available_components: None,
        own_telemetry: None,
    }
}

/// A machine and its clock.
struct Client {
    core: Core,
    now: Instant,
    report: AgentReport,
}

impl Client {
    fn new() -> Self {
        Self::allowing(capabilities(true, true), 1 << 20)
    }

    fn allowing(capabilities: AgentCapabilities, max_message_bytes: usize) -> Self {
        let settings = CoreSettings {
            capabilities,
            custom_capabilities: vec![NULL_COMMAND.to_owned(), CHATOPS.to_owned()],
            heartbeat: HEARTBEAT,
            max_message_bytes,
        };
        Self { core: Core::new(settings, uid(), 0, report()), now: Instant::now(), report: report() }
    }

    /// One whose first report was sent and answered, some time ago.
    fn settled() -> Self {
        let mut client = Self::new();
        client.take().unwrap();
        client.receive(ServerToAgent::default());
        client.now += 5 * SECOND;
        client
    }

    fn take(&mut self) -> Option<AgentToServer> {
        self.core.take(self.now)
    }

    fn receive(&mut self, message: ServerToAgent) -> Vec<Effect> {
        self.core.received(message)
    }

    fn change_health(&mut self, status: &str) {
        self.report.health = health(status);
        self.core.report(self.report.clone());
    }

    fn due_in(&self) -> Duration {
        self.core.due(self.now).duration_since(self.now)
    }
}

/// The parts that a message carries, by letter.
fn parts(message: &AgentToServer) -> String {
    let present = [
        ('d', message.agent_description.is_some()),
        ('h', message.health.is_some()),
        ('e', message.effective_config.is_some()),
        ('r', message.remote_config_status.is_some()),
        ('c', message.custom_capabilities.is_some()),
        ('a', message.available_components.is_some()),
        ('m', message.custom_message.is_some()),
        ('x', message.agent_disconnect.is_some()),
    ];
    present.iter().filter(|(_, is)| *is).map(|(letter, _)| letter).collect()
}

fn server(capabilities: u64, custom: &[&str]) -> ServerToAgent {
    ServerToAgent {
        capabilities,
        custom_capabilities: Some(CustomCapabilities {
            capabilities: custom.iter().map(|name| (*name).to_owned()).collect(),
            ..CustomCapabilities::default()
        }),
        ..ServerToAgent::default()
    }
}

fn full_state() -> ServerToAgent {
    ServerToAgent { flags: server_to_agent_flags::REPORT_FULL_STATE, ..ServerToAgent::default() }
}

fn error(kind: ServerErrorResponseType, retry: Option<u64>) -> ServerToAgent {
    ServerToAgent {
        error_response: Some(ServerErrorResponse {
            kind,
            retry_info: retry
                .map(|retry_after_nanoseconds| RetryInfo { retry_after_nanoseconds, ..RetryInfo::default() }),
            ..ServerErrorResponse::default()
        }),
        remote_config: Some(AgentRemoteConfig::default()),
        ..ServerToAgent::default()
    }
}

fn custom(capability: &str) -> CustomMessage {
    CustomMessage { capability: capability.to_owned(), kind: "k".to_owned(), ..CustomMessage::default() }
}

/// What is logged meanwhile.
fn logged(act: impl FnOnce()) -> String {
    // While there is one subscriber only, what tests on other threads pass first is never logged on this one.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::default());
    let (sender, receiver) = std::sync::mpsc::channel();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || Lines(sender.clone()));
    tracing::subscriber::with_default(subscriber.finish(), act);
    receiver.iter().collect()
}

/// Sends on what is written to it.
struct Lines(std::sync::mpsc::Sender<String>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.0.send(text).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

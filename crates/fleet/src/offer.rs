//! The one builder of messages to an agent: the reply to its report and the message sent unasked are the same
//! function, so that neither can offer what the other would not.

use tidegate_opamp::{
    AgentCapabilities, AgentIdentification, AgentRemoteConfig, CommandType, CustomCapabilities,
    CustomMessage, RetryInfo, ServerCapabilities, ServerErrorResponse, ServerErrorResponseType,
    ServerToAgent, ServerToAgentCommand, server_to_agent_flags,
};

pub use crate::occasion::Occasion;
use crate::{Agent, Command, CommandId, CommandKind, CommandState, Timestamp, settings};

/// What this server says of itself.
#[derive(Clone, Debug)]
pub struct Profile {
    /// What it can do.
    pub capabilities: ServerCapabilities,
    /// Its custom capabilities, by bare name.
    pub custom_capabilities: Vec<String>,
}

/// A message to an agent, and what sending it means.
#[derive(Debug)]
pub struct Offer {
    /// The message.
    pub message: ServerToAgent,
    /// The command it carries, marked as sent: the caller commits that before the message leaves.
    pub sent: Option<CommandId>,
}

impl Offer {
    /// True when a message sent unasked would say nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        ServerToAgent { instance_uid: self.message.instance_uid.clone(), ..ServerToAgent::default() }
            == self.message
    }
}

/// Builds the message that `agent` should get now.
pub fn build(
    agent: &mut Agent,
    commands: &mut [Command],
    profile: &Profile,
    occasion: Occasion,
    ask_full_state: bool,
    now: Timestamp,
) -> Offer {
    let mut message = ServerToAgent { instance_uid: agent.uid.to_wire(), ..ServerToAgent::default() };
    if occasion == Occasion::Introduction {
        message.capabilities = profile.capabilities.0;
    }
    let start_time = agent.start_time();
    if !ask_full_state
        && agent.capabilities.contains(AgentCapabilities::ACCEPTS_RESTART_COMMAND)
        && let Some(restart) = next(commands, |kind| matches!(kind, CommandKind::Restart))
    {
        // A command stands alone with uid and capabilities (OpAMP S158); the rest waits for the next message.
        message.command = Some(ServerToAgentCommand { kind: CommandType::Restart, ..Default::default() });
        restart.mark_sent(now, start_time);
        return Offer { message, sent: Some(restart.id.clone()) };
    }
    if ask_full_state {
        message.flags = server_to_agent_flags::REPORT_FULL_STATE;
    }
    if occasion == Occasion::Introduction {
        message.custom_capabilities = introduction(profile).custom_capabilities;
    }
    // A reply repeats an offer until it is acknowledged (OpAMP S098); what is sent unasked says it once.
    let offered = agent.desired().is_some_and(|desired| desired.offered_at.is_some());
    if occasion != Occasion::Push || !offered {
        message.remote_config = remote_config(agent, now);
    }
    message.connection_settings = settings::offer(agent, occasion, now);
    // Repeated until the agent uses it; a known client takes it up at its next heartbeat only (OpAMP S058, S059).
    message.agent_identification = agent
        .assigned_uid
        .map(|uid| AgentIdentification { new_instance_uid: uid.to_wire(), ..AgentIdentification::default() });
    let sent = custom_message(agent, commands, now).map(|(custom, id)| {
        if !profile.custom_capabilities.contains(&custom.capability) {
            // Both sides list a capability that is used (OpAMP S164): one that only operators know is listed with the
            // message that uses it (S162).
            let capabilities =
                profile.custom_capabilities.iter().chain([&custom.capability]).cloned().collect();
            message.custom_capabilities = Some(CustomCapabilities { capabilities, ..Default::default() });
        }
        message.custom_message = Some(custom);
        id
    });
    Offer { message, sent }
}

/// What this server says of itself to an agent that it meets, and no more.
#[must_use]
pub fn introduction(profile: &Profile) -> ServerToAgent {
    let capabilities = profile.custom_capabilities.clone();
    ServerToAgent {
        capabilities: profile.capabilities.0,
        custom_capabilities: Some(CustomCapabilities { capabilities, ..Default::default() }),
        ..Default::default()
    }
}

/// The answer to an agent that leaves: nothing but that it was heard.
#[must_use]
pub fn receipt(agent: &Agent) -> Offer {
    Offer {
        message: ServerToAgent { instance_uid: agent.uid.to_wire(), ..ServerToAgent::default() },
        sent: None,
    }
}

/// The desired config, where the agent takes configs and last acknowledged another hash (OpAMP S096–S099). An equal
/// hash is never offered again by itself, whatever became of it (ruling A15).
fn remote_config(agent: &mut Agent, now: Timestamp) -> Option<AgentRemoteConfig> {
    if !agent.capabilities.contains(AgentCapabilities::ACCEPTS_REMOTE_CONFIG) {
        return None;
    }
    let config = agent.desired()?.config.clone();
    if agent.acknowledged(&config.hash) || !agent.desired()?.may_offer(now) {
        return None;
    }
    agent.offered(Some(now));
    Some(AgentRemoteConfig {
        config: Some((*config.files).clone()),
        config_hash: config.hash.to_wire(),
        ..Default::default()
    })
}

/// The oldest custom message that waits, where the agent lists its capability (OpAMP S164); one a message (S166).
fn custom_message(
    agent: &Agent,
    commands: &mut [Command],
    now: Timestamp,
) -> Option<(CustomMessage, CommandId)> {
    // Decoded only where a message waits.
    let mut listed = None;
    let command = next(commands, |kind| match kind {
        CommandKind::Custom { capability, .. } => {
            listed.get_or_insert_with(|| agent.custom_capabilities()).contains(capability)
        }
        CommandKind::Restart => false,
    })?;
    command.mark_sent(now, agent.start_time());
    let CommandKind::Custom { capability, kind, data, .. } = &command.kind else {
        return None;
    };
    let message = CustomMessage {
        capability: capability.clone(),
        kind: kind.clone(),
        data: data.clone(),
        ..CustomMessage::default()
    };
    Some((message, command.id.clone()))
}

fn next(commands: &mut [Command], mut wanted: impl FnMut(&CommandKind) -> bool) -> Option<&mut Command> {
    commands.iter_mut().find(|command| command.state == CommandState::Queued && wanted(&command.kind))
}

/// The answer to a message that is not processed: the uid as it came, and the error alone (ruling A4).
#[must_use]
pub fn bad_request(instance_uid: bytes::Bytes, reason: String) -> ServerToAgent {
    error(instance_uid, ServerErrorResponseType::BadRequest, reason, None)
}

/// The answer when the server failed at what was right (OpAMP S184).
#[must_use]
pub fn failed(instance_uid: bytes::Bytes, reason: String) -> ServerToAgent {
    error(instance_uid, ServerErrorResponseType::Unknown, reason, None)
}

/// The answer to an agent that another speaks for: its new uid alone (OpAMP S061).
#[must_use]
pub fn rename(instance_uid: bytes::Bytes, new: &tidegate_opamp::InstanceUid) -> ServerToAgent {
    let identification = AgentIdentification { new_instance_uid: new.to_wire(), ..Default::default() };
    ServerToAgent { instance_uid, agent_identification: Some(identification), ..ServerToAgent::default() }
}

/// The answer while the server cannot process anything (OpAMP S172).
#[must_use]
pub fn unavailable(
    instance_uid: bytes::Bytes,
    reason: String,
    retry_after: std::time::Duration,
) -> ServerToAgent {
    let nanoseconds = u64::try_from(retry_after.as_nanos()).unwrap_or(u64::MAX);
    let retry = RetryInfo { retry_after_nanoseconds: nanoseconds, ..RetryInfo::default() };
    error(instance_uid, ServerErrorResponseType::Unavailable, reason, Some(retry))
}

fn error(
    instance_uid: bytes::Bytes,
    kind: ServerErrorResponseType,
    error_message: String,
    retry_info: Option<RetryInfo>,
) -> ServerToAgent {
    let error = ServerErrorResponse { kind, error_message, retry_info, ..ServerErrorResponse::default() };
    ServerToAgent { instance_uid, error_response: Some(error), ..ServerToAgent::default() }
}

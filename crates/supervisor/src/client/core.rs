//! The protocol client of one agent as a state machine: no IO, no clock. A transport tells it what happened and
//! asks it what to send; both transports drive the same machine.
//!
//! A message that was taken counts as delivered once anything comes back from the server. What was taken and
//! not answered is due again after [`Core::lost`], merged with what changed since, so that nothing queues up
//! however long the server is away (OpAMP C037, C065).

mod allowed;
mod own;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tidegate_opamp::{
    AgentCapabilities, AgentDisconnect, AgentToServer, CommandType, ConnectionSettingsStatus, CustomMessage,
    InstanceUid, Message, ServerCapabilities, ServerErrorResponse, ServerErrorResponseType, ServerToAgent,
    server_to_agent_flags,
};

pub use allowed::capabilities;

use super::effect::{Effect, Loss};
use super::outbox::{Outbox, is_digest};
use super::pace::Pace;
use super::parts::Parts;
use crate::agent::AgentReport;

/// Bytes that are kept free in each message for its number and the farewell.
const ENVELOPE_BYTES: usize = 16;

/// Longer than anything that is waited for.
const NEVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What does not change while the client runs.
#[derive(Clone, Debug)]
pub struct CoreSettings {
    /// What this supervisor allows.
    pub capabilities: AgentCapabilities,
    /// Bare names of the custom capabilities that it allows.
    pub custom_capabilities: Vec<String>,
    /// Time without any message after which a heartbeat goes (OpAMP C071), unless the server has another offered.
    pub heartbeat: Duration,
    /// Largest message that is sent, in bytes (OpAMP C018).
    pub max_message_bytes: usize,
}

/// The state of one agent's conversation with its server.
#[derive(Debug)]
pub struct Core {
    settings: CoreSettings,
    uid: InstanceUid,
    /// The uid that the process side was given and may mirror in the description.
    first_uid: InstanceUid,
    sequence_num: u64,
    current: AgentReport,
    heartbeat: Option<Duration>,
    settings_status: Option<Arc<ConnectionSettingsStatus>>,
    /// The hash of the last offer that concerned own telemetry.
    handed_on: Option<Bytes>,
    /// What was taken.
    sent: Parts,
    /// What was answered.
    answered: Parts,
    outbox: Outbox,
    server: ServerCapabilities,
    /// A message must go even if nothing changed.
    greet: bool,
    /// Of full reports that the server asks for (OpAMP C061).
    full: Pace,
    /// Of lists of components that it asks for (OpAMP C165).
    list: Pace,
    last_taken: Option<Instant>,
    unanswered: Option<AgentToServer>,
    /// The unanswered message is to be sent again as it was.
    again: Option<AgentToServer>,
    /// Whether what was taken last is such a repetition.
    repeats: bool,
}

impl Core {
    /// A client that has not said anything yet, or nothing after message `sequence_num`; its first message carries
    /// everything.
    #[must_use]
    pub fn new(settings: CoreSettings, uid: InstanceUid, sequence_num: u64, report: AgentReport) -> Self {
        Self {
            outbox: Outbox::new(settings.custom_capabilities.clone()),
            heartbeat: Some(settings.heartbeat),
            settings_status: None,
            handed_on: None,
            settings,
            uid,
            first_uid: uid,
            sequence_num,
            current: report,
            sent: Parts::default(),
            answered: Parts::default(),
            server: ServerCapabilities::default(),
            greet: true,
            full: Pace::default(),
            list: Pace::default(),
            last_taken: None,
            unanswered: None,
            again: None,
            repeats: false,
        }
    }

    /// The uid that the agent has now.
    #[must_use]
    pub const fn uid(&self) -> InstanceUid {
        self.uid
    }

    /// An earlier supervisor handed an offer on that concerned own telemetry; it may not have been carried out.
    pub fn has_handed_on(&mut self, hash: Option<Bytes>) {
        self.handed_on = hash;
    }

    /// The number of the last message that was taken (OpAMP C054).
    #[must_use]
    pub const fn sequence_num(&self) -> u64 {
        self.sequence_num
    }

    /// The heartbeat interval in force; `None` while there are no heartbeats.
    #[must_use]
    pub const fn heartbeat(&self) -> Option<Duration> {
        self.heartbeat
    }

    /// Sets the heartbeat interval.
    pub const fn set_heartbeat(&mut self, heartbeat: Option<Duration>) {
        self.heartbeat = heartbeat;
    }

    /// Sets what the server is told of the connection settings that it offered.
    pub fn settle(&mut self, status: Arc<ConnectionSettingsStatus>) {
        self.settings_status = Some(status);
    }

    /// Another server is spoken to from now on: it has nothing of what was sent before.
    pub fn moved(&mut self) {
        self.sent = Parts::default();
        self.answered = Parts::default();
        self.server = ServerCapabilities::default();
        self.outbox.forget_server();
        self.again = None;
        self.list.forget();
        self.greet = true;
    }

    /// Whether a message is meant for this agent and refuses nothing.
    #[must_use]
    pub fn is_answered_by(&self, message: &ServerToAgent) -> bool {
        message.error_response.is_none()
            && (message.instance_uid.is_empty() || message.instance_uid == self.uid.as_bytes()[..])
    }

    /// Takes a new report of the process side.
    pub fn report(&mut self, report: AgentReport) {
        let is_new =
            |digest: &&Arc<_>| self.current.digest.as_ref().is_none_or(|old| !Arc::ptr_eq(old, digest));
        if let Some(digest) = report.digest.as_ref().filter(is_new) {
            self.outbox.renew(Arc::clone(digest));
        }
        self.current = report;
    }

    /// Queues an answer of a custom capability.
    pub fn answer(&mut self, message: CustomMessage) {
        self.outbox.queue(message);
    }

    /// A connection was opened: a message is due at once, however little it has to say (OpAMP C051, C052).
    pub fn connected(&mut self) {
        self.greet = true;
    }

    /// When the next message is due unless something happens before; a time in the past means now.
    #[must_use]
    pub fn due(&self, now: Instant) -> Instant {
        if self.greet || self.outbox.has_due() || !self.news(false).is_empty() {
            return now;
        }
        let heartbeat = match (self.last_taken, self.heartbeat) {
            (None, _) => now,
            (Some(last), Some(heartbeat)) => last + heartbeat,
            (Some(_), None) => now + NEVER,
        };
        [self.full.due(now), self.list.due(now)].into_iter().flatten().fold(heartbeat, Instant::min)
    }

    /// The next message, if one is due. The caller sends it, or says [`Core::lost`].
    pub fn take(&mut self, now: Instant) -> Option<AgentToServer> {
        if self.due(now) > now {
            return None;
        }
        if self.full.take(now) {
            self.sent = Parts::default();
            self.answered = Parts::default();
        }
        let list = self.list.take(now);
        let mut message = self.compose(list);
        self.repeats = false;
        match self.again.take() {
            Some(again) if same_but_number(&again, &message) => {
                message = again;
                self.repeats = true;
            }
            _ => {
                self.sequence_num += 1;
                message.sequence_num = self.sequence_num;
            }
        }
        self.full.begin(now);
        self.greet = false;
        self.last_taken = Some(now);
        self.unanswered = Some(message.clone());
        Some(message)
    }

    /// The last message: what is still due, and the farewell (OpAMP C177).
    pub fn farewell(&mut self) -> AgentToServer {
        let mut message = self.compose(false);
        self.sequence_num += 1;
        message.sequence_num = self.sequence_num;
        message.agent_disconnect = Some(AgentDisconnect::default());
        message
    }

    /// What was taken was not answered and will not be.
    pub fn lost(&mut self, loss: Loss) {
        let mut unanswered = self.unanswered.take();
        let listed = |message: &AgentToServer| {
            message.available_components.as_ref().is_some_and(|all| !all.components.is_empty())
        };
        if loss != Loss::TooLarge && unanswered.as_ref().is_some_and(listed) {
            // It was asked for once and will not be asked for again.
            self.list.again();
        }
        if let Some(message) = &mut unanswered {
            // By the time that it went again, it would be an old one.
            message.custom_message.take_if(|custom| is_digest(custom));
        }
        match loss {
            // A repetition may have arrived the first time: its number is never given to another message.
            Loss::NotSent if self.repeats => self.again = unanswered,
            Loss::NotSent if unanswered.as_ref().is_some_and(|m| m.sequence_num == self.sequence_num) => {
                self.sequence_num -= 1;
            }
            Loss::Unanswered => self.again = unanswered,
            Loss::NotSent | Loss::Disconnected => {}
            Loss::TooLarge => {
                self.answered = self.sent.clone();
                self.outbox.acknowledged();
                return;
            }
        }
        self.sent = self.answered.clone();
        self.outbox.unacknowledged();
        self.greet = true;
    }

    /// Takes a message from the server and says what it asks for, in order.
    pub fn received(&mut self, message: ServerToAgent) -> Vec<Effect> {
        if !message.instance_uid.is_empty() && message.instance_uid != self.uid.as_bytes()[..] {
            tracing::warn!("a message of the server is dropped: it is meant for another agent");
            return Vec::new();
        }
        if let Some(error) = &message.error_response {
            return self.refused(error);
        }
        self.unanswered = None;
        self.answered = self.sent.clone();
        self.outbox.acknowledged();
        if message.capabilities != 0 {
            self.server = ServerCapabilities(message.capabilities);
        }
        if let Some(list) = message.custom_capabilities {
            self.outbox.learn(list.capabilities);
        }
        let restart = message.command.is_some_and(|command| command.kind == CommandType::Restart);
        if restart && self.has(AgentCapabilities::ACCEPTS_RESTART_COMMAND) {
            return vec![Effect::Restart];
        }
        let mut effects = Vec::new();
        if let Some(identification) = message.agent_identification {
            effects.extend(self.rename(&identification.new_instance_uid));
        }
        let flagged = |flag| message.flags & flag != 0;
        self.full.asked(flagged(server_to_agent_flags::REPORT_FULL_STATE));
        let lists = self.current.available_components.is_some();
        self.list.asked(lists && flagged(server_to_agent_flags::REPORT_AVAILABLE_COMPONENTS));
        if self.has(AgentCapabilities::ACCEPTS_REMOTE_CONFIG) {
            effects.extend(message.remote_config.map(Effect::Apply));
        }
        if let Some(offers) = message.connection_settings {
            effects.extend(self.offered(offers));
        }
        effects.extend(
            message.custom_message.filter(|custom| self.outbox.takes(&custom.capability)).map(Effect::Custom),
        );
        effects
    }

    const fn has(&self, capability: AgentCapabilities) -> bool {
        self.settings.capabilities.contains(capability)
    }

    /// What the server does not have, with the whole list of components where it asks for that.
    fn news(&self, list: bool) -> Parts {
        let mut parts = Parts::of(&self.current, self.outbox.announced());
        parts.lists_components = list;
        if self.has(AgentCapabilities::REPORTS_CONNECTION_SETTINGS_STATUS) {
            parts.connection_settings_status = self.offer_status();
        }
        parts.beyond(&self.sent, self.server)
    }

    /// A message of all that is due, still without its number; notes it as sent.
    fn compose(&mut self, list: bool) -> AgentToServer {
        let lists = self.current.available_components.is_some();
        let capabilities = self
            .settings
            .capabilities
            .with(self.own_capabilities())
            .with_if(AgentCapabilities::REPORTS_AVAILABLE_COMPONENTS, lists);
        let mut message = AgentToServer {
            instance_uid: self.uid.to_wire(),
            capabilities: capabilities.0,
            ..AgentToServer::default()
        };
        let limit = self.settings.max_message_bytes.saturating_sub(ENVELOPE_BYTES);
        let most = limit.saturating_sub(message.encoded_len());
        let news = self.news(list);
        self.sent.note(&news);
        if news.fill(&mut message, limit, (self.first_uid, self.uid)) {
            self.list.again();
        }
        message.custom_message = self.outbox.take(limit.saturating_sub(message.encoded_len()), most);
        message
    }

    fn refused(&mut self, error: &ServerErrorResponse) -> Vec<Effect> {
        let reason = tidegate_custom::excerpt(&error.error_message, 512).0.escape_debug().to_string();
        if error.kind == ServerErrorResponseType::Unavailable {
            self.lost(Loss::Disconnected);
            let nanos = error.retry_info.as_ref().map(|info| info.retry_after_nanoseconds);
            let after = nanos.filter(|nanos| *nanos > 0).map(Duration::from_nanos);
            tracing::warn!(reason, ?after, "the server is unavailable");
            vec![Effect::Retreat(after)]
        } else {
            // Not sent again (OpAMP C166): what it carried counts as delivered until it changes.
            tracing::warn!(reason, "the server refused a message");
            self.unanswered = None;
            self.answered = self.sent.clone();
            self.outbox.acknowledged();
            Vec::new()
        }
    }

    fn rename(&mut self, uid: &[u8]) -> Option<Effect> {
        match InstanceUid::from_bytes(uid) {
            Ok(uid) if uid == self.uid => None,
            Ok(uid) => {
                tracing::info!(before = %self.uid, after = %uid, "the server gave the agent a new uid");
                self.uid = uid;
                self.greet = true;
                // A description that mirrors the uid is another one now (OpAMP C048).
                self.sent.description = None;
                self.answered.description = None;
                Some(Effect::NewUid(uid))
            }
            Err(error) => {
                tracing::warn!(%error, "a new uid of the server is ignored");
                None
            }
        }
    }
}

fn same_but_number(again: &AgentToServer, message: &AgentToServer) -> bool {
    let numbered = AgentToServer { sequence_num: again.sequence_num, ..message.clone() };
    *again == numbered
}

#[cfg(test)]
mod tests;

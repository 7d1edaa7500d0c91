//! Commands: queued in the store, delivered by whoever holds the agent.

use std::time::Duration;

use bytes::Bytes;
use tidegate_custom::Capability;
use tidegate_fleet::{
    Action, Actor, Agent, AuditEntry, Command, CommandId, CommandKind, CommandState, Event, EventKind,
    Outcome, Timestamp, authorize,
};
use tidegate_opamp::{AgentCapabilities, CustomMessage, InstanceUid};
use tidegate_store::{Transaction, Write};

use super::agents::not_found;
use super::{Control, ControlError, Record};
use crate::state::Entry;

/// Commands of one agent that may wait or be under way.
const MAX_OPEN: usize = 100;

/// Longest time that a command may wait.
pub(crate) const MAX_DEADLINE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Time given to a local call that a custom message starts.
const CALL_DEADLINE_MS: u64 = 5_000;

/// What an actor wants an agent to do.
#[derive(Clone, Debug)]
pub(crate) enum CommandOrder {
    Restart,
    Custom { capability: String, kind: String, data: Bytes },
}

impl CommandOrder {
    /// What an actor must be allowed.
    pub(super) const fn action(&self) -> Action {
        match self {
            Self::Restart => Action::Restart,
            Self::Custom { .. } => Action::SendMessage,
        }
    }

    /// Its kind in one word.
    pub(super) const fn word(&self) -> &'static str {
        match self {
            Self::Restart => "restart",
            Self::Custom { .. } => "custom",
        }
    }
}

/// Which commands to list.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CommandFilter {
    pub(crate) agent: Option<InstanceUid>,
    pub(crate) state: Option<CommandState>,
}

impl Control {
    /// The command that would be queued now; nothing is.
    pub(crate) fn plan_command(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        order: CommandOrder,
        deadline: Option<Duration>,
    ) -> Result<Command, ControlError> {
        authorize(actor, order.action())?;
        let now = self.core.now();
        let command = new(order, *uid, self.core.new_id(), actor, now, self::deadline(deadline)?)?;
        let admitted = self.core.registry.look(uid, |entry| {
            if !actor.scope.covers(&entry.agent) {
                return Err(not_found(uid));
            }
            admit(entry, &command.kind)
        });
        admitted.ok_or_else(|| not_found(uid))??;
        Ok(command)
    }

    /// Queues a command; it is stored when this returns, and on its way if the agent is connected.
    pub(crate) async fn queue_command(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        order: CommandOrder,
        deadline: Option<Duration>,
        record: Record<Command>,
    ) -> Result<Command, ControlError> {
        let action = order.action();
        let command = self.plan_command(actor, uid, order, deadline)?;
        let audit = AuditEntry::new(command.created_at, actor, action, uid.to_string(), command.summary());
        let (control, uid) = (self.clone(), *uid);
        Self::to_the_end(async move {
            let mut writes = control.unstored(&[uid]);
            writes.push(Write::Command(Box::new(command.clone())));
            writes.extend(record(&command));
            control.core.store.commit(Transaction::intent(audit, writes)).await?;
            control.queued(&command);
            Ok(command)
        })
        .await
    }

    /// Makes a stored command true in memory, tells those who follow, and sends it where the agent is connected.
    pub(super) fn queued(&self, command: &Command) {
        self.core.registry.with(&command.agent, |entry| {
            entry.stored = true;
            entry.commands.push_back(command.clone());
            self.core.schedule(entry);
        });
        self.announce(command);
        self.core.nudge(&command.agent);
    }

    /// The records of those agents that the store does not have yet: an intent for an agent is stored with the agent, or
    /// a crash would leave it to nobody.
    pub(super) fn unstored(&self, uids: &[InstanceUid]) -> Vec<Write> {
        let record = |entry: &Entry| (!entry.stored).then(|| Write::Agent(Box::new(entry.agent.clone())));
        uids.iter().filter_map(|uid| self.core.registry.look(uid, record).flatten()).collect()
    }

    /// One command.
    pub(crate) fn command(&self, actor: &Actor, id: &str) -> Result<Command, ControlError> {
        authorize(actor, Action::Read)?;
        let mut found = None;
        self.core.registry.for_each(|entry| {
            if found.is_none() && actor.scope.covers(&entry.agent) {
                found = entry.commands.iter().find(|command| command.id.0 == id).cloned();
            }
        });
        found.ok_or_else(|| ControlError::NotFound { kind: "command", id: id.to_owned() })
    }

    /// One command of an agent that is known.
    pub(crate) fn command_of(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        id: &CommandId,
    ) -> Result<Command, ControlError> {
        authorize(actor, Action::Read)?;
        let look = |entry: &Entry| {
            let found = entry.commands.iter().find(|command| command.id == *id).cloned();
            found.filter(|_| actor.scope.covers(&entry.agent))
        };
        let found = self.core.registry.look(uid, look).flatten();
        found.ok_or_else(|| ControlError::NotFound { kind: "command", id: id.0.clone() })
    }

    /// Commands, newest first.
    pub(crate) fn commands(
        &self,
        actor: &Actor,
        filter: CommandFilter,
    ) -> Result<Vec<Command>, ControlError> {
        authorize(actor, Action::Read)?;
        let mut commands = Vec::new();
        self.core.registry.for_each(|entry| {
            if actor.scope.covers(&entry.agent) && filter.agent.is_none_or(|uid| uid == entry.agent.uid) {
                let wanted = |command: &&Command| filter.state.is_none_or(|state| state == command.state);
                commands.extend(entry.commands.iter().filter(wanted).cloned());
            }
        });
        commands.sort_unstable_by(|a, b| b.id.cmp(&a.id));
        Ok(commands)
    }

    /// A command as it would be when it is withdrawn now; it is not.
    pub(crate) fn plan_cancel(&self, actor: &Actor, id: &str) -> Result<Command, ControlError> {
        authorize(actor, Action::CancelCommand)?;
        let mut command = self.command(actor, id)?;
        withdraw(&mut command, actor, self.core.now())?;
        Ok(command)
    }

    /// Withdraws a command that has not been sent.
    pub(crate) async fn cancel_command(
        &self,
        actor: &Actor,
        id: &str,
        record: Record<Command>,
    ) -> Result<Command, ControlError> {
        authorize(actor, Action::CancelCommand)?;
        let command = self.command(actor, id)?;
        let now = self.core.now();
        // Taken off the queue first, so that it cannot leave while the withdrawal is being written.
        let cancelled = self.core.registry.with(&command.agent, |entry| {
            let command = entry.commands.iter_mut().find(|known| known.id == command.id)?;
            Some(withdraw(command, actor, now).map(|()| command.clone()))
        });
        let cancelled = cancelled
            .flatten()
            .ok_or_else(|| ControlError::NotFound { kind: "command", id: id.to_owned() })??;
        let audit = AuditEntry::new(now, actor, Action::CancelCommand, id, command.summary());
        let control = self.clone();
        Self::to_the_end(async move {
            let mut writes = vec![Write::Command(Box::new(cancelled.clone()))];
            writes.extend(record(&cancelled));
            if let Err(error) = control.core.store.commit(Transaction::intent(audit, writes)).await {
                control.put_back(&command);
                return Err(error.into());
            }
            control.announce(&cancelled);
            Ok(cancelled)
        })
        .await
    }

    /// A command is again as it was: its withdrawal could not be stored.
    pub(super) fn put_back(&self, before: &Command) {
        self.core.registry.with(&before.agent, |entry| {
            if let Some(known) = entry.commands.iter_mut().find(|known| known.id == before.id) {
                known.clone_from(before);
            }
        });
    }

    pub(super) fn announce(&self, command: &Command) {
        let text = format!("{}: {}", command.summary(), command.state.as_str());
        let event = Event { at: self.core.now(), kind: EventKind::Command, agent: command.agent, text };
        self.core.stream.publish(vec![event]);
    }
}

/// The time that a command may wait: what is asked for, or a day.
pub(super) fn deadline(asked: Option<Duration>) -> Result<Duration, ControlError> {
    let deadline = asked.unwrap_or(Command::DEFAULT_DEADLINE);
    if deadline.is_zero() || deadline > MAX_DEADLINE {
        let message = format!("a deadline lies between 1 and {} seconds", MAX_DEADLINE.as_secs());
        return Err(ControlError::invalid("/deadline_seconds", message));
    }
    Ok(deadline)
}

/// Ends a command that has not been sent.
pub(super) fn withdraw(command: &mut Command, actor: &Actor, now: Timestamp) -> Result<(), ControlError> {
    if command.state != CommandState::Queued {
        return Err(ControlError::Conflict(format!("the command is {} already", command.state.as_str())));
    }
    let detail = format!("cancelled by {}", actor.name);
    let state = CommandState::Cancelled;
    command.finish(now, Outcome { state, answer_kind: None, answer: None, detail });
    Ok(())
}

/// A command that waits for its agent.
pub(super) fn new(
    order: CommandOrder,
    agent: InstanceUid,
    id: String,
    actor: &Actor,
    now: Timestamp,
    deadline: Duration,
) -> Result<Command, ControlError> {
    Ok(Command {
        agent,
        kind: kind(order, &id)?,
        id: CommandId(id),
        state: CommandState::Queued,
        actor: actor.name.clone(),
        created_at: now,
        deadline: now.plus(deadline),
        sent_at: None,
        start_time_when_sent: 0,
        finished_at: None,
        outcome: None,
    })
}

/// Whether an agent has room for a command, and can do what it asks.
pub(super) fn admit(entry: &Entry, kind: &CommandKind) -> Result<(), ControlError> {
    let open = entry.commands.iter().filter(|command| !command.has_ended()).count();
    if open >= MAX_OPEN {
        let message = format!("{open} commands wait for this agent already; cancel some");
        return Err(ControlError::TooMany(message));
    }
    supports(&entry.agent, kind)
}

/// The command that an order stands for. A ChatOps request is given an id and asked to answer in every case; peers that
/// know neither ignore both. A message of an agent's own capability is given an id where its payload has room for one.
pub(super) fn kind(order: CommandOrder, id: &str) -> Result<CommandKind, ControlError> {
    let (capability, kind, data) = match order {
        CommandOrder::Restart => return Ok(CommandKind::Restart),
        CommandOrder::Custom { capability, kind, data } => {
            (tidegate_custom::bare(&capability).to_owned(), kind, data)
        }
    };
    if capability.is_empty() || capability.len() > 256 {
        return Err(ControlError::invalid("/capability", "name a capability of at most 256 bytes"));
    }
    if kind.len() > 256 {
        return Err(ControlError::invalid("/type", "a type has at most 256 bytes"));
    }
    let known = tidegate_custom::describe(&capability);
    if let Some(known) = known {
        let orders =
            known.messages.iter().filter(|message| message.direction == tidegate_custom::Direction::ToAgent);
        let kinds: Vec<_> = orders.map(|message| message.kind).collect();
        if !kinds.contains(&kind.as_str()) {
            let has = if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") };
            let message = format!("{capability} has no type {kind:?} for agents; it has {has}");
            return Err(ControlError::invalid("/type", message));
        }
    }
    if data.len() > tidegate_custom::MAX_DATA_BYTES {
        let message =
            format!("data has {} bytes, at most {} are sent", data.len(), tidegate_custom::MAX_DATA_BYTES);
        return Err(ControlError::invalid("/data", message));
    }
    if capability != tidegate_custom::CHATOPS {
        // Of what is not in the catalogue nothing is known.
        let answers = known.is_none_or(Capability::answers);
        if answers && known.is_some() {
            let message = CustomMessage {
                capability: capability.clone(),
                kind: kind.clone(),
                data: data.clone(),
                ..CustomMessage::default()
            };
            tidegate_custom::parse(&message)
                .map_err(|error| ControlError::invalid("/data", error.to_string()))?;
        }
        // No payload at all is an empty one to those that answer it.
        let data =
            if answers && known.is_some() && data.is_empty() { Bytes::from_static(b"{}") } else { data };
        let data = if answers { tidegate_custom::with_id(data, id) } else { data };
        return Ok(CommandKind::Custom { capability, kind, data, answers });
    }
    let wrong = |error: tidegate_custom::PayloadError| ControlError::invalid("/data", error.to_string());
    let mut request = tidegate_custom::chatops::Request::parse(&data).map_err(wrong)?;
    request.id = Some(id.to_owned());
    request.reply = tidegate_custom::chatops::Reply::Always;
    request.deadline_ms.get_or_insert(CALL_DEADLINE_MS);
    let data = request.to_data().map_err(wrong)?;
    Ok(CommandKind::Custom { capability, kind, data, answers: true })
}

/// What an agent does not say it can, it is not asked (OpAMP S008).
fn supports(agent: &Agent, kind: &CommandKind) -> Result<(), ControlError> {
    let missing = match kind {
        CommandKind::Restart if !agent.capabilities.contains(AgentCapabilities::ACCEPTS_RESTART_COMMAND) => {
            "this agent does not accept the restart command; allow `restart` in its supervisor".to_owned()
        }
        CommandKind::Custom { capability, .. } if !agent.custom_capabilities().contains(capability) => {
            format!(
                "this agent does not list the capability {capability}; `tidegate describe agent` shows what it lists"
            )
        }
        CommandKind::Restart | CommandKind::Custom { .. } => return Ok(()),
    };
    Err(ControlError::Unsupported(missing))
}

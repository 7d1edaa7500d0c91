//! What happened to one agent: events, commands and pushes in one list.

use tidegate_fleet::{Action, Actor, Command, EventKind, Push, Timestamp, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::StoredEvent;

use super::pushes::{PushState, state_of};
use super::{Control, ControlError};

/// A place in the list: when, and what of that moment.
pub(crate) type Place = (Timestamp, String);

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Happening {
    /// An event; those of commands and of labels' kind included where they have no entry of their own.
    Event(StoredEvent),
    /// A command, as it is now, at the time when it was given.
    Command(Box<Command>),
    /// A push that gave it a config, or could not, and how far it has come; at the time when it was made.
    Push(Box<Push>, PushState, String),
}

impl Happening {
    /// Its place in the list.
    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Event(stored) => (stored.event.at, format!("event/{:020}", stored.number)),
            Self::Command(command) => (command.created_at, format!("command/{}", command.id.0)),
            Self::Push(push, ..) => (push.at, format!("push/{}", push.id.0)),
        }
    }
}

impl Control {
    /// What happened to an agent before a place in the list, newest first. Events of commands are left out: the commands
    /// themselves are there.
    pub(crate) fn timeline(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        before: Option<&Place>,
        limit: usize,
    ) -> Result<Vec<Happening>, ControlError> {
        authorize(actor, Action::Read)?;
        let view = self.agent(actor, uid)?;
        let is_its =
            |stored: &StoredEvent| stored.event.agent == *uid && stored.event.kind != EventKind::Command;
        let mut found: Vec<_> = self.core.stream.of(is_its).into_iter().map(Happening::Event).collect();
        let commands = self.core.registry.look(uid, |entry| entry.commands.clone()).unwrap_or_default();
        found.extend(commands.into_iter().map(|command| Happening::Command(Box::new(command))));
        for push in self.core.pushes.lock().values() {
            let refusal = push.refused.iter().find(|(refused, _)| refused == uid);
            let (state, reason) = match refusal {
                Some((_, reason)) => (PushState::Refused, reason.clone()),
                None if push.targets.contains(uid) => state_of(&push.id, &view),
                None => continue,
            };
            found.push(Happening::Push(Box::new(push.clone()), state, reason));
        }
        found.retain(|happening| before.is_none_or(|before| happening.place() < *before));
        found.sort_by_cached_key(|happening| std::cmp::Reverse(happening.place()));
        found.truncate(limit);
        Ok(found)
    }
}

//! What happens by the mere passing of time: agents that fall silent, commands whose time is up. The wheel brings up
//! each agent when something of it may be due; nobody walks the fleet.

use std::time::Duration;

use tidegate_fleet::agent::{Link, axes};
use tidegate_fleet::{Command, Event, EventKind, Timestamp};
use tidegate_opamp::InstanceUid;
use tidegate_store::{StoreError, Transaction, Write};

use super::{Core, Entry};

/// What a look at the agents that were due brought.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// Agents that were looked at.
    pub(crate) agents: usize,
    /// Agents whose connection changed by silence.
    pub(crate) silent: usize,
    /// Commands whose time was up.
    pub(crate) ended: usize,
}

impl Core {
    /// Sees to it that an agent is looked at when something of it is due next.
    pub(crate) fn schedule(&self, entry: &mut Entry) {
        let Some(due) = next(entry, self.interval_of(entry)) else {
            return;
        };
        // It comes up in the second after the one that it is due in.
        if entry.wheel_second == 0 || due.0 / 1000 + 1 < entry.wheel_second {
            entry.wheel_second = self.wheel.lock().put(due, entry.agent.uid);
        }
    }

    /// Puts every agent where it is due; at start.
    pub(super) fn schedule_all(&self) {
        let mut uids = Vec::with_capacity(self.registry.len());
        self.registry.for_each(|entry| {
            if next(entry, self.interval_of(entry)).is_some() {
                uids.push(entry.agent.uid);
            }
        });
        for uid in uids {
            self.registry.beat(&uid, |entry| self.schedule(entry));
        }
    }

    /// The interval in which an agent is expected to speak.
    pub(super) const fn interval_of(&self, _entry: &Entry) -> Duration {
        self.options.heartbeat_interval
    }

    /// The event that an agent's connection changed since it was last announced, by silence or by its end.
    pub(super) fn announce(&self, entry: &mut Entry, now: Timestamp) -> Option<Event> {
        let axis = axes::connection(&entry.agent, now, self.interval_of(entry));
        let before = entry.announced.replace(axis.value)?;
        // What a message or a close changed is announced by itself; only silence is told here.
        if before == axis.value || !matches!(entry.agent.link, Link::Up { .. }) {
            return None;
        }
        let text = match axis.reason.as_str() {
            "" => format!("{} again", axis.value.as_str()),
            reason => format!("{}: {reason}", axis.value.as_str()),
        };
        Some(Event { at: now, kind: EventKind::Connection, agent: entry.agent.uid, text })
    }

    /// Looks at every agent that is due.
    ///
    /// # Errors
    /// When the ends of commands cannot be stored; they are written behind then.
    pub(crate) async fn look_at_due(&self) -> Result<Looked, StoreError> {
        let now = self.now();
        let due = self.wheel.lock().due(now);
        let mut looked = Looked { agents: due.len(), ..Looked::default() };
        let (mut events, mut ended) = (Vec::new(), Vec::new());
        for uid in due {
            let idle = self.registry.beat(&uid, |entry| self.rest(entry, now)).unwrap_or(true);
            if !idle {
                let worked = self.registry.with(&uid, |entry| self.end(entry, now));
                let (event, commands) = worked.unwrap_or_default();
                looked.silent += usize::from(event.is_some());
                events.extend(event);
                ended.extend(commands);
            }
        }
        looked.ended = ended.len();
        events.extend(ended.iter().map(|command: &Command| {
            let text = format!("{}: {}", command.summary(), command.state.as_str());
            Event { at: now, kind: EventKind::Command, agent: command.agent, text }
        }));
        for event in &events {
            self.stream.changed(event.agent);
        }
        self.stream.publish(events);
        self.store_ends(ended).await?;
        Ok(looked)
    }

    /// True when nothing is due of an agent after all: it spoke meanwhile. It is put where it is due next.
    fn rest(&self, entry: &mut Entry, now: Timestamp) -> bool {
        if entry.wheel_second > now.0 / 1000 {
            // It was put in another slot since.
            return true;
        }
        entry.wheel_second = 0;
        let axis = axes::connection(&entry.agent, now, self.interval_of(entry));
        let expired = |command: &Command| command.next_deadline().is_some_and(|at| at <= now);
        if entry.announced.is_some_and(|before| before != axis.value) || entry.commands.iter().any(expired) {
            return false;
        }
        entry.announced = Some(axis.value);
        self.schedule(entry);
        true
    }

    fn end(&self, entry: &mut Entry, now: Timestamp) -> (Option<Event>, Vec<Command>) {
        let event = self.announce(entry, now);
        let ended: Vec<_> = entry
            .commands
            .iter_mut()
            .filter_map(|command| command.expire(now).then(|| command.clone()))
            .collect();
        if !ended.is_empty() {
            entry.forget_ended();
        }
        self.schedule(entry);
        (event, ended)
    }

    async fn store_ends(&self, ended: Vec<Command>) -> Result<(), StoreError> {
        if ended.is_empty() {
            return Ok(());
        }
        let agents: Vec<InstanceUid> = ended.iter().map(|command| command.agent).collect();
        let writes = ended.into_iter().map(|command| Write::Command(Box::new(command))).collect();
        let result = self.store.commit(Transaction::observed(writes)).await;
        if result.is_err() {
            for uid in agents {
                self.registry.with(&uid, |entry| entry.commands_dirty = true);
            }
        }
        result.map(|_| ())
    }
}

/// When an agent must be looked at again, if nothing is heard of it.
fn next(entry: &Entry, interval: Duration) -> Option<Timestamp> {
    let commands = entry.commands.iter().filter_map(Command::next_deadline).min();
    let silence = axes::next_silence(&entry.agent, entry.announced, interval);
    [commands, silence].into_iter().flatten().min()
}

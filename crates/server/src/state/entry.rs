//! One agent in memory, and what belongs to it.

use std::collections::VecDeque;
use std::sync::Arc;

use tidegate_fleet::agent::axes;
use tidegate_fleet::metrics::Samples;
use tidegate_fleet::{Agent, Command, Timestamp};

use super::Connection;

/// Ended commands of one agent that are kept in memory.
const ENDED_COMMANDS: usize = 20;

/// Bytes of reports that one agent can have written behind, per second on average.
const WRITTEN_BYTES_PER_SECOND: u64 = 64 * 1024;

/// An agent and what belongs to it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) agent: Agent,
    /// Its commands, oldest first.
    pub(crate) commands: VecDeque<Command>,
    /// The socket that it speaks through, where it does.
    pub(crate) connection: Option<Arc<Connection>>,
    /// The connection axis as it was last announced, so that silence is announced once.
    pub(crate) announced: Option<axes::Connection>,
    /// What its components counted last, where it says so.
    pub(crate) samples: Option<Box<Samples>>,
    /// Something durable changed since it was last written.
    pub(crate) dirty: bool,
    /// Its record differs from the stored one in its number or time alone.
    pub(crate) unsaved_number: bool,
    /// The store has a record of it, so that intents for it find it again.
    pub(crate) stored: bool,
    /// A command differs from its stored record.
    pub(crate) commands_dirty: bool,
    /// It is in the list of those that the store is behind on.
    pub(super) listed: bool,
    /// It was introduced, nothing waits for it and nothing is expected of it: a heartbeat changes nothing but when it
    /// was last seen.
    pub(super) settled: bool,
    /// The second at which the wheel brings it up; 0 when it is in no slot.
    pub(super) wheel_second: u64,
    /// Not written behind before this time, so that an agent cannot make the server write without bound.
    pub(super) write_after: Timestamp,
}

impl Entry {
    pub(crate) fn new(agent: Agent) -> Self {
        Self {
            agent,
            commands: VecDeque::new(),
            connection: None,
            announced: None,
            samples: None,
            dirty: false,
            unsaved_number: false,
            stored: false,
            commands_dirty: false,
            listed: false,
            settled: false,
            wheel_second: 0,
            write_after: Timestamp(0),
        }
    }

    /// True when the store does not have it as it is.
    pub(super) const fn is_behind(&self) -> bool {
        self.dirty || self.commands_dirty
    }

    /// Takes it off the list of those that the store is behind on. True when it may be written now; the more an agent
    /// makes the server write, the longer it waits for its next turn, so that none can make it write without bound.
    pub(super) fn may_write(&mut self, now: Timestamp) -> bool {
        self.listed = false;
        if now < self.write_after {
            return false;
        }
        let bytes = self.agent.reported_bytes() as u64;
        self.write_after = Timestamp(now.0 + bytes * 1000 / WRITTEN_BYTES_PER_SECOND);
        true
    }

    /// Drops the oldest ended commands beyond what is kept.
    pub(crate) fn forget_ended(&mut self) {
        let ended = self.commands.iter().filter(|command| command.has_ended()).count();
        let mut surplus = ended.saturating_sub(ENDED_COMMANDS);
        self.commands.retain(|command| {
            let drop = surplus > 0 && command.has_ended();
            surplus -= usize::from(drop);
            !drop
        });
        if self.commands.is_empty() {
            self.commands = VecDeque::new();
        }
    }
}

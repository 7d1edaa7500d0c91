//! The fast path: a heartbeat of an agent that nothing waits for (decision D4). It is peeked, not decoded; it allocates
//! nothing, writes nothing and is told to nobody.

use tidegate_fleet::agent::{Link, Sequence, Transport, axes};
use tidegate_opamp::peek::Heartbeat;

use super::{Connection, Core, Entry};

impl Core {
    /// Takes a heartbeat that changes nothing but when its agent was last seen: true when that is all, and the answer
    /// is a bare acknowledgement. Anything else is left to [`Core::exchange`].
    pub(crate) fn take_heartbeat(&self, heartbeat: &Heartbeat, connection: &Connection) -> bool {
        let now = self.now();
        let taken = self.registry.beat(&heartbeat.uid, |entry| {
            let taken = is_all_as_expected(entry, heartbeat, connection);
            if taken {
                entry.agent.sequence = Sequence::Exact(heartbeat.sequence_num);
                entry.agent.last_seen = now;
                entry.unsaved_number = true;
                self.index.touch(&heartbeat.uid, now);
            }
            taken
        });
        if taken == Some(true) {
            self.metrics.messages.inc();
            self.metrics.heartbeats.inc();
            return true;
        }
        false
    }
}

fn is_all_as_expected(entry: &Entry, heartbeat: &Heartbeat, connection: &Connection) -> bool {
    let agent = &entry.agent;
    let next = |last: u64| heartbeat.sequence_num == last.wrapping_add(1);
    entry.settled
        && entry.connection.as_ref().is_some_and(|current| current.id == connection.id)
        && matches!(agent.link, Link::Up { transport: Transport::WebSocket, .. })
        && matches!(agent.sequence, Sequence::Exact(last) if next(last))
        && (heartbeat.capabilities == 0 || heartbeat.capabilities == agent.capabilities.0)
        // One that was late is announced as back.
        && matches!(entry.announced, None | Some(axes::Connection::Connected))
}

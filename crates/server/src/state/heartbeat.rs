//! The fast path: a heartbeat of an agent that nothing waits for (decision D4), on a socket or as a poll. It is peeked,
//! not decoded; it writes nothing and is told to nobody, and on a socket it allocates nothing.

use tidegate_fleet::agent::{Link, Sequence, Transport, axes};
use tidegate_opamp::InstanceUid;
use tidegate_opamp::peek::{self, Heartbeat};

use super::{Connection, Core, Entry};

impl Core {
    /// Takes a heartbeat that changes nothing but when its agent was last seen: true when that is all, and the answer
    /// is a bare acknowledgement. Anything else is left to [`Core::exchange`]. A poll comes by no connection.
    pub(crate) fn take_heartbeat(&self, heartbeat: &Heartbeat, connection: Option<&Connection>) -> bool {
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

    /// The body that answers a poll which [`Core::take_heartbeat`] took.
    pub(crate) fn poll_answer(&self, uid: &InstanceUid) -> Vec<u8> {
        let mut body = Vec::with_capacity(peek::POLL_ACKNOWLEDGEMENT_BYTES + self.introduction.len());
        body.extend_from_slice(&peek::poll_acknowledgement(uid));
        body.extend_from_slice(&self.introduction);
        body
    }
}

fn is_all_as_expected(entry: &Entry, heartbeat: &Heartbeat, connection: Option<&Connection>) -> bool {
    let agent = &entry.agent;
    let transport = if connection.is_some() { Transport::WebSocket } else { Transport::Http };
    let next = |last: u64| heartbeat.sequence_num == last.wrapping_add(1);
    entry.settled
        && entry.connection.as_ref().map(|current| current.id) == connection.map(|connection| connection.id)
        && matches!(agent.link, Link::Up { transport: by, .. } if by == transport)
        && matches!(agent.sequence, Sequence::Exact(last) if next(last))
        && (heartbeat.capabilities == 0 || heartbeat.capabilities == agent.capabilities.0)
        // One that was late is announced as back.
        && matches!(entry.announced, None | Some(axes::Connection::Connected))
}

//! Writing behind: what agents reported and what happened, in groups.

use tidegate_opamp::InstanceUid;
use tidegate_store::{StoreError, Transaction, Write};

use super::Core;

/// Agents written as one transaction.
const GROUP: usize = 500;

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Agents whose reports changed.
    Changed,
    /// Those, and every agent whose number or time moved: at a stop in order, so that the next start can trust the
    /// numbers (decision D1).
    Everything,
}

impl Core {
    /// Writes what is behind; returns how many rows.
    pub(crate) async fn flush(&self, extent: Extent) -> Result<usize, StoreError> {
        let mut behind = self.registry.take_behind();
        match extent {
            Extent::Changed => {
                let now = self.now();
                behind.retain(|uid| {
                    self.registry.with_settled(uid, |entry| entry.may_write(now)) == Some(true)
                });
            }
            Extent::Everything => {
                behind.clear();
                self.registry.for_each(|entry| {
                    if entry.is_behind() || entry.unsaved_number {
                        behind.push(entry.agent.uid);
                    }
                });
            }
        }
        let mut count = 0;
        for group in behind.chunks(GROUP) {
            count += self.flush_agents(group).await?;
        }
        let events = self.stream.take_unsaved();
        if !events.is_empty() {
            let writes = events.iter().cloned().map(Write::Event).collect();
            if let Err(error) = self.store.commit(Transaction::observed(writes)).await {
                self.stream.put_back_unsaved(events);
                return Err(error);
            }
            count += events.len();
        }
        Ok(count)
    }

    /// Writes a group of agents as they are now: copied just before they are handed over, so that a record written
    /// meanwhile is not overwritten by an older one.
    async fn flush_agents(&self, uids: &[InstanceUid]) -> Result<usize, StoreError> {
        let mut writes = Vec::with_capacity(uids.len());
        for uid in uids {
            self.registry.beat(uid, |entry| {
                entry.dirty = false;
                entry.unsaved_number = false;
                writes.push(Write::Agent(Box::new(entry.agent.clone())));
                if std::mem::take(&mut entry.commands_dirty) {
                    writes.extend(
                        entry.commands.iter().map(|command| Write::Command(Box::new(command.clone()))),
                    );
                }
            });
        }
        let count = writes.len();
        let result = self.store.commit(Transaction::observed(writes)).await;
        for uid in uids {
            self.registry.with_settled(uid, |entry| match &result {
                Ok(_) => entry.stored = true,
                Err(_) => (entry.dirty, entry.commands_dirty) = (true, true),
            });
        }
        result.map(|_| count)
    }
}

//! Writing behind: what agents reported and what happened, in groups.

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
        let mut agents = Vec::new();
        self.registry.for_each(|entry| {
            if entry.dirty || (extent == Extent::Everything && entry.unsaved_number) {
                entry.dirty = false;
                entry.unsaved_number = false;
                agents.push(Box::new(entry.agent.clone()));
            }
        });
        let mut count = 0;
        for group in agents.chunks(GROUP) {
            let writes = group.iter().cloned().map(Write::Agent).collect();
            if let Err(error) = self.store.commit(Transaction::observed(writes)).await {
                for agent in &agents[count..] {
                    self.registry.with(&agent.uid, |entry| entry.dirty = true);
                }
                return Err(error);
            }
            count += group.len();
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
}

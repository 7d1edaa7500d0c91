//! What agents say of their metrics: the last two samples of each in memory, their past in the history. Nothing of it
//! is committed, announced or written to the audit log.

use std::sync::Arc;

use tidegate_custom::metrics::{DIGEST, Digest};
use tidegate_custom::{METRICS, bare};
use tidegate_fleet::Timestamp;
use tidegate_fleet::metrics::{Block, Samples};
use tidegate_opamp::{AgentToServer, InstanceUid};
use tidegate_store::StoreError;

use super::{Core, Entry};

/// Blocks that are written at once when the server stops: fewer than the history lets wait.
const AT_ONCE: usize = 10_000;

impl Core {
    /// Takes the digest out of a message: it answers no command, and what follows must not take it for one that does.
    /// One that cannot be read is counted and gone; the agent is not told.
    pub(super) fn take_digest(&self, message: &mut AgentToServer) -> Option<Digest> {
        let custom = message
            .custom_message
            .take_if(|custom| bare(&custom.capability) == METRICS && custom.kind == DIGEST)?;
        match Digest::parse(&custom.data) {
            Ok(digest) => Some(digest),
            Err(error) => {
                self.metrics.digests_refused.inc();
                tracing::debug!(%error, "a digest of metrics cannot be read");
                None
            }
        }
    }

    /// Takes a digest into an agent's samples.
    pub(super) fn sample(&self, entry: &mut Entry, digest: &Digest, now: Timestamp) {
        let before = entry.samples.as_ref().map(|samples| Arc::clone(samples.names()));
        let Ok(block) = Samples::take(&mut entry.samples, entry.agent.uid, digest, now) else {
            self.metrics.digests_refused.inc();
            return;
        };
        self.metrics.digests.inc();
        if let Some(samples) = &mut entry.samples
            && before.as_ref().is_none_or(|before| !Arc::ptr_eq(before, samples.names()))
        {
            samples.share_names(|names| self.bodies.share(names));
            before.iter().for_each(|before| self.bodies.release(before));
        }
        if let (Some(block), Some(history)) = (block, &self.history) {
            history.put(block);
        }
    }

    /// Writes what the history has not written, and shortens it; a sentence on what came of it.
    pub(crate) async fn flush_history(self: &Arc<Self>) -> Result<String, StoreError> {
        let core = Arc::clone(self);
        let flushed = tokio::task::spawn_blocking(move || {
            core.history.as_ref().map(|history| history.flush(core.now())).transpose()
        });
        let flushed = flushed.await.map_err(|_| StoreError::Closed)??.unwrap_or_default();
        self.metrics.digests_dropped.inc_by(flushed.dropped as u64);
        Ok(format!(
            "{} blocks written, {} removed, {} dropped; {} bytes in use",
            flushed.written, flushed.removed, flushed.dropped, flushed.bytes
        ))
    }

    /// Writes everything that the history lacks, at the end of the server.
    pub(crate) async fn close_history(self: &Arc<Self>) -> Result<(), StoreError> {
        let Some(history) = self.history.clone() else { return Ok(()) };
        let mut blocks = Vec::new();
        self.registry.work_on_each(|entry| {
            let uid = entry.agent.uid;
            blocks.extend(entry.samples.as_mut().and_then(|samples| samples.hand_over(uid)));
        });
        self.flush_history().await?;
        while !blocks.is_empty() {
            let rest = blocks.split_off(blocks.len().min(AT_ONCE));
            std::mem::replace(&mut blocks, rest).into_iter().for_each(|block| history.put(block));
            self.flush_history().await?;
        }
        Ok(())
    }

    /// The points of an agent that reach into a span, oldest first: of the history, and of this moment.
    pub(crate) async fn past(
        &self,
        agent: InstanceUid,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Block>, StoreError> {
        let Some(history) = self.history.clone() else { return Ok(Vec::new()) };
        // First: a block that is handed over meanwhile is then there twice, and one of them is dropped.
        let pending = self.registry.look(&agent, |entry| entry.samples.as_ref()?.pending(agent)).flatten();
        let read = tokio::task::spawn_blocking(move || history.read(&agent, from, to));
        let mut blocks = read.await.map_err(|_| StoreError::Closed)??;
        if let Some(pending) = pending.filter(|pending| pending.to > from && pending.from < to) {
            blocks.retain(|block| block.from != pending.from);
            blocks.push(pending);
        }
        Ok(blocks)
    }
}

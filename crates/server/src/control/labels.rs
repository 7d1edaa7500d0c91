//! Labels: what operators say of agents.

use std::collections::BTreeMap;

use tidegate_fleet::agent::{InvalidLabel, LabelPatch, Labels};
use tidegate_fleet::plan::agents;
use tidegate_fleet::{Action, Actor, AuditEntry, Event, EventKind, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::{Transaction, Write};

use super::agents::not_found;
use super::{Control, ControlError, Record};
use crate::state::{Operation, Outcome, Target};

/// Agents that are written as one transaction.
const GROUP: usize = 500;

/// A change of the labels of all agents that match.
#[derive(Clone, Debug)]
pub(crate) struct LabelOrder {
    pub(crate) query: String,
    pub(crate) patch: LabelPatch,
    /// How many agents the query is expected to match.
    pub(crate) expected_count: u64,
    /// By how many it may differ.
    pub(crate) tolerance: u64,
}

impl Control {
    /// Changes the labels of one agent, where they are as the caller believes. It is stored when this returns.
    pub(crate) async fn patch_labels(
        &self,
        actor: &Actor,
        uid: &InstanceUid,
        patch: LabelPatch,
        as_believed: impl FnOnce(&Labels) -> bool + Send + 'static,
        dry_run: bool,
    ) -> Result<Labels, ControlError> {
        authorize(actor, Action::Label)?;
        let (control, actor, uid) = (self.clone(), actor.clone(), *uid);
        Self::to_the_end(async move {
            let _labelling = control.core.labelling.lock().await;
            let before = control.view(&actor, &uid).ok_or_else(|| not_found(&uid))?.agent.labels;
            if !as_believed(&before) {
                let message = "the labels have changed since they were read; read them again";
                return Err(ControlError::Stale(message.into()));
            }
            let after = before.patched(&patch).map_err(|error| invalid(&error))?;
            if !dry_run && after != before {
                let audit = AuditEntry::new(
                    control.core.now(),
                    &actor,
                    Action::Label,
                    uid.to_string(),
                    written(&patch),
                );
                control.store_labels(audit, &[(uid, after.clone())], Vec::new()).await?;
                control.set_labels(&actor, uid, after.clone());
            }
            Ok(after)
        })
        .await
    }

    /// Changes the labels of all agents that match a query, with one audit entry for each group that is written.
    pub(crate) async fn label(
        &self,
        actor: &Actor,
        order: LabelOrder,
        dry_run: bool,
        record: Record<Operation>,
    ) -> Result<Operation, ControlError> {
        authorize(actor, Action::Label)?;
        let uids =
            self.expected(actor, Action::Label, &order.query, order.expected_count, order.tolerance).await?;
        Labels::default().patched(&order.patch).map_err(|error| invalid(&error))?;
        let (control, actor) = (self.clone(), actor.clone());
        Self::to_the_end(async move {
            let _labelling = control.core.labelling.lock().await;
            let now = control.core.now();
            let mut operation = Operation::new(control.core.new_id(), "label", &order.query, &actor, now);
            let mut record = Some(record);
            let mut groups = uids.chunks(GROUP).peekable();
            while let Some(group) = groups.next() {
                let mut changes = Vec::new();
                for uid in group {
                    let Some(view) = control.view(&actor, uid) else { continue };
                    let outcome = match view.agent.labels.patched(&order.patch) {
                        Ok(after) if after == view.agent.labels => {
                            Outcome::Done("it had these labels".into())
                        }
                        Ok(after) => {
                            changes.push((*uid, after));
                            Outcome::Done(String::new())
                        }
                        Err(error) => Outcome::Refused(error.message),
                    };
                    operation.targets.push(Target { uid: *uid, name: view.agent.name(), outcome });
                }
                if dry_run {
                    continue;
                }
                // Who asks again after a crash before the last group has the rest done: labels are set, not counted.
                let record = if groups.peek().is_none() { record.take() } else { None };
                let answer = record.map(|record| record(&operation)).unwrap_or_default();
                if changes.is_empty() {
                    if !answer.is_empty() {
                        control.core.store.commit(Transaction::observed(answer)).await?;
                    }
                    continue;
                }
                let detail = format!("{} on {}", written(&order.patch), agents(changes.len()));
                let audit = AuditEntry::new(now, &actor, Action::Label, order.query.clone(), detail);
                control.store_labels(audit, &changes, answer).await?;
                for (uid, after) in changes {
                    control.set_labels(&actor, uid, after);
                }
                // Followers of the fleet must get their turn before the log has gone past them.
                tokio::task::yield_now().await;
            }
            if !dry_run {
                control.core.operations.lock().keep(operation.clone());
            }
            Ok(operation)
        })
        .await
    }

    async fn store_labels(
        &self,
        audit: AuditEntry,
        changes: &[(InstanceUid, Labels)],
        answer: Vec<Write>,
    ) -> Result<(), ControlError> {
        let uids: Vec<_> = changes.iter().map(|(uid, _)| *uid).collect();
        let mut writes = self.unstored(&uids);
        writes.extend(answer);
        let owned = |labels: &Labels| -> BTreeMap<String, String> {
            labels.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        writes
            .extend(changes.iter().map(|(uid, labels)| Write::Labels { agent: *uid, labels: owned(labels) }));
        self.core.store.commit(Transaction::intent(audit, writes)).await?;
        Ok(())
    }

    /// Makes stored labels true in memory, and tells those who follow.
    fn set_labels(&self, actor: &Actor, uid: InstanceUid, labels: Labels) {
        let listed: Vec<_> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let text = if listed.is_empty() { "none".to_owned() } else { listed.join(" ") };
        let text = format!("labels set by {}: {}", actor.name, tidegate_fleet::agent::axes::headline(&text));
        let now = self.core.now();
        let resettled = self.core.registry.with(&uid, |entry| {
            entry.stored = true;
            entry.agent.labels = labels;
            self.core.settings.settle(&mut entry.agent, now)
        });
        self.core.changed(uid);
        if resettled == Some(true) {
            self.core.nudge(&uid);
        }
        let event = Event { at: self.core.now(), kind: EventKind::Labels, agent: uid, text };
        self.core.stream.publish(vec![event]);
    }
}

fn invalid(error: &InvalidLabel) -> ControlError {
    // A JSON pointer's own characters are escaped (RFC 6901).
    let key = error.key.replace('~', "~0").replace('/', "~1");
    ControlError::invalid(format!("/labels/{key}"), error.message.clone())
}

fn written(patch: &LabelPatch) -> String {
    let one = |(key, value): (&String, &Option<String>)| match value {
        Some(value) => format!("{key}={value}"),
        None => format!("{key}-"),
    };
    patch.iter().map(one).collect::<Vec<_>>().join(" ")
}

//! Acts on many agents at once.

use std::time::Duration;

use tidegate_fleet::plan::agents;
use tidegate_fleet::{Action, Actor, AuditEntry, Command, authorize};
use tidegate_opamp::InstanceUid;
use tidegate_store::{Transaction, Write};

use super::agents::ListOrder;
use super::commands::{self, CommandOrder};
use super::{Control, ControlError, Record};
use crate::state::{Commanded, Entry, Operation, Outcome, Target};

/// Most agents that one operation commands: all of it is stored in one transaction, or nothing is.
pub(super) const MAX_COMMANDED: usize = 10_000;

/// Agents that are told about without a pause: followers of the fleet must get their turn.
const BREATHER: usize = 500;

/// A command for all agents that match.
#[derive(Clone, Debug)]
pub(crate) struct BulkOrder {
    pub(crate) query: String,
    /// How many agents the query is expected to match.
    pub(crate) expected_count: u64,
    /// By how many it may differ.
    pub(crate) tolerance: u64,
    pub(crate) command: CommandOrder,
    pub(crate) deadline: Option<Duration>,
}

/// A command for agents that were found already.
#[derive(Clone, Debug)]
pub(super) struct TargetedOrder {
    /// The query that found them.
    pub(super) query: String,
    pub(super) uids: Vec<InstanceUid>,
    pub(super) command: CommandOrder,
    pub(super) deadline: Duration,
    /// What else the audit entry says.
    pub(super) note: String,
}

const NOTHING_WAITS: &str = "nothing of this operation waits to be sent";

impl Control {
    /// An operation as it is now.
    pub(crate) fn operation(&self, actor: &Actor, id: &str) -> Result<Operation, ControlError> {
        authorize(actor, Action::Read)?;
        let found = self.core.operations.lock().get(id).cloned();
        let mut operation =
            found.ok_or_else(|| ControlError::NotFound { kind: "operation", id: id.to_owned() })?;
        for target in &mut operation.targets {
            let Outcome::Commanded(known) = &target.outcome else { continue };
            let now = self.core.registry.look(&target.uid, |entry| {
                entry.commands.iter().find(|command| command.id == known.id).map(Commanded::from)
            });
            target.outcome = Outcome::Commanded(now.flatten().unwrap_or_else(|| known.forgotten()));
        }
        Ok(operation)
    }

    /// Queues a command for each agent that matches. All of them are stored when this returns, in one transaction with
    /// the audit entry.
    pub(crate) async fn command_all(
        &self,
        actor: &Actor,
        order: BulkOrder,
        dry_run: bool,
        record: Record<Operation>,
    ) -> Result<Operation, ControlError> {
        let BulkOrder { query, expected_count, tolerance, command, deadline } = order;
        let action = command.action();
        authorize(actor, action)?;
        let deadline = commands::deadline(deadline)?;
        let uids = self.expected(actor, action, &query, expected_count, tolerance).await?;
        let order = TargetedOrder { query, uids, command, deadline, note: String::new() };
        self.command_these(actor, order, dry_run, record).await
    }

    /// Queues a command for each of these agents, as [`Control::command_all`] does.
    pub(super) async fn command_these(
        &self,
        actor: &Actor,
        order: TargetedOrder,
        dry_run: bool,
        record: Record<Operation>,
    ) -> Result<Operation, ControlError> {
        let TargetedOrder { query, uids, command, deadline, note } = order;
        let action = command.action();
        authorize(actor, action)?;
        if uids.len() > MAX_COMMANDED {
            let message = format!(
                "the query matches {} agents, at most {MAX_COMMANDED} are commanded at once; narrow it",
                uids.len()
            );
            return Err(ControlError::invalid("/q", message));
        }
        let (control, actor) = (self.clone(), actor.clone());
        Self::to_the_end(async move {
            let now = control.core.now();
            let mut operation = Operation::new(control.core.new_id(), command.word(), &query, &actor, now);
            let mut queued: Vec<Command> = Vec::new();
            for uid in uids {
                let new = commands::new(command.clone(), uid, control.core.new_id(), &actor, now, deadline)?;
                // One that left since the query was asked is no target.
                let look = |entry: &Entry| {
                    let admitted = commands::admit(entry, &new.kind);
                    actor.scope.covers(&entry.agent).then(|| (entry.agent.name(), admitted))
                };
                let Some((name, admitted)) = control.core.registry.look(&uid, look).flatten() else {
                    continue;
                };
                let outcome = match admitted {
                    Err(error) => Outcome::Refused(error.to_string()),
                    Ok(()) if dry_run => Outcome::Done("would be queued".into()),
                    Ok(()) => {
                        let commanded = Commanded::from(&new);
                        queued.push(new);
                        Outcome::Commanded(commanded)
                    }
                };
                operation.targets.push(Target { uid, name, outcome });
            }
            if dry_run {
                return Ok(operation);
            }
            let answer = record(&operation);
            let transaction = if queued.is_empty() {
                Transaction::observed(answer)
            } else {
                let uids: Vec<_> = queued.iter().map(|command| command.agent).collect();
                let mut writes = control.unstored(&uids);
                writes.extend(queued.iter().map(|command| Write::Command(Box::new(command.clone()))));
                writes.extend(answer);
                let detail = format!("{} for {}{note}", operation.kind, agents(queued.len()));
                Transaction::intent(AuditEntry::new(now, &actor, action, query, detail), writes)
            };
            control.core.store.commit(transaction).await?;
            for (number, command) in queued.iter().enumerate() {
                control.queued(command);
                if number % BREATHER == BREATHER - 1 {
                    tokio::task::yield_now().await;
                }
            }
            control.core.operations.lock().keep(operation.clone());
            Ok(operation)
        })
        .await
    }

    /// Withdraws the commands of an operation that have not been sent.
    pub(crate) async fn cancel_operation(
        &self,
        actor: &Actor,
        id: &str,
        dry_run: bool,
        record: Record<Operation>,
    ) -> Result<Operation, ControlError> {
        authorize(actor, Action::CancelCommand)?;
        let mut operation = self.operation(actor, id)?;
        let now = self.core.now();
        if dry_run {
            let mut any = false;
            for target in &mut operation.targets {
                let Outcome::Commanded(Commanded { id, .. }) = &target.outcome else { continue };
                let look = |entry: &Entry| entry.commands.iter().find(|command| command.id == *id).cloned();
                let Some(mut command) = self.core.registry.look(&target.uid, look).flatten() else {
                    continue;
                };
                if commands::withdraw(&mut command, actor, now).is_ok() {
                    (any, target.outcome) = (true, Outcome::Commanded(Commanded::from(&command)));
                }
            }
            let refusal = || ControlError::Conflict(NOTHING_WAITS.into());
            return any.then_some(operation).ok_or_else(refusal);
        }
        // Each is taken off its queue first, so that it cannot leave while the withdrawal is being written.
        let withdraw = |target: &Target| {
            let Outcome::Commanded(Commanded { id, .. }) = &target.outcome else { return None };
            let taken = self.core.registry.with(&target.uid, |entry| {
                let command = entry.commands.iter_mut().find(|command| command.id == *id)?;
                let before = command.clone();
                commands::withdraw(command, actor, now).ok()?;
                Some((before, command.clone()))
            });
            taken.flatten()
        };
        let (before, cancelled): (Vec<_>, Vec<_>) = operation.targets.iter().filter_map(withdraw).unzip();
        if cancelled.is_empty() {
            return Err(ControlError::Conflict(NOTHING_WAITS.into()));
        }
        let operation = self.operation(actor, id)?;
        let text = format!("{} commands of {} for {:?}", cancelled.len(), operation.kind, operation.query);
        let audit = AuditEntry::new(now, actor, Action::CancelCommand, id, text);
        let control = self.clone();
        Self::to_the_end(async move {
            let mut writes: Vec<_> =
                cancelled.iter().map(|command| Write::Command(Box::new(command.clone()))).collect();
            writes.extend(record(&operation));
            if let Err(error) = control.core.store.commit(Transaction::intent(audit, writes)).await {
                before.iter().for_each(|command| control.put_back(command));
                return Err(error.into());
            }
            for (number, command) in cancelled.iter().enumerate() {
                control.announce(command);
                if number % BREATHER == BREATHER - 1 {
                    tokio::task::yield_now().await;
                }
            }
            Ok(operation)
        })
        .await
    }

    /// The agents that match a query, where they are as many as the caller believes.
    pub(super) async fn expected(
        &self,
        actor: &Actor,
        action: Action,
        query: &str,
        expected: u64,
        tolerance: u64,
    ) -> Result<Vec<InstanceUid>, ControlError> {
        if query.trim().is_empty() {
            return Err(ControlError::invalid("/q", "name the agents; name:* says all of them"));
        }
        let order = ListOrder { query: query.to_owned(), ..ListOrder::default() };
        let uids: Vec<_> = self.find(actor, action, &order).await?.uids().collect();
        if uids.is_empty() {
            return Err(ControlError::NoAgentMatches(query.to_owned()));
        }
        if (uids.len() as u64).abs_diff(expected) > tolerance {
            let found = agents(uids.len());
            let message = format!("the query matches {found}, {expected} were expected; look again");
            return Err(ControlError::Conflict(message));
        }
        Ok(uids)
    }
}

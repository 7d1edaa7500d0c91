//! `tidegate restart agents --query`.

use std::time::Duration;

use tidegate_api::{BulkAction, BulkRequest, Operation};

use super::confirm::{Act, agents, confirm};
use super::{Context, outcome, show};
use crate::failure::Failure;
use crate::lowargs::{PageOutput, RestartArgs};
use crate::poll::Poll;
use crate::render::commands::line;
use crate::sanitise;

pub(super) async fn run(context: &Context, args: &RestartArgs, query: &str) -> Result<(), Failure> {
    let count = context.client.list_agents(query, None, 1).await?.total.value;
    if count == 0 {
        return Err(Failure::NoMatch { q: query.to_owned() });
    }
    let yes = args.yes || args.dry_run;
    confirm(context, &Act { verb: "restart", done: "restarted", query, count, yes }).await?;
    let deadline_seconds = (!args.no_wait).then(|| super::send::whole_seconds(args.timeout));
    let action = BulkAction::Restart { deadline_seconds };
    // The server counts again: a fleet that changed since it was confirmed is not restarted.
    let request = BulkRequest { q: query.to_owned(), expected_count: count, tolerance: 0, action };
    let mut operation = context.client.bulk(&request, args.dry_run).await?;
    if args.dry_run {
        show(&operation, args.output, || {
            Ok(format!("{} would be restarted\n{}", agents(operation.succeeded), refused(&operation)))
        })?;
        return outcome::of_counts(operation.succeeded, operation.total, "agents");
    }
    if args.no_wait {
        show(&operation, args.output, || Ok(format!("{}\n", sanitise::line(&operation.id))))?;
        if args.output == PageOutput::Text && operation.refused > 0 {
            context.talk.say(refused(&operation).trim_end());
        }
        return outcome::of_start(&operation);
    }
    wait(context, args.timeout, &mut operation).await?;
    finish(&operation, args.output, args.timeout)
}

/// Tells what came of each agent, and ends as they did.
pub(super) fn finish(operation: &Operation, output: PageOutput, timeout: Duration) -> Result<(), Failure> {
    show(operation, output, || {
        let rows = operation.targets.iter();
        Ok(rows.map(|target| line(&target.name, &target.uid, &target.outcome, &target.reason)).collect())
    })?;
    outcome::of_operation(operation, timeout)
}

pub(super) fn refused(operation: &Operation) -> String {
    let refused = operation.targets.iter().filter(|target| target.outcome == "refused");
    refused.map(|target| line(&target.name, &target.uid, &target.outcome, &target.reason)).collect()
}

/// Follows an operation until nothing of it is under way, or time is up.
pub(super) async fn wait(
    context: &Context,
    timeout: Duration,
    operation: &mut Operation,
) -> Result<(), Failure> {
    let mut poll = Poll::new(timeout);
    let mut progress = context.talk.progress();
    loop {
        progress.show(&standing(operation));
        if operation.pending == 0 || !poll.again().await {
            return Ok(());
        }
        if let Some(news) = poll.heard(context.client.operation(&operation.id).await)? {
            *operation = news;
        }
    }
}

/// The counts in one line, such as `5 agents: 3 succeeded, 2 pending …`.
fn standing(operation: &Operation) -> String {
    let counts = [
        (operation.succeeded, "succeeded"),
        (operation.pending, "pending"),
        (operation.failed, "failed"),
        (operation.refused, "refused"),
    ];
    let counts: Vec<_> = counts
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let dots = if operation.pending == 0 { "" } else { " …" };
    format!("{}: {}{dots}", agents(operation.total), counts.join(", "))
}

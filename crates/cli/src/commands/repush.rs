//! `tidegate retry push` and `tidegate roll-back push`.

use serde::Serialize;
use tidegate_api::{
    Push, RetryRequest, RollBack, RollBackAgent, RollBackAgents, RollBackRequest, RollBackSummary,
};

use super::cancel::id;
use super::confirm::{Question, agents, ask};
use super::{Context, outcome, push, show};
use crate::failure::Failure;
use crate::lowargs::{AgainArgs, RetryArgs, RollBackArgs};
use crate::render::push::result;
use crate::render::repush::{moved, stays, would_retry};
use crate::sanitise;

pub(super) async fn retry(context: &Context, args: &RetryArgs) -> Result<(), Failure> {
    let args = &args.again;
    let id = id(&args.id, "a push")?;
    let tried = context.client.retry_push(id, RetryRequest::default(), true).await?;
    if args.dry_run {
        return show(&tried, args.output, || Ok(would_retry(&tried)));
    }
    let count = tried.summary.total;
    let all = agents(count);
    let question = Question {
        text: format!("Push once more to the {all} of push {id} that failed?"),
        unasked: format!("{all} of push {id} failed: give --yes to push once more to all of them"),
        done: "pushed",
    };
    agree(context, args, count, &question).await?;
    // The server counts again: what changed since it was confirmed is not done.
    let made = context.client.retry_push(id, RetryRequest { expected_count: Some(count) }, false).await?;
    if args.no_wait {
        context.talk.say(&format!("pushed once more to {}", agents(made.summary.total)));
        return show(&made, args.output, || Ok(format!("{}\n", sanitise::line(&made.id))));
    }
    push::finish(context, made, args.timeout, args.output).await
}

/// A roll back that was waited for: as the API gives it, but with its pushes whole.
#[derive(Serialize)]
struct Followed<'a> {
    roll_back_of: &'a str,
    summary: RollBackSummary,
    pushes: &'a [Push],
    agents: &'a [RollBackAgent],
}

pub(super) async fn roll_back(context: &Context, args: &RollBackArgs) -> Result<(), Failure> {
    let whom = if args.all { RollBackAgents::All } else { RollBackAgents::Failed };
    let args = &args.again;
    let id = id(&args.id, "a push")?;
    let request = RollBackRequest { agents: whom, expected_count: None };
    let tried = context.client.roll_back_push(id, request, true).await?;
    if args.dry_run {
        show(&tried, args.output, || Ok(moved(&tried)))?;
        return of_summary(tried.summary);
    }
    let count = tried.summary.back;
    let all = agents(count);
    let question = Question {
        text: format!("Roll the {all} of push {id} back that would go back?"),
        unasked: format!("{all} of push {id} would go back: give --yes to roll back all of them"),
        done: "rolled back",
    };
    agree(context, args, count, &question).await?;
    let request = RollBackRequest { expected_count: Some(count), ..request };
    let back = context.client.roll_back_push(id, request, false).await?;
    if args.no_wait {
        context.talk.say(&format!("rolled back {}", agents(back.summary.back)));
        show(&back, args.output, || {
            Ok(back.pushes.iter().map(|push| format!("{}\n", sanitise::line(&push.id))).collect())
        })?;
        return of_summary(back.summary);
    }
    finish(context, args, &back).await
}

/// Follows the pushes of a roll back to their end.
async fn finish(context: &Context, args: &AgainArgs, back: &RollBack) -> Result<(), Failure> {
    let mut pushes = Vec::new();
    for push in &back.pushes {
        context.talk.say(&format!("push {} is on its way", push.id));
        pushes.push(context.client.push_state(&push.id).await?);
    }
    push::follow(context, args.timeout, &mut pushes).await?;
    let followed = Followed {
        roll_back_of: &back.roll_back_of,
        summary: back.summary,
        pushes: &pushes,
        agents: &back.agents,
    };
    show(&followed, args.output, || Ok(pushes.iter().map(result).chain(stays(back)).collect()))?;
    outcome::of_pushes(&pushes, args.timeout)?;
    of_summary(back.summary)
}

/// Who has nowhere to go back to did not do what was asked; who was given another config since was not asked.
fn of_summary(summary: RollBackSummary) -> Result<(), Failure> {
    outcome::of_counts(summary.back, summary.back + summary.nowhere, "agents")
}

/// Asks before more than one agent is touched.
async fn agree(
    context: &Context,
    args: &AgainArgs,
    count: u64,
    question: &Question<'_>,
) -> Result<(), Failure> {
    if args.yes || count == 1 { Ok(()) } else { ask(context, question).await }
}

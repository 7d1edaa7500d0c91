//! `tidegate describe plan`, `tidegate execute plan` and `tidegate discard plan`.

use tidegate_api::{Plan, PlanExecution};

use super::cancel::id;
use super::confirm::{agents, answer};
use super::restart_query::{finish, refused, wait};
use super::{Context, outcome, show};
use crate::failure::Failure;
use crate::lowargs::{ExecutePlanArgs, PlanArgs};
use crate::render::plans::page;
use crate::sanitise;

pub(super) async fn describe(context: &Context, args: &PlanArgs) -> Result<(), Failure> {
    let plan = context.client.plan(id(&args.id, "a plan")?).await?;
    show(&plan, args.output, || Ok(page(&plan)))
}

pub(super) async fn discard(context: &Context, args: &PlanArgs) -> Result<(), Failure> {
    let plan = context.client.discard_plan(id(&args.id, "a plan")?).await?;
    show(&plan, args.output, || Ok(format!("plan {} discarded\n", sanitise::line(&plan.id))))
}

pub(super) async fn execute(context: &Context, args: &ExecutePlanArgs) -> Result<(), Failure> {
    let plan = context.client.plan(id(&args.plan.id, "a plan")?).await?;
    let mut execution = PlanExecution {
        hash: plan.hash.clone(),
        confirmation: plan.confirmation.clone(),
        reason: args.reason.clone(),
    };
    // Nobody is asked about what would be refused.
    let tried = context.client.execute_plan(&plan.id, &execution, true).await?;
    if args.dry_run {
        show(&tried, args.plan.output, || {
            Ok(format!("{} of {} would be told\n{}", tried.succeeded, agents(tried.total), refused(&tried)))
        })?;
        return outcome::of_counts(tried.succeeded, tried.total, "agents");
    }
    execution.confirmation = confirmation(context, args, &plan).await?;
    let mut operation = context.client.execute_plan(&plan.id, &execution, false).await?;
    if args.no_wait {
        show(&operation, args.plan.output, || Ok(format!("{}\n", sanitise::line(&operation.id))))?;
        return outcome::of_start(&operation);
    }
    wait(context, args.timeout, &mut operation).await?;
    finish(&operation, args.plan.output, args.timeout)
}

/// What confirms the plan, from the command line or from the person at the terminal, who reads the plan first.
async fn confirmation(context: &Context, args: &ExecutePlanArgs, plan: &Plan) -> Result<String, Failure> {
    let typed = match &args.confirm {
        Some(typed) => typed.clone(),
        None if !context.terminal.can_ask => {
            let text =
                format!("{} of {}: give --confirm {:?}", plan.summary, agents(plan.count), plan.confirmation);
            return Err(Failure::Unconfirmed(text));
        }
        None => {
            for line in page(plan).lines() {
                context.talk.say(line);
            }
            answer(context, &format!("Type {} to let it happen: ", plan.confirmation)).await?
        }
    };
    if typed.trim() == plan.confirmation {
        return Ok(typed);
    }
    Err(Failure::Unconfirmed(format!("what was typed is not {:?}; nothing was done", plan.confirmation)))
}

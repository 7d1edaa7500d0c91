//! What was typed of plans.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum ExecuteNoun {
    /// Carry out what an assistant planned, after you typed its confirmation, and wait for the outcome.
    Plan(ExecutePlanArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DiscardNoun {
    /// A plan that is not to be carried out.
    Plan(PlanArgs),
}

#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    /// The plan, such as pl_k3jx7q2mvn4a.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How to show it.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Args, Debug)]
pub(crate) struct ExecutePlanArgs {
    #[command(flatten)]
    pub(crate) plan: PlanArgs,
    /// The plan's confirmation, such as 'restart 2'; asked for when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) confirm: Option<String>,
    /// Why, in 8 to 280 characters; what the assistant said when left out.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// Do everything but what is planned.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for the outcome.
    #[arg(long, default_value = "60s", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// Do not wait: print the id of the operation.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) no_wait: bool,
}

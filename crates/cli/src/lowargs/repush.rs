//! What was typed of what follows a push that did not go well.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum RetryNoun {
    /// Give the files of a push once more to those of its agents that failed, and wait until each has settled.
    Push(RetryArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum RollBackNoun {
    /// Give those of its agents that failed the config that each ran before it, and wait until each has settled.
    Push(RollBackArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) again: AgainArgs,
}

#[derive(Args, Debug)]
pub(crate) struct RollBackArgs {
    #[command(flatten)]
    pub(crate) again: AgainArgs,
    /// All agents that it gave its config to, not only those that failed.
    #[arg(long)]
    pub(crate) all: bool,
}

/// What both take.
#[derive(Args, Debug)]
pub(crate) struct AgainArgs {
    /// The push, as `tidegate push` named it.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Do everything but the push.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait until each agent has settled.
    #[arg(long, default_value = "5m", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// Do not wait: print the id of each new push.
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) no_wait: bool,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// How to show the result.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

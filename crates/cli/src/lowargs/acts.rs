//! What was typed of restarts and of withdrawing.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum RestartNoun {
    /// Agents by uid or name, or all that match a query.
    #[command(alias = "agents", visible_alias = "ag")]
    Agent(RestartArgs),
}

#[derive(Args, Debug)]
pub(crate) struct RestartArgs {
    /// The agents: uids, at least 4 hex digits that a uid begins with, or names.
    #[arg(value_name = "UID|NAME", required_unless_present = "query", conflicts_with = "query")]
    pub(crate) agents: Vec<String>,
    /// Which agents, at most 10,000; 'name:*' says all.
    #[arg(short, long)]
    pub(crate) query: Option<String>,
    /// Do everything but the restarts.
    #[arg(long, conflicts_with = "agents")]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(short, long, conflicts_with = "agents")]
    pub(crate) yes: bool,
    /// How long to wait for the outcome; a restart that has not left the server by then expires.
    #[arg(long, default_value = "60s", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// Queue the restarts and do not wait: print the ids of the commands, or with --query that of the operation;
    /// they expire after a day.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How to show the results.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CancelNoun {
    /// A command that has not been sent.
    #[command(visible_alias = "cmd")]
    Command(CancelArgs),
    /// Those commands of an act on many agents that have not been sent.
    #[command(visible_alias = "op")]
    Operation(CancelArgs),
}

#[derive(Args, Debug)]
pub(crate) struct CancelArgs {
    /// Its id.
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// How to show the result.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

//! What was typed of looking at an agent.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum LogsNoun {
    /// Of one agent.
    #[command(visible_alias = "ag")]
    Agent(LogsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// The agent: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agent: String,
    /// How many lines, at most.
    #[arg(short = 'n', long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=500))]
    pub(crate) lines: u64,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DiagnoseNoun {
    /// Of one agent.
    #[command(visible_alias = "ag")]
    Agent(DiagnoseArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DiagnoseArgs {
    /// The agent: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agent: String,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Args, Debug)]
pub(crate) struct ValidateArgs {
    /// The files: the main config first, then those that it needs; together at most 64 KiB.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// The agent that is to check them: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(long, value_name = "UID|NAME", required_unless_present = "schema")]
    pub(crate) on_agent: Option<String>,
    /// The build to check them against, without any agent: the version or hash of its schema of plugins.
    #[arg(long, value_name = "VERSION|HASH", conflicts_with = "on_agent")]
    pub(crate) schema: Option<String>,
    #[command(flatten)]
    pub(crate) look: LookArgs,
}

#[derive(Args, Debug)]
pub(crate) struct LookArgs {
    /// How long to wait for the answer; a question that has not left the server by then expires.
    #[arg(long, default_value = "30s", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// How to show the answer: as text, or the whole command as the API gives it.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

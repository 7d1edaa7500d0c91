//! What was typed of metrics.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum MetricsNoun {
    /// One agent: what its components do a second, and with --since what they did.
    #[command(visible_alias = "ag")]
    Agent(MetricsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct MetricsArgs {
    /// The agent: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agent: String,
    /// Only this component, such as output:sink.
    #[arg(long, value_name = "NAME")]
    pub(crate) component: Option<String>,
    /// The past from so long ago on, in steps.
    #[arg(long, value_name = "DUR", value_parser = wait)]
    pub(crate) since: Option<Duration>,
    /// How long a step is, at least 1m; when left out, so that there are about 120 at most.
    #[arg(long, value_name = "DUR", value_parser = wait, requires = "since")]
    pub(crate) step: Option<Duration>,
    /// How to show them.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

//! What was typed of heartbeats and connection settings.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{ListOutput, PageOutput, wait};

#[derive(Args, Debug)]
pub(crate) struct GetSettingsArgs {
    /// How to show them; `name` gives a name a line.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ListOutput,
    /// Leave the table's header out.
    #[arg(long)]
    pub(crate) no_headers: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SetNoun {
    /// How often agents speak; agents that poll, how often they poll.
    #[command(visible_alias = "hb")]
    Heartbeat(SetHeartbeatArgs),
    /// A rule for connection settings, from a file.
    #[command(alias = "setting")]
    Settings(SetSettingsArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum UnsetNoun {
    /// The interval that was set; what other rules say holds again, or the server's own.
    #[command(visible_alias = "hb")]
    Heartbeat(UnsetHeartbeatArgs),
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeleteNoun {
    /// Rules for connection settings.
    #[command(alias = "setting")]
    Settings(DeleteSettingsArgs),
}

/// For whom: the fleet, a query, or agents.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct WhomArgs {
    /// Agents: uids, at least 4 hex digits that a uid begins with, or names.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agents: Vec<String>,
    /// Every agent.
    #[arg(long)]
    pub(crate) all: bool,
    /// The agents that match, now and later, by what they are: 'service:fluent-bit attr.site:eu-*'.
    #[arg(short, long)]
    pub(crate) query: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct SetHeartbeatArgs {
    /// The interval in whole seconds, 1s to 24h, or `off`.
    #[arg(value_parser = interval)]
    pub(crate) interval: Interval,
    #[command(flatten)]
    pub(crate) whom: WhomArgs,
    /// Offer it also to agents that report heartbeats and do not accept connection settings; some refuse it.
    #[arg(long)]
    pub(crate) force: bool,
    /// How to show the rules that were written.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Args, Debug)]
pub(crate) struct UnsetHeartbeatArgs {
    #[command(flatten)]
    pub(crate) whom: WhomArgs,
}

#[derive(Args, Debug)]
pub(crate) struct SetSettingsArgs {
    /// The rule's name: a-z, 0-9 and -.
    pub(crate) name: String,
    /// The rule in YAML or JSON, as docs/heartbeats.md shows it; (redacted) leaves a secret as it is stored.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// How to show the rule.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Args, Debug)]
pub(crate) struct DeleteSettingsArgs {
    /// The rules' names.
    #[arg(required = true)]
    pub(crate) names: Vec<String>,
}

/// An interval between heartbeats in seconds; `None` is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Interval(pub(crate) Option<u32>);

/// An interval such as `10s` or `5m`, or `off`.
fn interval(text: &str) -> Result<Interval, String> {
    if text == "off" {
        return Ok(Interval(None));
    }
    let wait = wait(text)?;
    match u32::try_from(wait.as_secs()) {
        Ok(seconds @ 1..=86_400) if wait.subsec_nanos() == 0 => Ok(Interval(Some(seconds))),
        _ => Err("give whole seconds from 1s to 24h, or off".to_owned()),
    }
}

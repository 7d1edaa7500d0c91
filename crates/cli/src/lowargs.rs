//! What was typed. What it means is resolved in `settings` and in the commands.

mod acts;
mod attention;
mod inspect;
mod mcp;
mod metrics;
mod plans;
mod repush;
mod schemas;
mod send;
mod settings;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(crate) use acts::{CancelArgs, CancelNoun, RestartArgs, RestartNoun};
pub(crate) use attention::GetAttentionArgs;
pub(crate) use inspect::{DiagnoseArgs, DiagnoseNoun, LogsArgs, LogsNoun, LookArgs, ValidateArgs};
pub(crate) use mcp::{McpClient, McpInstallArgs, McpMode, McpVerb};
pub(crate) use metrics::{MetricsArgs, MetricsNoun};
pub(crate) use plans::{DiscardNoun, ExecuteNoun, ExecutePlanArgs, PlanArgs};
pub(crate) use repush::{AgainArgs, RetryArgs, RetryNoun, RollBackArgs, RollBackNoun};
pub(crate) use schemas::{GetSchemaArgs, GetSchemasArgs};
pub(crate) use send::{SendArgs, SendNoun};
pub(crate) use settings::{
    DeleteNoun, DeleteSettingsArgs, GetSettingsArgs, SetHeartbeatArgs, SetNoun, SetSettingsArgs,
    UnsetHeartbeatArgs, UnsetNoun, WhomArgs,
};

/// Longest wait that a flag may name.
const MAX_WAIT: Duration = Duration::from_secs(7 * 24 * 3600);

/// The command line of Tidegate, which manages fleets of Fluent Bit agents.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, propagate_version = false, max_term_width = 110, after_help = AFTER_HELP)]
pub(crate) struct LowArgs {
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

const AFTER_HELP: &str = "\
Environment:
  TIDEGATE_SERVER           the server's URL
  TIDEGATE_TOKEN            the token (never an argument: those are seen by every process)
  TIDEGATE_SERVER_DATA_DIR  the data folder of a local server
  NO_COLOR                  no colours

Exit codes:
   0  success                  7  timed out
   2  usage or local file      8  not confirmed
   3  not found                9  partial success
   4  not allowed             10  failed
   5  conflict                20  server or network
   6  invalid                130  interrupted";

/// Flags that every command takes.
#[derive(Args, Debug, Default)]
pub(crate) struct GlobalArgs {
    /// The server's URL, such as http://127.0.0.1:4321; without it a local server is found by its data folder.
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// A file that holds the token.
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) token_file: Option<PathBuf>,
    /// The data folder of a local server, which names its address and token.
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List things.
    #[command(subcommand)]
    Get(GetNoun),
    /// Show all that is known of one thing.
    #[command(subcommand)]
    Describe(DescribeNoun),
    /// Show what components of agents count.
    #[command(subcommand)]
    Metrics(MetricsNoun),
    /// Restart agents.
    #[command(subcommand)]
    Restart(RestartNoun),
    /// Push a config to the agents that match a query, and wait until each has settled.
    Push(PushArgs),
    /// Try what failed once more.
    #[command(subcommand)]
    Retry(RetryNoun),
    /// Go back to what was before.
    #[command(subcommand)]
    RollBack(RollBackNoun),
    /// Send a custom message.
    #[command(subcommand)]
    Send(SendNoun),
    /// Show the last lines of an agent's own log.
    #[command(subcommand)]
    Logs(LogsNoun),
    /// Have an agent check a config without applying it.
    Validate(ValidateArgs),
    /// Show what helps to find a fault of an agent, without secrets.
    #[command(subcommand)]
    Diagnose(DiagnoseNoun),
    /// Carry out what was planned.
    #[command(subcommand)]
    Execute(ExecuteNoun),
    /// Drop what was planned.
    #[command(subcommand)]
    Discard(DiscardNoun),
    /// Set and remove labels.
    #[command(subcommand)]
    Label(LabelNoun),
    /// Withdraw what has not been done.
    #[command(subcommand)]
    Cancel(CancelNoun),
    /// Say how agents connect and how often they speak.
    #[command(subcommand)]
    Set(SetNoun),
    /// Take back what was set.
    #[command(subcommand)]
    Unset(UnsetNoun),
    /// Remove things.
    #[command(subcommand)]
    Delete(DeleteNoun),
    /// Print a link that logs in to the web console once, within a quarter of an hour.
    LoginLink(LoginLinkArgs),
    /// Connect an assistant to the server's tools (Model Context Protocol).
    #[command(subcommand)]
    Mcp(McpVerb),
    /// Show what happened in the fleet.
    #[command(visible_alias = "ev")]
    Events(EventsArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LoginLinkArgs {
    /// How to show it.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GetNoun {
    /// The agents that match a query, or all.
    #[command(alias = "agent", visible_alias = "ag")]
    Agents(GetAgentsArgs),
    /// What calls for a person, in sentences with the queries that find their agents.
    Attention(GetAttentionArgs),
    /// The rules for connection settings, heartbeats among them, and how far agents have come with each.
    #[command(alias = "setting")]
    Settings(GetSettingsArgs),
    /// The schemas of plugins that agents' builds have.
    Schemas(GetSchemasArgs),
    /// The plugins of one schema, or one plugin with its properties.
    Schema(GetSchemaArgs),
}

#[derive(Args, Debug)]
pub(crate) struct GetAgentsArgs {
    /// Which agents, such as 'health:unhealthy attr.site:eu-*'.
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub(crate) query: String,
    /// How to show them; `name` gives a uid a line, for other commands to take.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ListOutput,
    /// Leave the table's header out.
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// The order: up to four keys of the query language, each with - before it when it falls.
    #[arg(
        long,
        value_name = "KEY,…",
        default_value = "",
        hide_default_value = true,
        allow_hyphen_values = true
    )]
    pub(crate) sort_by: String,
    /// Show at most so many.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Count the values of these keys instead of listing agents, such as health,version,label.env.
    #[arg(long, value_name = "KEY,…", conflicts_with_all = ["sort_by", "limit"])]
    pub(crate) facets: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListOutput {
    #[default]
    Table,
    Wide,
    Json,
    Yaml,
    Name,
    /// An object a line, as they come.
    Ndjson,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LabelNoun {
    /// Agents by name, or all that match a query.
    #[command(alias = "agent", visible_alias = "ag")]
    Agents(LabelArgs),
}

#[derive(Args, Debug)]
pub(crate) struct LabelArgs {
    /// The agents, unless --query says which; then the changes: KEY=VALUE sets a label, KEY- removes it.
    #[arg(value_name = "UID|NAME|KEY=VALUE|KEY-", required = true)]
    pub(crate) arguments: Vec<String>,
    /// Which agents; 'name:*' says all.
    #[arg(short, long)]
    pub(crate) query: Option<String>,
    /// Do everything but the change.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// How to show the result.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DescribeNoun {
    /// One agent.
    #[command(visible_alias = "ag")]
    Agent(DescribeAgentArgs),
    /// What an assistant planned and a person has yet to confirm.
    Plan(PlanArgs),
}

#[derive(Args, Debug)]
pub(crate) struct DescribeAgentArgs {
    /// The agent: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agent: String,
    /// How to show it.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageOutput {
    #[default]
    Text,
    Json,
    Yaml,
}

#[derive(Args, Debug)]
pub(crate) struct PushArgs {
    /// The files; the first is the main one.
    #[arg(value_name = "FILE", required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Which agents; 'name:*' says all.
    #[arg(short, long)]
    pub(crate) query: String,
    /// How long to wait until each agent has settled.
    #[arg(long, default_value = "5m", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// Push, print the push's id and do not wait.
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// The main file's name on the agent; the local file's name when left out.
    #[arg(long, value_name = "NAME-ON-AGENT")]
    pub(crate) name: Option<String>,
    /// Do not ask for confirmation.
    #[arg(short, long)]
    pub(crate) yes: bool,
    /// Push in spite of errors in the config.
    #[arg(long)]
    pub(crate) force: bool,
    /// How to show the result.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

#[derive(Args, Debug)]
pub(crate) struct EventsArgs {
    /// Go on with what happens from now on.
    #[arg(short, long)]
    pub(crate) follow: bool,
    /// Only events of the agents that match.
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub(crate) query: String,
    /// How to show them; with --follow, json gives an object a line.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: EventsOutput,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum EventsOutput {
    #[default]
    Table,
    Json,
}

/// A wait such as `30s`, `5m` or `1h30m`.
fn wait(text: &str) -> Result<Duration, String> {
    let span: jiff::SignedDuration =
        text.parse().map_err(|_| "write a duration such as 30s, 5m or 1h30m".to_owned())?;
    match Duration::try_from(span) {
        Ok(wait) if wait.is_zero() => Err("it must be longer than nothing".to_owned()),
        Ok(wait) if wait > MAX_WAIT => Err("it must not be longer than 7 days".to_owned()),
        Ok(wait) => Ok(wait),
        Err(_) => Err("it must not be negative".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn given_the_definition_of_the_command_line_then_it_holds_together() {
        LowArgs::command().debug_assert();
    }

    #[test]
    fn given_waits_when_read_then_units_are_needed_and_bounds_hold() {
        for (text, expected) in [
            ("60s", Some(60_000)),
            ("5m", Some(300_000)),
            ("1h30m", Some(5_400_000)),
            ("250ms", Some(250)),
            ("60", None),
            ("0s", None),
            ("-5s", None),
            ("8d", None),
            ("200h", None),
            ("soon", None),
        ] {
            assert_eq!(wait(text).ok(), expected.map(Duration::from_millis), "{text}");
        }
    }

    #[test]
    fn given_command_lines_when_parsed_then_the_wrong_ones_are_refused() {
        for (line, good) in [
            ("tidegate get agents", true),
            ("tidegate get ag -q health:unhealthy -o wide --no-headers", true),
            ("tidegate get agents -o xml", false),
            ("tidegate get agents -o ndjson --sort-by -last_seen,name --limit 5", true),
            ("tidegate get agents --limit 0", false),
            ("tidegate get agents --facets health --limit 5", false),
            ("tidegate get schemas -o name", true),
            ("tidegate get schema 5.1.1 tail -o json", true),
            ("tidegate get schema", false),
            ("tidegate label agents web-1 env=prod old- --dry-run", true),
            ("tidegate label agents -q name:* env=prod --yes", true),
            ("tidegate label agents", false),
            ("tidegate cancel command 0190", true),
            ("tidegate cancel command", false),
            ("tidegate describe agent web-1 -o yaml", true),
            ("tidegate describe agent", false),
            ("tidegate restart agent a b --timeout 5s --no-wait", true),
            ("tidegate restart agent", false),
            ("tidegate restart agents -q health:unhealthy --yes --no-wait", true),
            ("tidegate restart agents -q name:* --dry-run", true),
            ("tidegate restart agents web-1 -q name:*", false),
            ("tidegate restart agents web-1 --dry-run", false),
            ("tidegate cancel operation 0190", true),
            ("tidegate push a.yaml b.lua -q name:* --yes --name main.yaml", true),
            ("tidegate push a.yaml", false),
            ("tidegate push -q name:*", false),
            ("tidegate retry push 0190 --timeout 5s --yes -o json", true),
            ("tidegate retry push 0190 --all", false),
            ("tidegate roll-back push 0190 --all --dry-run", true),
            ("tidegate roll-back push 0190 --no-wait --dry-run", false),
            ("tidegate roll-back push", false),
            ("tidegate send agent web-1 --capability c --type t", true),
            ("tidegate send agent web-1 --capability c", false),
            ("tidegate events -f -o json --server http://x", true),
            ("tidegate execute plan pl_a --dry-run --no-wait", false),
            ("tidegate mcp serve --stdio --mode write", true),
            ("tidegate mcp serve", false),
            ("tidegate mcp install --client codex --http --dry-run", true),
            ("tidegate mcp install --client codex --http --stdio", false),
            ("tidegate mcp install", false),
            ("tidegate mcp doctor", true),
            ("tidegate --token secret get agents", false),
        ] {
            assert_eq!(LowArgs::try_parse_from(line.split(' ')).is_ok(), good, "{line}");
        }
    }
}

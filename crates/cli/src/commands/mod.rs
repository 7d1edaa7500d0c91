//! The commands, a file each.

mod attention;
mod cancel;
mod confirm;
mod describe_agent;
mod events;
mod get_agents;
mod heartbeat;
mod inspect;
mod label;
mod login_link;
mod mcp;
mod metrics;
mod outcome;
mod plans;
mod push;
mod push_files;
mod repush;
mod restart;
mod restart_query;
mod schemas;
mod send;
mod settings;

use tidegate_api::client::Client;

use crate::failure::Failure;
use crate::lowargs::{
    CancelNoun, DeleteNoun, DescribeNoun, DiagnoseNoun, DiscardNoun, ExecuteNoun, GetNoun, LabelNoun,
    LogsNoun, LowArgs, MetricsNoun, PageOutput, RestartNoun, RetryNoun, RollBackNoun, SendNoun, SetNoun,
    UnsetNoun, Verb,
};
use crate::output::Talk;
use crate::render::structured;
use crate::settings::{Environment, Settings};
use crate::terminal::Terminal;

/// What every command has.
struct Context {
    client: Client,
    terminal: Terminal,
    talk: Talk,
}

/// Runs a command to its end.
///
/// # Errors
/// [`Failure`], which knows its exit code.
pub(crate) async fn run(low: LowArgs, environment: &Environment, terminal: Terminal) -> Result<(), Failure> {
    if let Verb::Mcp(verb) = &low.verb {
        return mcp::run(verb, &low.global, environment, &Talk::new(terminal)).await;
    }
    let client = Settings::resolve(&low.global, environment)?.client()?;
    let context = Context { client, terminal, talk: Talk::new(terminal) };
    match low.verb {
        Verb::Get(GetNoun::Agents(args)) => get_agents::run(&context, &args).await,
        Verb::Get(GetNoun::Attention(args)) => attention::run(&context, &args).await,
        Verb::Get(GetNoun::Settings(args)) => settings::get(&context, &args).await,
        Verb::Get(GetNoun::Schemas(args)) => schemas::list(&context, &args).await,
        Verb::Get(GetNoun::Schema(args)) => schemas::one(&context, &args).await,
        Verb::Set(SetNoun::Heartbeat(args)) => heartbeat::set(&context, &args).await,
        Verb::Set(SetNoun::Settings(args)) => settings::set(&context, &args).await,
        Verb::Unset(UnsetNoun::Heartbeat(args)) => heartbeat::unset(&context, &args).await,
        Verb::Delete(DeleteNoun::Settings(args)) => settings::delete(&context, &args).await,
        Verb::Describe(DescribeNoun::Agent(args)) => describe_agent::run(&context, &args).await,
        Verb::Describe(DescribeNoun::Plan(args)) => plans::describe(&context, &args).await,
        Verb::Execute(ExecuteNoun::Plan(args)) => plans::execute(&context, &args).await,
        Verb::Discard(DiscardNoun::Plan(args)) => plans::discard(&context, &args).await,
        Verb::Metrics(MetricsNoun::Agent(args)) => metrics::agent(&context, &args).await,
        Verb::Restart(RestartNoun::Agent(args)) => restart::run(&context, &args).await,
        Verb::Push(args) => push::run(&context, args).await,
        Verb::Retry(RetryNoun::Push(args)) => repush::retry(&context, &args).await,
        Verb::RollBack(RollBackNoun::Push(args)) => repush::roll_back(&context, &args).await,
        Verb::Send(SendNoun::Agent(args)) => send::run(&context, &args).await,
        Verb::Logs(LogsNoun::Agent(args)) => inspect::logs(&context, &args).await,
        Verb::Validate(args) => inspect::validate(&context, &args).await,
        Verb::Diagnose(DiagnoseNoun::Agent(args)) => inspect::diagnose(&context, &args).await,
        Verb::Label(LabelNoun::Agents(args)) => label::run(&context, args).await,
        Verb::Cancel(CancelNoun::Command(args)) => cancel::command(&context, &args).await,
        Verb::Cancel(CancelNoun::Operation(args)) => cancel::operation(&context, &args).await,
        Verb::LoginLink(args) => login_link::run(&context, &args).await,
        Verb::Events(args) => events::run(&context, &args).await,
        // Taken above: it needs no server to change a file.
        Verb::Mcp(_) => Ok(()),
    }
}

/// A value as text, which the caller renders, or as the API's own JSON or YAML.
fn show<T: serde::Serialize>(
    value: &T,
    output: PageOutput,
    text: impl FnOnce() -> Result<String, Failure>,
) -> Result<(), Failure> {
    crate::output::data(&match output {
        PageOutput::Text => text()?,
        PageOutput::Json => structured::json(value)?,
        PageOutput::Yaml => structured::yaml(value)?,
    })
}

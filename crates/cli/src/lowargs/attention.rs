//! What was typed of asking what calls for a person.

use clap::Args;

use super::ListOutput;

#[derive(Args, Debug)]
pub(crate) struct GetAttentionArgs {
    /// Only of the agents that match.
    #[arg(short, long, default_value = "", hide_default_value = true)]
    pub(crate) query: String,
    /// How to show it; `name` gives the queries that find the agents, a line each.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ListOutput,
    /// Leave the table's header out.
    #[arg(long)]
    pub(crate) no_headers: bool,
}

//! What was typed of custom messages.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{PageOutput, wait};

#[derive(Debug, Subcommand)]
pub(crate) enum SendNoun {
    /// To one agent.
    #[command(visible_alias = "ag")]
    Agent(SendArgs),
}

#[derive(Args, Debug)]
pub(crate) struct SendArgs {
    /// The agent: its uid, at least 4 hex digits that its uid begins with, or its name.
    #[arg(value_name = "UID|NAME")]
    pub(crate) agent: String,
    /// The custom capability.
    #[arg(long)]
    pub(crate) capability: String,
    /// The type of the message.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) message_type: String,
    /// The payload: JSON, or @FILE with JSON in it; nothing when left out.
    #[arg(long, value_name = "JSON|@FILE")]
    pub(crate) data: Option<String>,
    /// How long to wait for the answer; a message that has not left the server by then expires.
    #[arg(long, default_value = "30s", value_parser = wait)]
    pub(crate) timeout: Duration,
    /// How to show the answer: its data, or the whole command as the API gives it.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
}

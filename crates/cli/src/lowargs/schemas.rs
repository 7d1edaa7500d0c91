//! What was typed of schemas.

use clap::Args;

use super::{ListOutput, PageOutput};

#[derive(Args, Debug)]
pub(crate) struct GetSchemasArgs {
    /// How to show them; `name` gives a hash a line.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: ListOutput,
    /// Leave the table's header out.
    #[arg(long)]
    pub(crate) no_headers: bool,
}

#[derive(Args, Debug)]
pub(crate) struct GetSchemaArgs {
    /// The schema: its version, its hash, or at least 4 hex digits that its hash begins with.
    #[arg(value_name = "VERSION|HASH")]
    pub(crate) schema: String,
    /// Only the plugins of this name, with all their properties.
    #[arg(value_name = "PLUGIN")]
    pub(crate) plugin: Option<String>,
    /// How to show it; `json` and `yaml` give what the build printed.
    #[arg(short, long, value_enum, default_value_t)]
    pub(crate) output: PageOutput,
    /// Leave the table's header out.
    #[arg(long)]
    pub(crate) no_headers: bool,
}

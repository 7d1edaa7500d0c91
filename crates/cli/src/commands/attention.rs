//! `tidegate get attention`.

use super::Context;
use crate::failure::Failure;
use crate::lowargs::{GetAttentionArgs, ListOutput};
use crate::output;
use crate::render::attention::{queries, table};
use crate::render::structured;
use crate::render::table::Look;

pub(super) async fn run(context: &Context, args: &GetAttentionArgs) -> Result<(), Failure> {
    let found = context.client.attention(&args.query).await?;
    if found.items.is_empty() && matches!(args.output, ListOutput::Table | ListOutput::Wide) {
        context.talk.say("Nothing calls for a person.");
        return Ok(());
    }
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    output::data(&match args.output {
        ListOutput::Table | ListOutput::Wide => table(&found.items, look),
        ListOutput::Json => structured::json(&found)?,
        ListOutput::Ndjson => found.items.iter().map(structured::json_line).collect::<Result<String, _>>()?,
        ListOutput::Yaml => structured::yaml(&found)?,
        ListOutput::Name => queries(&found.items),
    })
}

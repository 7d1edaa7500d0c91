//! `tidegate get agents`.

use std::collections::BTreeMap;

use tidegate_api::{List, Timestamp, Total};

use super::Context;
use crate::failure::Failure;
use crate::lowargs::{GetAgentsArgs, ListOutput};
use crate::output;
use crate::render::agents::{Width, names, table};
use crate::render::structured;
use crate::render::table::Look;

pub(super) async fn run(context: &Context, args: &GetAgentsArgs) -> Result<(), Failure> {
    let items = context.client.all_agents(&args.query).await?;
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    let in_a_table = matches!(args.output, ListOutput::Table | ListOutput::Wide);
    if items.is_empty() && in_a_table {
        context.talk.say(if args.query.trim().is_empty() {
            "There are no agents yet."
        } else {
            "No agent matches."
        });
        return Ok(());
    }
    let list = || {
        let total = Total { value: u64::try_from(items.len()).unwrap_or(u64::MAX), exact: true };
        List { items: items.clone(), next_cursor: None, total, facets: BTreeMap::new() }
    };
    let now = Timestamp::now();
    output::data(&match args.output {
        ListOutput::Table => table(&items, Width::Short, look, now),
        ListOutput::Wide => table(&items, Width::Wide, look, now),
        ListOutput::Json => structured::json(&list())?,
        ListOutput::Yaml => structured::yaml(&list())?,
        ListOutput::Name => names(&items),
    })
}

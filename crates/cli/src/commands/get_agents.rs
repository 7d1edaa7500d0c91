//! `tidegate get agents`.

use std::collections::BTreeMap;

use tidegate_api::client::AgentList;
use tidegate_api::{Agent, List, Timestamp, Total};

use super::Context;
use crate::failure::Failure;
use crate::lowargs::{GetAgentsArgs, ListOutput};
use crate::output;
use crate::render::agents::{Width, names, table};
use crate::render::table::Look;
use crate::render::{facets, structured};

/// Rows that are asked for at once.
const PAGE: u32 = 500;

pub(super) async fn run(context: &Context, args: &GetAgentsArgs) -> Result<(), Failure> {
    let look = Look { colour: context.terminal.colour, no_headers: args.no_headers };
    if let Some(keys) = &args.facets {
        return count(context, args, keys, look).await;
    }
    if matches!(args.output, ListOutput::Ndjson | ListOutput::Name) {
        return each_page(context, args, async |page| {
            output::data(&match args.output {
                ListOutput::Name => names(page),
                _ => page.iter().map(structured::json_line).collect::<Result<_, _>>()?,
            })
        })
        .await
        .map(drop);
    }
    let mut items = Vec::new();
    let all = each_page(context, args, async |page| {
        items.extend_from_slice(page);
        Ok(())
    })
    .await?;
    let in_a_table = matches!(args.output, ListOutput::Table | ListOutput::Wide);
    if items.is_empty() && in_a_table {
        context.talk.say(if args.query.trim().is_empty() {
            "There are no agents yet."
        } else {
            "No agent matches."
        });
        return Ok(());
    }
    let shown = items.len();
    let list = |items| {
        let total = Total { value: all, exact: true };
        List { items, next_cursor: None, total, facets: BTreeMap::new() }
    };
    let now = Timestamp::now();
    output::data(&match args.output {
        ListOutput::Table => table(&items, Width::Short, look, now),
        ListOutput::Wide => table(&items, Width::Wide, look, now),
        ListOutput::Yaml => structured::yaml(&list(items))?,
        ListOutput::Json | ListOutput::Name | ListOutput::Ndjson => structured::json(&list(items))?,
    })?;
    if in_a_table && u64::try_from(shown).is_ok_and(|shown| shown < all) {
        context.talk.say(&format!("{shown} of {all} agents; --limit N shows more"));
    }
    Ok(())
}

/// Hands over page after page, at most as many agents as were asked for; gives how many there are.
async fn each_page(
    context: &Context,
    args: &GetAgentsArgs,
    mut take: impl AsyncFnMut(&[Agent]) -> Result<(), Failure>,
) -> Result<u64, Failure> {
    let mut left = args.limit.unwrap_or(u32::MAX);
    let mut list = AgentList { q: args.query.clone(), sort: args.sort_by.clone(), ..AgentList::default() };
    loop {
        list.limit = left.min(PAGE);
        let page = context.client.list(&list).await?;
        take(&page.items).await?;
        left = left.saturating_sub(u32::try_from(page.items.len()).unwrap_or(u32::MAX));
        // A page without rows names no next one; a server that does is not asked for ever.
        if page.next_cursor.is_none() || page.items.is_empty() || left == 0 {
            return Ok(page.total.value);
        }
        list.cursor = page.next_cursor;
    }
}

async fn count(context: &Context, args: &GetAgentsArgs, keys: &str, look: Look) -> Result<(), Failure> {
    let list = AgentList { q: args.query.clone(), facets: keys.to_owned(), limit: 1, ..AgentList::default() };
    let page = context.client.list(&list).await?;
    output::data(&match args.output {
        ListOutput::Json | ListOutput::Ndjson => structured::json(&page.facets)?,
        ListOutput::Yaml => structured::yaml(&page.facets)?,
        ListOutput::Table | ListOutput::Wide | ListOutput::Name => facets::table(&page.facets, look),
    })
}

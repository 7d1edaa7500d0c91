//! `tidegate metrics agent`.

use tidegate_api::Timestamp;

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::MetricsArgs;
use crate::render::metrics;
use crate::render::table::Look;
use crate::target;

pub(super) async fn agent(context: &Context, args: &MetricsArgs) -> Result<(), Failure> {
    let target = target::find(&context.client, &args.agent).await?;
    let now = Timestamp::now();
    let mut query = Vec::new();
    query.extend(args.component.clone().map(|component| ("component", component)));
    if let Some(since) = args.since {
        let from = now.checked_sub(since).unwrap_or(Timestamp::UNIX_EPOCH);
        query.push(("from", from.to_string()));
        query.push(("to", now.to_string()));
    }
    query.extend(args.step.map(|step| ("step", format!("{}s", step.as_secs()))));
    let told = context.client.metrics(&target.uid, &query).await?;
    let look = Look { colour: context.terminal.colour, no_headers: false };
    show(&told, args.output, || Ok(metrics::page(&told, now, look)))
}

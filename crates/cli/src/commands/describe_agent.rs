//! `tidegate describe agent`.

use tidegate_api::Timestamp;

use super::{Context, show};
use crate::failure::Failure;
use crate::lowargs::DescribeAgentArgs;
use crate::render::describe;
use crate::target;

pub(super) async fn run(context: &Context, args: &DescribeAgentArgs) -> Result<(), Failure> {
    let target = target::find(&context.client, &args.agent).await?;
    let detail = context.client.agent(&target.uid).await?;
    show(&detail, args.output, || Ok(describe::page(&detail, Timestamp::now())))
}
